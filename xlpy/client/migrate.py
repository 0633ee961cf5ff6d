"""Moving a running domain from one host to another.

The client joins both hosts by a socket pair and then leads through the steps of ``agent.handover``. The domain is the
target's from the moment that ``accept_restored`` has written down there; before it is the source's. If the client is lost
in between, the hosts settle it among themselves.
"""

from __future__ import annotations

import os
import select
import socket

from xlpy.errors import (
    Aborted,
    ConnectError,
    DomainNotFound,
    EngineError,
    Interrupted,
    InvalidState,
    UsageError,
    XlError,
)
from xlpy.protocol.places import default_socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xlpy.client.call import Call
    from xlpy.client.host import Host
    from xlpy.model.domain_config import DomainConfig
    from xlpy.model.migration import MigrationLimits, SavedDomain, TransferProgress

    Report = Callable[[TransferProgress], None]

_ABORT_TIMEOUT_MS = 20_000
_OUTCOME_ATTEMPTS = 200
_OUTCOME_PAUSE_S = 0.05


def migrate(
    source: Host,
    target: Host,
    domid: int,
    *,
    limits: MigrationLimits | None = None,
    paused: bool = False,
    supervised: bool = True,
    config: DomainConfig | None = None,
    progress: Report | None = None,
) -> tuple[int, TransferProgress]:
    """Move a domain and return its domid at the target, and how the transfer went.

    ``paused`` leaves it paused there; so does a domain that was paused here. Errors say where the domain is:
    XlError and Aborted (Ctrl-C) leave it at the source as it was; Interrupted says what is known.
    """
    if source.hello.instance == target.hello.instance:
        raise UsageError("source and target of the migration are the same host")
    was_paused = source.domain_info(domid).paused
    saved = source.describe_domain(domid)
    sent = saved if config is None else saved.replace(config=config, config_text=None)
    new_domid, result = _transfer(
        source, target, domid, sent, was_paused, supervised=supervised, limits=limits, progress=progress
    )
    _accept(source, target, domid, new_domid, saved.transfer_id or "", was_paused, paused or was_paused)
    try:
        source.destroy_domain(domid)
    except (ConnectError, Interrupted) as error:
        raise Interrupted(
            f"the domain runs at {target.address}; what is left of it at {source.address} could not be removed",
            "its xlpyd removes it by itself when it is back",
            detail=error.message,
        ) from error
    _require_alive(target, new_domid)
    return new_domid, result


def address_for_peers(host: Host) -> str:
    """How another xlpyd on this machine reaches this host."""
    if host.address in ("", "local"):
        return f"unix://{default_socket(os.getuid(), os.environ)}"
    return host.address


def _transfer(
    source: Host,
    target: Host,
    domid: int,
    saved: SavedDomain,
    was_paused: bool,
    *,
    supervised: bool,
    limits: MigrationLimits | None,
    progress: Report | None,
) -> tuple[int, TransferProgress]:
    """Send the state over; on return both have it and it runs nowhere. On failure it is at the source as it was."""
    sending, receiving = socket.socketpair()
    with socket.socket(fileno=os.dup(sending.fileno())) as breaker:
        receive = target.begin(
            "restore_domain", saved=saved, stream=receiving.detach(), supervised=supervised
        )
        try:
            send = source.begin(
                "save_domain",
                domid=domid,
                stream=sending.detach(),
                limits=limits,
                live=True,
                peer=address_for_peers(target),
                progress=progress,
            )
        except BaseException:
            sending.close()
            target.close()
            raise
        try:
            _run_both(send, receive, breaker)
            return receive.result(), send.result()
        except (XlError, KeyboardInterrupt) as error:
            _break_off(breaker)
            _take_back(source, target, send, receive, domid, was_paused)
            if isinstance(error, KeyboardInterrupt):
                raise _given_up(source) from error
            ended = _has_ended(source, domid) if send.over else None
            raise _failure(error, send, receive, ended, _where(source, ended, was_paused)) from error


def _run_both(send: Call, receive: Call, breaker: socket.socket) -> None:
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
                if call is send:
                    breaker.close()  # so that the target sees the stream's end


def _break_off(breaker: socket.socket) -> None:
    try:
        breaker.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # closed: the source was done already


def _take_back(source: Host, target: Host, send: Call, receive: Call, domid: int, was_paused: bool) -> None:
    """Nothing was accepted: have the target drop its part, and the source let the domain go on."""
    if not _ended(receive):
        target.close()
    if not _ended(send):
        source.close()  # it asks the target, and takes the domain back
        return
    try:
        send.result()
    except XlError:
        target.close()  # the source has let it go on already
        return
    target.close()
    try:
        _resume(source, domid, was_paused)
    except XlError:
        source.close()
        raise


def _resume(source: Host, domid: int, was_paused: bool) -> None:
    """Let the source's copy go on; one that has crashed where it stood is left to what is said about it."""
    try:
        source.resume_saved(domid, was_paused)
    except InvalidState:
        if not _has_ended(source, domid):
            raise


def _ended(call: Call) -> bool:
    """Whether this call comes to its end within a bounded time."""
    poller = select.poll()
    poller.register(call, select.POLLIN)
    try:
        while not call.over:
            if not poller.poll(_ABORT_TIMEOUT_MS):
                return False
            call.advance()
    except Interrupted:
        return False
    return True


def _has_ended(host: Host, domid: int) -> bool | None:
    """Whether the domain has died; None when the host doesn't say."""
    try:
        return host.domain_info(domid).shutdown
    except DomainNotFound:
        return True  # and its host has done with it
    except XlError:
        return None


def _where(source: Host, ended: bool | None, was_paused: bool) -> str:
    """What a migration that failed has left, as part of a sentence."""
    if ended is None:
        return f"the domain stays at {source.address}"  # its xlpyd sees to that when it is back
    if ended:
        return f"the domain has ended at {source.address} and runs nowhere else"
    return f"the domain {'is still paused' if was_paused else 'runs on'} at {source.address}"


def _given_up(source: Host) -> Aborted:
    return Aborted(
        f"the migration was given up; the domain is at {source.address} as it was before", exit_status=130
    )


def _failure(error: XlError, send: Call, receive: Call, ended: bool | None, where: str) -> XlError:
    """What is to be said. When the stream breaks both sides fail, and neither knows which was first."""
    failures = [call.failure for call in (receive, send) if call.failure is not None] or [error]
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


def _accept(
    source: Host,
    target: Host,
    domid: int,
    new_domid: int,
    transfer_id: str,
    was_paused: bool,
    paused: bool,
) -> None:
    """Hand the domain over. Returns when it is the target's; else it is the source's again, or the error says more."""
    try:
        target.accept_restored(new_domid, paused)
        return
    except (XlError, KeyboardInterrupt) as error:
        problem = error
    target.close()  # what isn't accepted by now is dropped
    outcome = _final_outcome(target, transfer_id)
    if outcome is None:
        source.close()
        raise Interrupted(
            f"{target.address} doesn't say whether it has the domain; at {source.address} it stands still",
            f"{source.address} settles it when the other one answers; 'xlpy migrate --resume' or '--abort' does by hand",
            detail=str(problem) or None,
        ) from problem
    if outcome == "accepted":
        if isinstance(problem, XlError) and not isinstance(problem, (ConnectError, Interrupted)):
            _destroy_quietly(source, domid)
            raise type(problem)(
                f"the domain is at {target.address} now, but did not come up: {problem.message}",
                problem.hint,
                detail=problem.detail,
            ) from problem
        return
    _resume(source, domid, was_paused)
    if isinstance(problem, KeyboardInterrupt):
        raise _given_up(source) from problem
    raise type(problem)(
        f"the migration failed, {_where(source, _has_ended(source, domid), was_paused)}: {problem.message}",
        problem.hint,
        detail=problem.detail,
    ) from problem


def _require_alive(target: Host, domid: int) -> None:
    """The migration is over; but whoever hears that it went well expects a domain there."""
    if _has_ended(target, domid):
        raise EngineError(
            f"the domain moved to {target.address}, but has ended there already",
            "the events of that host show why, and what its on_crash made of it",
        )


def _final_outcome(target: Host, transfer_id: str) -> str | None:
    """``accepted`` or ``absent``; None when the target doesn't say so within a bounded time."""
    for _ in range(_OUTCOME_ATTEMPTS):
        try:
            outcome: str = target.restored_outcome(transfer_id)
        except XlError:
            return None
        if outcome != "pending":
            return outcome
        select.select([], [], [], _OUTCOME_PAUSE_S)  # our last request is still being worked on there
    return None


def _destroy_quietly(source: Host, domid: int) -> None:
    """Remove the source's copy; if that fails, its xlpyd does it later."""
    try:
        source.destroy_domain(domid)
    except XlError:
        source.close()
