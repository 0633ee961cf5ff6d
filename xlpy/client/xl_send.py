"""The source's side of xl's migration protocol (migrate_domain in xl_migrate.c), for a target that has xl alone.

What precedes the stream is the header of a save file of the domain's engine: a real xl refuses all but libxl's own, one
that is xlpy knows the others, too.

The domain is the target's from the moment that GO may have reached it; before, whatever fails leaves it here as it was.
xl remembers nothing: where the target is lost between GO and its report, nobody but a look at it can tell what became of
the domain, and until somebody has looked it stands still here.
"""

from __future__ import annotations

import os
import select

from xlpy.client.outflow import pass_on
from xlpy.client.preflight import HostFinding, describe, refusal
from xlpy.client.save_file import header_bytes
from xlpy.client.whole_bytes import read_exactly, write_all
from xlpy.client.xl_wire import BANNER, GO, READY, REPORT, SUCCESS
from xlpy.errors import (
    Aborted,
    ConnectError,
    DomainNotFound,
    EngineError,
    Interrupted,
    ProtocolError,
    XlError,
)
from xlpy.model.migration import Peer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xlpy.client.call import Call
    from xlpy.client.host import Host
    from xlpy.client.xl_peer import XlPeer
    from xlpy.model.domain_config import DomainConfig
    from xlpy.model.migration import MigrationLimits, Report, SavedDomain, TransferProgress

_PIPE_BYTES = 1 << 18
_ABORT_TIMEOUT_MS = 20_000


class MigrationToXl:
    """One domain on its way from ``source`` to the xl behind ``peer``. ``config`` goes along instead of its own."""

    def __init__(
        self,
        source: Host,
        domid: int,
        peer: XlPeer,
        *,
        limits: MigrationLimits | None = None,
        config: DomainConfig | None = None,
        progress: Report | None = None,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._source = source
        self._domid = domid
        self._peer = peer
        self._limits = limits
        self._config = config
        self._progress = progress
        self._say = say
        self._call: Call | None = None

    def run(self) -> TransferProgress:
        """Move it. Returns how the transfer went.

        Errors say where the domain is: XlError and Aborted (Ctrl-C) leave it here as it was; Interrupted says what is
        known.
        """
        saved = self._prepare()
        self._transfer_id = saved.transfer_id or ""
        self._greet()
        try:
            result = self._transfer(saved)
            self._await_ready()
            self._source.release_saved(self._domid)
        except (XlError, OSError, KeyboardInterrupt) as error:
            raise self._given_up(error) from error
        self._hand_over()
        return result

    # -- before anything is changed

    def _prepare(self) -> SavedDomain:
        info = self._source.domain_info(self._domid)
        self._name = info.name or str(self._domid)
        self._was_paused = info.paused
        found = [
            HostFinding(host=self._source.address, finding=finding)
            for finding in self._source.check_outgoing(self._domid)
        ]
        problem = refusal(found, self._where())
        if problem is not None:
            raise problem
        return describe(self._source, self._domid, self._config)

    def _greet(self) -> None:
        try:
            self._peer.expect(BANNER)
        except (ProtocolError, OSError) as error:
            self._peer.hang_up()
            known = error if isinstance(error, XlError) else ProtocolError(str(error))
            raise self._peer.unreachable(known) from error

    # -- sending

    def _transfer(self, saved: SavedDomain) -> TransferProgress:
        """All of it goes over; afterwards it stands still here. Raises XlError, OSError."""
        write_all(self._peer.fileno(), header_bytes(saved))
        if not self._source.far:
            call = self._begin(os.dup(self._peer.fileno()))
            result: TransferProgress = call.result()
            return result
        reader, writer = os.pipe()
        try:
            call = self._begin(writer)
            # all of it, since what we say must come behind it
            pass_on(call, reader, lambda: os.splice(reader, self._peer.fileno(), _PIPE_BYTES))
        finally:
            os.close(reader)
        result = call.result()
        return result

    def _begin(self, stream: int) -> Call:
        call = self._call = self._source.begin(
            "save_domain",
            domid=self._domid,
            stream=stream,
            limits=self._limits,
            live=True,
            peer=Peer(name=self._peer.name),
            progress=self._progress,
        )
        return call

    def _await_ready(self) -> None:
        self._peer.expect(READY)
        self._say("migration sender: Target has acknowledged transfer.")

    # -- the moment of handing over

    def _hand_over(self) -> None:
        self._say("migration sender: Giving target permission to start.")
        try:
            write_all(self._peer.fileno(), GO)
            self._peer.expect(REPORT)
            status = read_exactly(self._peer.fileno(), 1)
            if status == SUCCESS:
                self._say("migration sender: Target reports successful startup.")
                self._leave()
                return
            self._say(f"migration sender: Target reports startup failure (status code {status[0]}).")
            self._peer.expect(GO)
        except (ProtocolError, OSError, IndexError, KeyboardInterrupt) as error:
            raise self._unsettled(error) from error
        self._peer.hang_up()
        self._source.resume_saved(self._domid, self._was_paused)
        failure = EngineError(f"{self._peer.name} could not start the domain")
        raise self._peer.explain(f"the migration failed, {self._where()}", failure)

    def _leave(self) -> None:
        try:
            self._source.destroy_domain(self._domid)
        except DomainNotFound:
            pass  # somebody else did it
        except XlError as error:
            raise Interrupted(
                f"domain {self._name!r} runs at {self._peer.name}; what is left of it at {self._source.address}"
                f" could not be removed: {error.message}",
                f"when that host answers again: xlpy destroy {self._name}",
                detail=error.detail,
            ) from error

    # -- when it fails

    def _given_up(self, error: BaseException) -> XlError:
        """The target will never start it: see to it that it goes on here, and say why."""
        self._peer.hang_up()
        self._take_back()
        if isinstance(error, KeyboardInterrupt):
            return Aborted(f"the migration was given up; {self._where()}", exit_status=130)
        known = error if isinstance(error, XlError) else ConnectError(f"{self._peer.name} has gone: {error}")
        kind = ConnectError if isinstance(known, (Interrupted, ProtocolError)) else type(known)
        known = kind(known.message, known.hint, detail=known.detail)
        return self._peer.explain(f"the migration failed, {self._where()}", known)

    def _take_back(self) -> None:
        """Wait for the end of the transfer, which is broken; xlpyd takes back what a lost client has left."""
        call = self._call
        if call is None:
            return
        poller = select.poll()
        try:
            poller.register(call, select.POLLIN)
            while not call.over and poller.poll(_ABORT_TIMEOUT_MS):
                call.advance()
            if call.over and call.failure is None:
                self._source.resume_saved(self._domid, self._was_paused)
                return
            if call.over:
                return
        except (ConnectError, Interrupted, ValueError):
            pass
        self._source.close()
        try:  # nobody was told to start it, even if it counts as released
            self._source.settle_transfer(self._transfer_id, "absent")
        except XlError:
            pass  # it goes on already, or does when its xlpyd is back

    def _where(self) -> str:
        return f"the domain {'is still paused' if self._was_paused else 'runs on'} at {self._source.address}"

    def _unsettled(self, error: BaseException) -> Interrupted:
        self._peer.hang_up()
        peer = Peer(name=self._peer.name)
        return Interrupted(
            f"the migration of {self._name!r} was cut off when {self._peer.name} had been told to start it: it stands"
            f" still at {self._source.address} until somebody has looked whether it runs there",
            peer.by_hand(self._name),
            detail=str(error) or None,
        )
