"""Moving a running domain from one host to another.

The client joins both hosts by a socket pair and leads through the steps of ``agent.handover``. The domain is the target's
from the moment that ``accept_restored`` has written down there; before it is the source's. What is left unsettled when a
connection breaks is settled here at once if both hosts can be reached again, and else by ``client.settle`` later.
"""

from __future__ import annotations

import select
import socket

from xlpy.client.disk_streams import begin_copies
from xlpy.client.preflight import describe, look, refusal, require_two_hosts
from xlpy.client.settle import by_hand, peer_of, settle_after_loss
from xlpy.errors import (
    Aborted,
    ConnectError,
    DomainNotFound,
    EngineError,
    Interrupted,
    InvalidState,
    XlError,
)
from xlpy.model.migration import DirectRoute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xlpy.client.call import Call
    from xlpy.client.direct import DirectWay
    from xlpy.client.host import Host
    from xlpy.client.preflight import HostFinding
    from xlpy.model.domain_config import DomainConfig
    from xlpy.model.migration import MigrationLimits, Report, TransferProgress

_ABORT_TIMEOUT_MS = 20_000


class Migration:
    """One domain on its way from ``source`` to ``target``.

    ``paused`` leaves it paused there; so does a domain that was paused here. ``config`` goes along instead of its own.
    ``with_disks`` copies its disks as well. ``direct`` is how the source's host reaches the target's, if the state shall not
    go through this client; the lead stays here.
    """

    def __init__(
        self,
        source: Host,
        target: Host,
        domid: int,
        *,
        limits: MigrationLimits | None = None,
        paused: bool = False,
        supervised: bool = True,
        config: DomainConfig | None = None,
        config_text: str | None = None,
        with_disks: bool = False,
        direct: DirectWay | None = None,
        progress: Report | None = None,
    ) -> None:
        self.source = source
        self.target = target
        self.domid = domid
        self._limits = limits
        self._paused = paused
        self._supervised = supervised
        self._config = config
        self._config_text = config_text
        self._with_disks = with_disks
        self._direct = direct
        self._progress = progress

    def check(self) -> tuple[HostFinding, ...]:
        """A look at both hosts: everything that would make it fail, and warnings. Nothing is changed."""
        return look(self.source, self.target, self.domid, config=self._config, copy_disks=self._with_disks)

    def prepare(self) -> list[HostFinding]:
        """Look, and return the warnings. Raises the error that the findings amount to, or UsageError for one host alone."""
        require_two_hosts(self.source, self.target)
        info = self.source.domain_info(self.domid)
        self._was_paused = info.paused
        found = self.check()
        problem = refusal(found, self._where(None if info.shutdown else False))
        if problem is not None:
            raise problem
        return [item for item in found if item.finding.severity != "error"]

    def run(self) -> tuple[int, TransferProgress]:
        """Move it, once it is prepared. Returns its domid at the target, and how the transfer went.

        Errors say where the domain is: XlError and Aborted (Ctrl-C) leave it at the source as it was; Interrupted says
        what is known.
        """
        saved = describe(self.source, self.domid, self._config, self._config_text)
        self._saved = saved.replace(sender=self.source.address or "local")
        self._peer = peer_of(self.target)
        if self._with_disks:
            self._begin_copies()
        new_domid, result = self._transfer()
        self._accept(new_domid, result)
        self._leave()
        self._require_alive(new_domid)
        return new_domid, result

    @property
    def _name(self) -> str:
        return self._saved.config.c_info.name or str(self.domid)

    @property
    def _transfer_id(self) -> str:
        return self._saved.transfer_id or ""

    # -- sending

    def _begin_copies(self) -> None:
        try:
            begin_copies(self.source, self.target, self.domid, self._saved, self._supervised, self._limits)
        except (XlError, KeyboardInterrupt) as error:
            self.source.close()
            self.target.close()  # both give up what they have begun
            if isinstance(error, KeyboardInterrupt):
                raise self._given_up() from error
            lost = isinstance(error, (ConnectError, Interrupted))
            raise (ConnectError if lost else type(error))(
                f"the migration failed, {self._where(ended=False)}: {error.message}",
                "try again when the connection is stable" if lost else error.hint,
                detail=error.detail,
            ) from error

    def _transfer(self) -> tuple[int, TransferProgress]:
        """Send the state over; on return both have it and it runs nowhere. On failure it is at the source as it was."""
        sending, receiving = (None, None) if self._direct is not None else socket.socketpair()
        breaker = None if sending is None else sending.dup()
        try:
            receive = self._begin_receiving(receiving)
            try:
                send = self._begin_sending(sending)
            except BaseException:
                self.target.close()
                raise
            try:
                _run_both(send, receive, breaker)
                return receive.result(), send.result()
            except (XlError, KeyboardInterrupt) as error:
                _break_off(breaker)
                raise self._failure(error, send, receive) from error
        finally:
            for end in (sending, receiving, breaker):
                if end is not None:
                    end.close()

    def _begin_receiving(self, stream: socket.socket | None) -> Call:
        if stream is not None:
            return self.target.begin(
                "restore_domain", saved=self._saved, stream=stream.detach(), supervised=self._supervised
            )
        self._meeting_place = self.target.open_meeting(self._transfer_id)
        return self.target.begin("receive_direct", saved=self._saved, supervised=self._supervised)

    def _begin_sending(self, stream: socket.socket | None) -> Call:
        wishes = {
            "domid": self.domid,
            "limits": self._limits,
            "peer": self._peer,
            "progress": self._progress,
        }
        if stream is not None:
            return self.source.begin("save_domain", stream=stream.detach(), live=True, **wishes)
        assert self._direct is not None
        route = DirectRoute(
            command=self._direct.command, python=self._direct.python, meeting_place=self._meeting_place
        )
        return self.source.begin("send_direct", route=route, **wishes)

    def _failure(self, error: XlError | KeyboardInterrupt, send: Call, receive: Call) -> XlError:
        """Nothing was accepted: see to it that the source goes on, and say what happened."""
        if not self._take_back(send, receive):
            return self._unsettled(error)
        if isinstance(error, KeyboardInterrupt):
            return self._given_up()
        ended = self._has_ended(self.source, self.domid)
        for call, host in ((send, self.source), (receive, self.target)):
            if call.lost and not ended:
                return ConnectError(
                    f"the migration failed, {self._where(ended)}: the connection to {host.address} was lost",
                    "try again when it is stable; nothing is left of this attempt",
                    detail=error.detail,
                )
        return _said(error, send, receive, ended, self._where(ended))

    def _take_back(self, send: Call, receive: Call) -> bool:
        """Have the target drop its part, and the source let the domain go on; False if that can't be had now."""
        if self._direct is not None and not receive.over:
            self.target.close()  # it would wait for somebody who doesn't come
        _comes_to_its_end(receive)
        answered = _comes_to_its_end(send)
        self.target.close()  # what isn't accepted by now is dropped
        if not answered:
            return settle_after_loss(self.source, self.target, self._transfer_id) is not None
        if send.failure is None:  # else the source has let it go on already
            self._resume()
        return True

    def _resume(self) -> None:
        """Let the source's copy go on; one that has crashed where it stood is left to what is said about it."""
        try:
            self.source.resume_saved(self.domid, self._was_paused)
        except InvalidState:
            if not self._has_ended(self.source, self.domid):
                raise
        except (ConnectError, Interrupted) as error:
            if settle_after_loss(self.source, self.target, self._transfer_id) is None:
                raise self._unsettled(error) from error

    # -- handing over

    def _accept(self, new_domid: int, result: TransferProgress) -> None:
        """Hand it over. Returns when it is the target's; else it is the source's again, or the error says more."""
        try:
            self.target.accept_restored(new_domid, self._paused or self._was_paused, result.consoles)
            return
        except (XlError, KeyboardInterrupt) as error:
            problem = error
        outcome = self._decided()
        if outcome is None:
            self.source.close()
            raise self._unsettled(problem) from problem
        if outcome == "accepted":
            if isinstance(problem, XlError) and not isinstance(problem, (ConnectError, Interrupted)):
                self._destroy_quietly()
                raise type(problem)(
                    f"the domain is at {self.target.address} now, but did not come up: {problem.message}",
                    problem.hint,
                    detail=problem.detail,
                ) from problem
            return
        self._resume()
        if isinstance(problem, KeyboardInterrupt):
            raise self._given_up() from problem
        ended = self._has_ended(self.source, self.domid)
        raise type(problem)(
            f"the migration failed, {self._where(ended)}: {problem.message}",
            problem.hint,
            detail=problem.detail,
        ) from problem

    def _decided(self) -> str | None:
        """``accepted`` or ``absent``, for good; None when the target doesn't say."""
        self.target.close()  # the request that was broken off must not be answered into the next one
        try:
            outcome: str = self.target.give_up_restored(self._transfer_id)
        except XlError:
            return None
        return outcome

    def _leave(self) -> None:
        try:
            self.source.destroy_domain(self.domid)
        except DomainNotFound:
            pass  # it has heard from the target itself
        except (ConnectError, Interrupted) as error:
            outcome = settle_after_loss(self.source, self.target, self._transfer_id)
            if outcome is None:
                raise Interrupted(
                    f"domain {self._name!r} runs at {self.target.address}; what is left of it at"
                    f" {self.source.address} stands still and could not be removed",
                    by_hand(self.source, self.target, self._name),
                    detail=error.message,
                ) from error

    def _destroy_quietly(self) -> None:
        """Remove the source's copy; if that fails, settling it does."""
        try:
            self.source.destroy_domain(self.domid)
        except XlError:
            self.source.close()

    def _require_alive(self, new_domid: int) -> None:
        """The migration is over; but whoever hears that it went well expects a domain there."""
        if self._has_ended(self.target, new_domid):
            raise EngineError(
                f"the domain moved to {self.target.address}, but has ended there already",
                "the events of that host show why, and what its on_crash made of it",
            )

    # -- what is said

    def _has_ended(self, host: Host, domid: int) -> bool | None:
        """Whether the domain has died; None when the host doesn't say."""
        try:
            return host.domain_info(domid).shutdown
        except DomainNotFound:
            return True  # and its host has done with it
        except XlError:
            return None

    def _where(self, ended: bool | None) -> str:
        """What a migration that failed has left, as part of a sentence."""
        if ended is None:
            return f"the domain stays at {self.source.address}"  # its xlpyd sees to that when it is back
        if ended:
            return f"the domain has ended at {self.source.address} and runs nowhere else"
        return f"the domain {'is still paused' if self._was_paused else 'runs on'} at {self.source.address}"

    def _given_up(self) -> Aborted:
        return Aborted(
            f"the migration was given up; the domain is at {self.source.address} as it was before",
            exit_status=130,
        )

    def _unsettled(self, error: BaseException) -> Interrupted:
        return Interrupted(
            f"the migration of {self._name!r} was cut off, and it is not known yet on which host it goes on: if"
            f" {self.target.address} has not taken it, it goes on at {self.source.address}",
            by_hand(self.source, self.target, self._name),
            detail=str(error) or None,
        )


def _run_both(send: Call, receive: Call, breaker: socket.socket | None) -> None:
    """Wait until both sides are done; when one fails, stop the other one."""
    poller = select.poll()
    running = {call.fileno(): call for call in (send, receive)}
    for call in running.values():
        poller.register(call, select.POLLIN)
    while running:
        for fd, _ in poller.poll():
            if running[fd].advance():
                call = running.pop(fd)
                poller.unregister(fd)
                call.result()  # raises if this side has failed
                if call is send and breaker is not None:
                    breaker.close()  # so that the target sees the stream's end


def _break_off(breaker: socket.socket | None) -> None:
    if breaker is None:
        return
    try:
        breaker.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # closed: the source was done already


def _comes_to_its_end(call: Call) -> bool:
    """Whether this call is answered within a bounded time."""
    poller = select.poll()
    try:
        poller.register(call, select.POLLIN)
        while not call.over:
            if not poller.poll(_ABORT_TIMEOUT_MS):
                return False
            call.advance()
    except (XlError, OSError, ValueError):
        return False  # the connection is broken, or was closed
    return True


def _said(error: XlError, send: Call, receive: Call, ended: bool | None, where: str) -> XlError:
    """What is to be said. When the stream breaks both sides fail, and neither knows which was first."""
    failures = [call.failure for call in (receive, send) if call.failure is not None] or [error]
    aborted = [failure for failure in failures if isinstance(failure, Aborted)]
    if aborted:
        return Aborted(f"{aborted[0].message}; {where}", aborted[0].hint)
    if ended and send.failure is not None:
        chosen = [send.failure]  # the other side can only complain of half a state
    else:
        chosen = [failure for failure in failures if not isinstance(failure, EngineError)][:1] or failures
    reasons = "; ".join(failure.message for failure in chosen)
    return type(chosen[0])(
        f"the migration failed, {where}: {reasons}",
        next((failure.hint for failure in chosen if failure.hint), None),
        detail="\n".join(failure.detail for failure in chosen if failure.detail) or None,
    )


def migrate(source: Host, target: Host, domid: int, **wishes: Any) -> tuple[int, TransferProgress]:
    """Move a domain; ``wishes`` are those of ``Migration``, whose methods say what comes of it."""
    migration = Migration(source, target, domid, **wishes)
    migration.prepare()
    return migration.run()
