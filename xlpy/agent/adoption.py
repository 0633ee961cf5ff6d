"""What a new xlpyd finds: it compares the records with what the engine has, and finishes or undoes what was under way.

This runs before the first client is served, but for what needs an answer from another host.
"""

from __future__ import annotations

import logging

from xlpy.agent.domain_record import DomainRecord, Phase
from xlpy.agent.lifecycle import destroy_in_engine
from xlpy.agent.strangers import keep_record
from xlpy.errors import XlError
from xlpy.model.domain import ShutdownReason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.agent.event_log import EventLog
    from xlpy.agent.handover import Handover
    from xlpy.agent.lifecycle import Lifecycle
    from xlpy.agent.store import Store
    from xlpy.engine.base import Engine
    from xlpy.model.domain import DomainInfo

log = logging.getLogger("xlpyd")

_BOOT_ID = "/proc/sys/kernel/random/boot_id"


def take_up(store: Store, engine: Engine, events: EventLog, lifecycle: Lifecycle, handover: Handover) -> bool:
    """Mend everything. What can't be mended is written into the record of events and left as it is.

    Returns whether the host was started anew since the last xlpyd.
    """
    present = {info.domid: info for info in engine.list_domains()}
    adoption = _Adoption(store, engine, events, lifecycle, handover, _without_others(present, store, engine))
    rebooted = _rebooted(store)
    for record in store.records():
        try:
            if rebooted and record.domid not in present:
                adoption.lost_with_the_host(record)
            else:
                adoption.mend(record)
        except XlError as error:
            events.add("adopt", record.domid, record.name, result=error.code, detail=str(error))
    for info in present.values():
        if info.domid != 0 and store.by_domid(info.domid) is None and engine.made_here(info.domid):
            adoption.record_stranger(info)
    return rebooted


def _without_others(present: dict[int, DomainInfo], store: Store, engine: Engine) -> dict[int, DomainInfo]:
    """Without the domains that others made: one of those may have the domid of one of ours that is gone."""
    if not engine.shared:
        return present
    uuids = {record.domid: record.uuid for record in store.records()}
    return {domid: info for domid, info in present.items() if uuids.get(domid) == info.uuid}


def _rebooted(store: Store) -> bool:
    """Whether the host was started anew since the last xlpyd: then no domain is left, and that was no crash of theirs."""
    try:
        with open(_BOOT_ID, encoding="ascii") as file:
            boot_id = file.read().strip()
    except OSError:
        return False
    return store.exchange_fact("boot id", boot_id) not in (None, boot_id)


class _Adoption:
    def __init__(
        self,
        store: Store,
        engine: Engine,
        events: EventLog,
        lifecycle: Lifecycle,
        handover: Handover,
        present: dict[int, DomainInfo],
    ) -> None:
        self._store = store
        self._engine = engine
        self._events = events
        self._lifecycle = lifecycle
        self._handover = handover
        self._present = present
        self._menders = {
            Phase.CREATING: self._destroy,
            Phase.RUNNING: self._look,
            Phase.DESTROYING: self._destroy,
            Phase.RESTARTING: self._lifecycle.finish_restart,
            Phase.RECREATING: self._finish_recreation,
            Phase.SAVING: self._settle,
            Phase.SAVED: self._settle,
            Phase.SENT: self._settle,
            Phase.INCOMING: self._drop,
            Phase.ACCEPTED: self._finish_acceptance,
        }

    def mend(self, record: DomainRecord) -> None:
        """Bring one domain to a phase in which nothing is being done with it."""
        if record.phase is not Phase.RUNNING:
            log.info("domain %d %r was left %s", record.domid, record.name, record.phase.value)
        self._menders[record.phase](record)

    def lost_with_the_host(self, record: DomainRecord) -> None:
        """It ended when the host did."""
        if record.phase is Phase.INCOMING:
            self._store.give_up_incoming(record.uuid)
        self._store.remove(record.uuid)
        self._events.add("lost with the host's restart", record.domid, record.name)

    def record_stranger(self, info: DomainInfo) -> None:
        """A whole domain that no record knows: one of ours whose records were lost. It is kept, under our rules."""
        try:
            keep_record(self._store, self._engine, info, supervised=True)
            self._events.add("adopt", info.domid, info.name, detail="there was no record of it")
        except XlError as error:
            self._events.add("adopt", info.domid, info.name, result=error.code, detail=str(error))

    # -- by phase

    def _look(self, record: DomainRecord) -> None:
        """It may have ended, been killed, or not yet been told its new name."""
        info = self._present.get(record.domid)
        if info is None:
            self._vanished(record)
        elif info.ended and record.supervised:
            self._lifecycle.ended(record.uuid, info.shutdown_reason or ShutdownReason.UNKNOWN)
        elif info.name != record.name and not self._engine.shared:
            self._engine.rename_domain(record.domid, record.name)

    def _vanished(self, record: DomainRecord) -> None:
        """Its engine has nothing left of it: that is a crash, unless nobody is to see to it."""
        self._events.add("gone", record.domid, record.name, detail="it ended while no xlpyd was there")
        if record.supervised:
            self._lifecycle.ended(record.uuid, ShutdownReason.CRASH)
        else:
            self._store.remove(record.uuid)

    def _destroy(self, record: DomainRecord) -> None:
        destroy_in_engine(self._engine, record)
        self._store.remove(record.uuid)
        what = "undo half a creation" if record.phase is Phase.CREATING else "finish destroying"
        self._events.add(what, record.domid, record.name)

    def _finish_recreation(self, record: DomainRecord) -> None:
        info = self._present.get(record.domid)
        if info is None:
            self._lifecycle.finish_restart(record)
            return
        self._look(self._store.move(record.uuid, Phase.RUNNING))

    def _settle(self, record: DomainRecord) -> None:
        if record.domid in self._present:
            self._handover.source.settle(record.uuid)
        else:
            self._store.remove(record.uuid)
            self._events.add(
                "gone", record.domid, record.name, detail="its own copy ended while it was saved"
            )

    def _drop(self, record: DomainRecord) -> None:
        self._handover.target.drop(record)
        self._events.add("give up half a restore", record.domid, record.name)

    def _finish_acceptance(self, record: DomainRecord) -> None:
        if record.domid not in self._present:
            self._look(self._store.move(record.uuid, Phase.RUNNING))
            return
        self._handover.target.finish_acceptance(record)
