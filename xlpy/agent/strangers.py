"""Records of domains that none was kept of: ours whose records were lost, and others' that are to be moved."""

from __future__ import annotations

import time

from xlpy.agent.domain_record import DomainRecord, Phase

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
