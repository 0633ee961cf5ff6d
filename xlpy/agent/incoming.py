"""The target's half of a handover (``agent.handover`` tells the whole): a domain's state comes in."""

from __future__ import annotations

import threading
import time
import uuid as uuid_module

from xlpy.agent.domain_record import DomainRecord, Phase
from xlpy.agent.going_on import GoingOn
from xlpy.agent.lifecycle import destroy_in_engine, with_identity
from xlpy.errors import Aborted, ConfigError, InvalidState, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xlpy.agent.store import Store
    from xlpy.agent.stream import Stream
    from xlpy.engine.base import Engine
    from xlpy.model.console_history import ConsoleHistory
    from xlpy.model.migration import Report, SavedDomain


class Incoming:
    """Restore, accept, give up."""

    def __init__(self, store: Store, engine: Engine, look_again: Callable[[int], None]) -> None:
        self._store = store
        self._engine = engine
        self._going_on = GoingOn(store, engine, look_again)
        self._arriving: dict[str, Callable[[], None]] = {}  # by uuid: how to break off the stream under way
        self._prepared: dict[
            str, DomainRecord
        ] = {}  # by transfer id: they have disks, and wait for their state
        self._changing = threading.Lock()

    def prepare(self, saved: SavedDomain, supervised: bool) -> DomainRecord:
        """Have a domain ready for its disks and its state; see ``Engine.prepare_incoming``."""
        record = self._add(saved, supervised)
        try:
            self._engine.prepare_incoming(_identified(saved, record), supervised)
        except BaseException:
            self.drop(record)
            raise
        if record.transfer_id is not None:
            self._prepared[record.transfer_id] = record
        return record

    def restore(
        self,
        saved: SavedDomain,
        stream: Stream,
        break_off: Callable[[], None],
        supervised: bool,
        progress: Report | None,
    ) -> DomainRecord:
        """Receive a domain; it stands still under the name ``NAME--incoming`` until it is accepted or given up."""
        record = self._prepared.pop(saved.transfer_id or "", None) or self._add(saved, supervised)
        with self._changing:
            self._arriving[record.uuid] = break_off
        arrived = False
        try:
            self._engine.restore_domain(_identified(saved, record), stream.hand_over(), supervised, progress)
            arrived = True
        except XlError as error:
            if self._waits(record):
                raise
            raise _called_off(record) from error
        finally:
            with self._changing:
                del self._arriving[record.uuid]
            if not arrived:
                self._give_up(record)
                self._clear_away(record)
        if not self._waits(record):
            self._clear_away(record)
            raise _called_off(record)
        return record

    def accept(self, domid: int, paused: bool, consoles: tuple[ConsoleHistory, ...] = ()) -> None:
        """From here on the domain is this host's. Raises InvalidState when it died before.

        For ``consoles`` see ``Engine.accept_restored``.
        """
        record = self._going_on.record(domid)
        try:
            self._engine.require_restored(domid)
        except InvalidState as error:
            self.drop(record)
            raise InvalidState(
                f"domain {record.name!r} died before it could be accepted", detail=error.detail
            ) from error
        self.finish_acceptance(self._store.accept(record.uuid, paused), consoles)

    def finish_acceptance(self, record: DomainRecord, consoles: tuple[ConsoleHistory, ...] = ()) -> None:
        """Let an accepted domain have its name and run. Raises InvalidState when it died; then it is this host's crash."""

        def go_on() -> None:
            self._engine.accept_restored(record.domid, record.paused, consoles)

        self._going_on.let(record, go_on)

    def drop(self, record: DomainRecord) -> None:
        """Give an incoming domain up for good; one that was accepted meanwhile stays.

        While its state is arriving, whoever takes that in clears away what there is.
        """
        if not self._give_up(record):
            return
        with self._changing:
            break_off = self._arriving.get(record.uuid)
            if break_off is not None:
                break_off()
                return
        self._prepared.pop(record.transfer_id or "", None)
        self._clear_away(record)

    def outcome(self, transfer_id: str) -> str:
        """``accepted``, ``pending`` or ``absent``; ``absent`` is a promise."""
        return self._store.outcome(transfer_id)

    def give_up(self, transfer_id: str) -> str:
        """``accepted``, or ``absent`` from now on."""
        if self._store.outcome(transfer_id) == "pending":
            for record in self._store.records():
                if record.transfer_id == transfer_id and record.phase is Phase.INCOMING:
                    self.drop(record)
        return self._store.outcome(transfer_id)

    # -- inside

    def _add(self, saved: SavedDomain, supervised: bool) -> DomainRecord:
        name = saved.config.c_info.name
        if not name:
            raise ConfigError("the saved domain has no name")
        uuid = saved.config.c_info.uuid or str(uuid_module.uuid4())
        return self._store.add_incoming(
            DomainRecord(
                uuid=uuid,
                domid=0,
                name=name,
                phase=Phase.INCOMING,
                config=with_identity(saved.config, uuid, name, None),
                config_text=saved.config_text,
                supervised=supervised,
                transfer_id=saved.transfer_id,
                sender=saved.sender,
                started_s=time.time(),
            ),
            saved.config.c_info.domid,  # unset, unless the domid shall be kept
        )

    def _waits(self, record: DomainRecord) -> bool:
        """Whether nobody has given it up meanwhile."""
        now = self._store.by_uuid(record.uuid)
        return now is not None and now.phase is Phase.INCOMING

    def _give_up(self, record: DomainRecord) -> bool:
        """Promise that it will never be accepted; False if it was given up or accepted already."""
        try:
            self._store.give_up_incoming(record.uuid)
        except InvalidState:
            return False
        return True

    def _clear_away(self, record: DomainRecord) -> None:
        destroy_in_engine(self._engine, record)
        self._store.remove(record.uuid)


def _called_off(record: DomainRecord) -> Aborted:
    return Aborted(f"the migration of {record.name!r} was called off by another client")


def _identified(saved: SavedDomain, record: DomainRecord) -> SavedDomain:
    return saved.replace(config=with_identity(saved.config, record.uuid, record.name, record.domid))
