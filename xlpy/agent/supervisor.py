"""Supervisor: the engine of this host, and beside it the record of what its domains are and shall be.

It chooses domids, keeps names and uuids unique, applies the rules for ended domains, and keeps everybody from touching a
domain whose state is on its way somewhere else. What needs none of that goes straight to the engine.
"""

from __future__ import annotations

import time
import uuid as uuid_module

from xlpy.agent.adoption import take_up
from xlpy.agent.boot_start import BootStart
from xlpy.agent.definitions import Definitions
from xlpy.agent.delegate import Delegate
from xlpy.agent.domain_record import DOING, DomainRecord, Phase
from xlpy.agent.ends import Ends
from xlpy.agent.event_log import EventLog
from xlpy.agent.handover import Handover
from xlpy.agent.lifecycle import Lifecycle, destroy_in_engine, with_identity
from xlpy.agent.meeting import clear_meetings
from xlpy.agent.operations import NEED_A_SETTLED_DOMAIN
from xlpy.agent.peer import ask_outcome
from xlpy.agent.preflight import incoming_findings, outgoing_findings
from xlpy.agent.store import Store
from xlpy.agent.strangers import heed_name
from xlpy.agent.stream import Stream
from xlpy.errors import ConfigError, DomainExists, DomainNotFound, InvalidState, XlError
from xlpy.model.definition import DefinedDomain, Definition, DefinitionVersion
from xlpy.model.domain import DomainEnd, DomainInfo, ShutdownReason
from xlpy.model.domain_config import DomainConfig
from xlpy.model.event import EventRecord
from xlpy.model.migration import Finding, SavedDomain, Transfer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from xlpy.agent.outgoing import Ask
    from xlpy.engine.base import Engine

DOM0_NAME = "Domain-0"


class Supervisor(Delegate):
    """All operations of a host, for all its clients. ``take_up`` comes first, ``close`` last; domains outlive both."""

    def __init__(
        self, engine: Engine, state_dir: str, ask: Ask = ask_outcome, run_dir: str | None = None
    ) -> None:
        super().__init__(engine)
        self.run_dir = run_dir or state_dir
        self.store = Store(f"{state_dir}/xlpyd.db", engine.taken_domids)
        self.instance = self.store.settled_fact("instance", str(uuid_module.uuid4()))
        self.events = EventLog(self.store)
        self.ends = Ends()
        self.definitions = Definitions(self.store)
        self.boot_start = BootStart(self.definitions, self.events, self._start_defined)
        self.lifecycle = Lifecycle(self.store, engine, self.events, f"{state_dir}/dump")
        self.handover = Handover(self.store, engine, self.events, self.look_again, ask)

    def take_up(self) -> None:
        """Start the engine, take up the domains that run, and finish or undo what a killed xlpyd left behind."""
        clear_meetings(self.run_dir)
        self.inner.start(self._ended)
        if take_up(self.store, self.inner, self.events, self.lifecycle, self.handover):
            self.boot_start.begin()

    def close(self) -> None:
        """Let go of everything; domains run on."""
        self.boot_start.stop()
        self.lifecycle.stop()
        self.handover.stop()
        self.inner.close()
        self.store.close()

    # -- which domains there are

    def list_domains(self) -> tuple[DomainInfo, ...]:
        return tuple(self._as_recorded(info) for info in self.inner.list_domains())

    def domain_info(self, domid: int) -> DomainInfo:
        return self._as_recorded(self.inner.domain_info(domid))

    def find_domain(self, reference: str) -> DomainInfo:
        if reference.isascii() and reference.isdigit():
            try:
                return self.domain_info(int(reference))
            except DomainNotFound:
                raise _unknown(reference) from None
        domains = self.list_domains()
        named = [info for info in domains if info.name == reference]
        for info in named or [info for info in domains if info.uuid == reference.lower()]:
            return info
        raise _unknown(reference, [info.name for info in domains if info.name])

    def domain_config(self, domid: int) -> DomainConfig:
        config = self.inner.domain_config(domid)
        record = self.store.by_domid(domid)
        if record is None or self.inner.shared:
            return config
        return with_identity(config, record.uuid, record.name, None)

    def list_events(self, after_id: int = 0, limit: int = 1000) -> tuple[EventRecord, ...]:
        return self.events.list(after_id, limit)

    # -- managed domains; clients define them through agent.session, which knows who they are

    def list_definitions(self) -> tuple[DefinedDomain, ...]:
        return self.definitions.all()

    def domain_definition(self, name: str, version: int | None = None) -> Definition:
        return self.definitions.get(name, version)

    def definition_versions(self, name: str) -> tuple[DefinitionVersion, ...]:
        return self.definitions.versions(name)

    def undefine_domain(self, name: str) -> None:
        self.definitions.undefine(name)

    def set_autostart(self, name: str, order: int | None, delay_s: float = 0.0) -> None:
        self.definitions.set_autostart(name, order, delay_s)

    def _start_defined(self, config: DomainConfig, config_text: str | None) -> int:
        return self.create_domain(config, config_text=config_text)

    # -- migrations

    def check_outgoing(self, domid: int, copy_disks: bool = False) -> tuple[Finding, ...]:
        return outgoing_findings(self.store, self.inner, domid, copy_disks)

    def check_incoming(self, saved: SavedDomain, copy_disks: bool = False) -> tuple[Finding, ...]:
        return incoming_findings(self.store, self.inner, saved, copy_disks)

    def copy_disk(self, domid: int, vdev: str, stream: int, bandwidth_bytes_per_s: int | None = None) -> None:
        with Stream(stream) as owned:
            self._settled(domid)
            self.inner.copy_disk(domid, vdev, owned.hand_over(), bandwidth_bytes_per_s)

    def serve_disk(self, domid: int, vdev: str, stream: int) -> None:
        with Stream(stream) as owned:
            record = self.store.by_domid(domid)
            if record is None or record.phase is not Phase.INCOMING:
                self.inner.domain_info(domid)
                raise InvalidState(f"domain {domid} is not being received")
            self.inner.serve_disk(domid, vdev, owned.hand_over())

    def list_transfers(self) -> tuple[Transfer, ...]:
        return self.handover.transfers()

    def release_saved(self, domid: int) -> None:
        self.handover.source.release(domid)

    def abort_transfer(self, domid: int) -> None:
        self.handover.source.abort(domid)

    def restored_outcome(self, transfer_id: str) -> str:
        return self.handover.target.outcome(transfer_id)

    def give_up_restored(self, transfer_id: str) -> str:
        return self.handover.target.give_up(transfer_id)

    def settle_transfer(self, transfer_id: str, outcome: str) -> None:
        self.handover.source.settle_as(transfer_id, outcome)

    # -- life

    def create_domain(
        self,
        config: DomainConfig,
        paused: bool = False,
        supervised: bool = True,
        config_text: str | None = None,
    ) -> int:
        name = config.c_info.name
        if not name:
            raise ConfigError("a domain needs a name", 'name = "..." in its configuration')
        if name == DOM0_NAME:
            raise DomainExists(f"{DOM0_NAME!r} is the host itself", "choose another name")
        uuid = (config.c_info.uuid or str(uuid_module.uuid4())).lower()
        record = self._reserve(
            DomainRecord(
                uuid=uuid,
                domid=0,
                name=name,
                phase=Phase.CREATING,
                config=with_identity(config, uuid, name, None),
                config_text=config_text,
                supervised=supervised,
                paused=paused,
                started_s=time.time(),
            ),
            config.c_info.domid,
        )
        try:
            told = with_identity(config, uuid, name, record.domid)
            self.inner.create_domain(told, paused, supervised, config_text)
        except BaseException:
            destroy_in_engine(self.inner, record)
            self.store.remove(uuid)
            raise
        self.ends.forget(record.domid)
        self.store.move(uuid, Phase.RUNNING)
        self.look_again(record.domid)
        return record.domid

    def _reserve(self, record: DomainRecord, domid: int | None) -> DomainRecord:
        try:
            return self.store.add(record, domid)
        except DomainExists:
            if not self.inner.shared:
                raise
        self.list_domains()  # somebody else may have renamed the one that is in the way
        return self.store.add(record, domid)

    def destroy_domain(self, domid: int) -> None:
        record = self.store.by_domid(domid)
        if domid == 0:
            raise InvalidState(f"{DOM0_NAME} is the host itself and cannot be destroyed")
        if record is None:
            self.inner.destroy_domain(domid)
            return
        if record.phase is Phase.INCOMING:
            self.handover.target.drop(record)
            return
        self.store.move(record.uuid, Phase.DESTROYING)
        destroy_in_engine(self.inner, record)
        self.store.remove(record.uuid)

    def rename_domain(self, domid: int, name: str) -> None:
        if not name:
            raise ConfigError("a domain needs a name")
        record = self._settled(domid)
        if domid == 0:
            raise InvalidState(f"{DOM0_NAME} cannot be renamed")
        if name == DOM0_NAME:
            raise DomainExists(f"{DOM0_NAME!r} is the host itself", "choose another name")
        if record is None:
            self.inner.rename_domain(domid, name)
            return
        self.store.change(record.uuid, name=name)
        try:
            self.inner.rename_domain(domid, name)
        except XlError:
            self.store.change(record.uuid, name=record.name)
            raise

    def update_config(self, domid: int, config: DomainConfig, config_text: str | None = None) -> None:
        record = self._settled(domid)
        if record is None:
            self.inner.update_config(domid, config, config_text)
            return
        self.store.change(
            record.uuid,
            config=with_identity(config, record.uuid, record.name, None),
            config_text=config_text,
            updated=True,
        )
        self.inner.forget_left_config(domid)

    def dump_core(self, domid: int, stream: int) -> None:
        with Stream(stream) as owned:
            self._settled(domid)
            self.inner.dump_core(domid, owned.hand_over())

    def open_console(
        self,
        domid: int,
        stream: int,
        kind: str | None = None,
        number: int = 0,
        history: bool = True,
        follow: bool = True,
        position: int | None = None,
    ) -> int:
        with Stream(stream) as owned:
            self.inner.domain_info(domid)
            return self.inner.open_console(domid, owned.hand_over(), kind, number, history, follow, position)

    def open_vnc(self, domid: int, stream: int) -> None:
        with Stream(stream) as owned:
            self.inner.domain_info(domid)
            self.inner.open_vnc(domid, owned.hand_over())

    # -- ends

    def look_again(self, domid: int) -> None:
        """Apply the rules to a domain that may have ended while something else was being done with it."""
        try:
            info = self.inner.domain_info(domid)
        except XlError:
            return
        if info.ended:
            self._ended(DomainEnd(domid=domid, reason=info.shutdown_reason or ShutdownReason.UNKNOWN))

    def _ended(self, end: DomainEnd) -> None:
        """From any thread of the engine."""
        record = self.store.by_domid(end.domid)
        if record is not None and record.phase is Phase.RUNNING:
            if end.destroyed:
                self.events.add("gone", end.domid, record.name, detail="its engine has lost it")
                self.store.remove(record.uuid)
            elif record.supervised:
                self.lifecycle.ended(record.uuid, end.reason)
            else:
                self.events.add("end", end.domid, record.name, detail=end.reason.value)
        elif record is None and self.inner.shared:  # a domain that others made
            self.events.add("gone" if end.destroyed else "end", end.domid, detail=end.reason.value)
        self.ends.note(end)

    # -- inside

    def _as_recorded(self, info: DomainInfo) -> DomainInfo:
        """The engine's view, under the name and uuid on record."""
        record = self.store.by_domid(info.domid)
        if record is None:
            return info
        if record.phase is not Phase.RUNNING:
            peer = record.receiver.name if record.receiver is not None else record.sender
            info = info.replace(activity=record.phase.value, peer=peer)
        if record.phase is Phase.INCOMING:
            return info
        if record.phase is Phase.DESTROYING:
            info = info.replace(dying=True)
        if self.inner.shared and record.phase is Phase.RUNNING:
            heed_name(self.store, record, info)
            return info
        if (info.name, info.uuid) != (record.name, record.uuid):
            info = info.replace(name=record.name, uuid=record.uuid)
        return info

    def _settled(self, domid: int) -> DomainRecord | None:
        """The record of a domain with which nothing is being done. Raises InvalidState, DomainNotFound."""
        record = self.store.by_domid(domid)
        if record is None:
            self.inner.domain_info(domid)
            return None
        if record.phase is not Phase.RUNNING:
            raise InvalidState(f"domain {record.name!r} {DOING[record.phase]}")
        return record


def _unknown(reference: str, names: Iterable[str] = ()) -> DomainNotFound:
    from difflib import get_close_matches

    near = get_close_matches(reference, names, n=1)
    hint = f"did you mean {near[0]}?" if near else None
    return DomainNotFound(f"{reference} is an invalid domain identifier", hint)


def _only_when_settled(operation: str) -> Callable[..., Any]:
    def method(self: Supervisor, domid: int, *args: Any, **kwargs: Any) -> Any:
        self._settled(domid)
        return getattr(self.inner, operation)(domid, *args, **kwargs)

    method.__name__ = operation
    return method


for _operation in NEED_A_SETTLED_DOMAIN:
    setattr(Supervisor, _operation, _only_when_settled(_operation))
