"""Others on this host: domains that no record was kept of, and what they have done to those of ours."""

from __future__ import annotations

import time

from xlpy.agent.domain_record import DomainRecord, Phase
from xlpy.errors import DomainExists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.agent.store import Store
    from xlpy.engine.base import Engine
    from xlpy.model.domain import DomainInfo


def keep_record(store: Store, engine: Engine, info: DomainInfo, supervised: bool) -> DomainRecord:
    """Write down a whole domain as the engine has it, and return its record. Raises XlError."""
    record = DomainRecord(
        uuid=info.uuid,
        domid=info.domid,
        name=info.name or f"domain-{info.domid}",
        phase=Phase.RUNNING,
        config=engine.domain_config(info.domid),
        supervised=supervised,
        paused=info.paused,
        started_s=info.start_time_s or time.time(),
    )
    store.adopt(record)
    return record


def heed_name(store: Store, record: DomainRecord, info: DomainInfo) -> DomainRecord:
    """The record with the name that the domain has by now: ``xl rename`` tells nobody."""
    if info.name in (None, record.name) or info.uuid != record.uuid or record.phase is not Phase.RUNNING:
        return record
    try:
        return store.change(record.uuid, name=info.name)
    except DomainExists:  # the other one has another name by now too, and will be looked at
        return record
