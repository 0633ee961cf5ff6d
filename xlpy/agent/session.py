"""Session: the host as one client sees it, and what that client holds.

It knows who asks, writes down what was asked, and gives back what the client leaves behind when it is lost: a domain that
it was saving is taken back or settled with the peer, one that it was restoring is destroyed.
"""

from __future__ import annotations

import logging
import select
import uuid as uuid_module

from xlpy.agent.delegate import Delegate
from xlpy.agent.direct import DirectStream
from xlpy.agent.hangup import HangupWatch
from xlpy.agent.meeting import Meeting
from xlpy.agent.operations import CHANGING
from xlpy.agent.stream import Stream
from xlpy.errors import Aborted, DomainNotFound, InvalidState, XlError
from xlpy.model.definition import DefinedDomain
from xlpy.model.domain import DomainEnd
from xlpy.model.migration import DirectRoute, MigrationLimits, Peer, SavedDomain, TransferProgress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from xlpy.agent.supervisor import Supervisor
    from xlpy.model.console_history import ConsoleHistory
    from xlpy.model.domain_config import DomainConfig
    from xlpy.model.event import EventRecord
    from xlpy.model.migration import Report
    from xlpy.model.remus import RemusOptions

log = logging.getLogger("xlpyd")

_EVENTS_AT_ONCE = 1000


class Session(Delegate):
    """One client's Engine. ``connection_fd`` tells when it hangs up; then ``settle`` must be called."""

    def __init__(self, supervisor: Supervisor, uid: int, connection_fd: int) -> None:
        super().__init__(supervisor)
        self._supervisor = supervisor
        self._who = str(uid)
        self._connection_fd = connection_fd
        self._described: dict[int, SavedDomain] = {}  # what this client was told
        self._copying: set[int] = set()  # domids whose disks are being copied for this client
        self._meetings: dict[str, Meeting] = {}  # by transfer id
        self._held: dict[int, str] = {}  # domid to uuid of what waits for this client's decision

    def settle(self) -> None:
        """The client is gone: decide in its place."""
        for domid, uuid in self._held.items():
            try:
                record = self._supervisor.store.by_uuid(uuid)
                if record is not None and record.domid == domid:
                    self._supervisor.handover.client_lost(record)
            except XlError as error:
                self._supervisor.events.add(
                    "settle for a lost client", domid, result=error.code, detail=str(error)
                )
        self._held.clear()
        for domid in self._copying:
            try:
                self._supervisor.inner.give_up_copies(domid)
            except XlError as error:
                self._supervisor.events.add(
                    "give up copying disks", domid, result=error.code, detail=str(error)
                )
        self._copying.clear()
        for meeting in self._meetings.values():
            meeting.close()
        self._meetings.clear()

    # -- waiting

    def wait_domain_end(self, domids: tuple[int, ...], destroyed: bool = False) -> DomainEnd:
        with self._supervisor.ends.watch() as watch:
            poller = select.poll()
            poller.register(watch, select.POLLIN)
            poller.register(self._connection_fd, select.POLLIN | select.POLLRDHUP)
            while True:
                for domid in domids:
                    end = self._end_of(domid)
                    if end is not None and (end.destroyed or not destroyed):
                        return end
                if any(fd == self._connection_fd for fd, _ in poller.poll()):
                    raise Aborted("the client doesn't wait any longer")
                watch.clear()

    def wait_events(self, after_id: int) -> tuple[EventRecord, ...]:
        events = self._supervisor.events
        with events.watch() as watch:
            poller = select.poll()
            poller.register(watch, select.POLLIN)
            poller.register(self._connection_fd, select.POLLIN | select.POLLRDHUP)
            while True:
                found = events.list(after_id, _EVENTS_AT_ONCE)
                if found:
                    return found
                if any(fd == self._connection_fd for fd, _ in poller.poll()):
                    raise Aborted("the client doesn't wait any longer")
                watch.clear()

    def _end_of(self, domid: int) -> DomainEnd | None:
        """How this domain has ended, if it has."""
        try:
            info = self._supervisor.inner.domain_info(domid)
        except DomainNotFound:
            return DomainEnd(domid=domid, reason=self._supervisor.ends.reason(domid), destroyed=True)
        if not (info.ended or info.dying):
            return None
        reason = info.shutdown_reason or self._supervisor.ends.reason(domid)
        return DomainEnd(domid=domid, reason=reason, destroyed=info.dying)

    # -- state in motion

    def describe_domain(self, domid: int) -> SavedDomain:
        transfer_id = str(uuid_module.uuid4())
        saved = self._supervisor.handover.source.describe(domid, transfer_id)
        self._described[domid] = saved
        return saved

    def save_domain(
        self,
        domid: int,
        stream: int,
        limits: MigrationLimits | None = None,
        live: bool = False,
        peer: Peer | None = None,
        progress: Report | None = None,
    ) -> TransferProgress:
        return self._save(domid, stream, limits, live, peer, progress)

    def send_direct(
        self,
        domid: int,
        route: DirectRoute,
        limits: MigrationLimits | None = None,
        peer: Peer | None = None,
        progress: Report | None = None,
    ) -> TransferProgress:
        with DirectStream(route) as direct:
            return self._save(domid, direct.take(), limits, True, peer, progress)

    def _save(
        self,
        domid: int,
        stream: int,
        limits: MigrationLimits | None,
        live: bool,
        peer: Peer | None,
        progress: Report | None,
    ) -> TransferProgress:
        def call_off() -> None:
            self._supervisor.inner.break_off_save(domid)

        with Stream(stream) as owned, HangupWatch(self._connection_fd, stream, call_off) as watch:
            result = self._supervisor.handover.source.save(
                domid,
                owned,
                watch.break_off,
                self._described.pop(domid, None),
                limits=limits,
                live=live,
                peer=peer,
                progress=progress,
            )
        self._copying.discard(domid)
        self._hold(domid)
        return result

    def replicate_domain(
        self, domid: int, stream: int, options: RemusOptions, peer: Peer | None = None
    ) -> None:
        with Stream(stream) as owned, HangupWatch(self._connection_fd, stream):
            self._supervisor.handover.source.replicate(domid, owned, options, peer)

    def copy_disk(self, domid: int, vdev: str, stream: int, bandwidth_bytes_per_s: int | None = None) -> None:
        with Stream(stream) as owned:
            self._copying.add(domid)
            self._supervisor.copy_disk(domid, vdev, owned.hand_over(), bandwidth_bytes_per_s)

    def resume_saved(self, domid: int, paused: bool = False) -> None:
        self._supervisor.handover.source.resume(domid, paused, leads=domid in self._held)
        self._held.pop(domid, None)

    def prepare_incoming(self, saved: SavedDomain, supervised: bool = True) -> int:
        record = self._supervisor.handover.target.prepare(saved, supervised)
        self._held[record.domid] = record.uuid
        return record.domid

    def restore_domain(
        self,
        saved: SavedDomain,
        stream: int,
        supervised: bool = True,
        progress: Report | None = None,
    ) -> int:
        return self._restore(saved, stream, supervised, progress)

    def open_meeting(self, transfer_id: str) -> str:
        meeting = Meeting(self._supervisor.run_dir, transfer_id)
        self._meetings[transfer_id] = meeting
        return meeting.path

    def receive_direct(
        self, saved: SavedDomain, supervised: bool = True, progress: Report | None = None
    ) -> int:
        meeting = self._meetings.pop(saved.transfer_id or "", None)
        if meeting is None:
            raise InvalidState("a direct transfer has to begin with open_meeting on the same connection")
        with meeting:
            stream = meeting.wait(self._connection_fd)
        return self._restore(saved, stream, supervised, progress)

    def _restore(self, saved: SavedDomain, stream: int, supervised: bool, progress: Report | None) -> int:
        with Stream(stream) as owned, HangupWatch(self._connection_fd, stream) as watch:
            record = self._supervisor.handover.target.restore(
                saved, owned, watch.break_off, supervised, progress
            )
        self._held[record.domid] = record.uuid
        return record.domid

    def accept_restored(
        self, domid: int, paused: bool = False, consoles: tuple[ConsoleHistory, ...] = ()
    ) -> None:
        self._supervisor.handover.target.accept(domid, paused, consoles)
        self._held.pop(domid, None)

    # -- managed domains

    def define_domain(
        self,
        config: DomainConfig,
        config_text: str | None = None,
        directory: str | None = None,
        base_version: int | None = None,
    ) -> DefinedDomain:
        definitions = self._supervisor.definitions
        return definitions.define(config, config_text, directory, base_version, self._who)

    def _hold(self, domid: int) -> None:
        record = self._supervisor.store.by_domid(domid)
        if record is not None:
            self._held[domid] = record.uuid


# These return the domid of a new domain.
_MAKING = ("create_domain", "restore_domain", "prepare_incoming")


def _recorded(operation: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """The operation, written into the record of events with its result."""
    what = operation.replace("_", "-")

    def recorded(self: Session, *args: Any, **kwargs: Any) -> Any:
        bound = kwargs.get("domid", args[0] if args else None)
        domid = bound if isinstance(bound, int) else None
        record = None if domid is None else self._supervisor.store.by_domid(domid)
        name = kwargs.get("name") if record is None else record.name
        try:
            result = method(self, *args, **kwargs)
        except XlError as error:
            self._supervisor.events.add(what, domid, name, self._who, error.code, str(error))
            raise
        if isinstance(result, DefinedDomain):
            name = result.name
        elif operation in _MAKING:
            domid = result
            record = self._supervisor.store.by_domid(domid)
            name = None if record is None else record.name
        self._supervisor.events.add(what, domid, name, self._who)
        return result

    recorded.__name__ = operation
    recorded.__doc__ = method.__doc__
    return recorded


for _operation in CHANGING:
    setattr(Session, _operation, _recorded(_operation, getattr(Session, _operation)))
