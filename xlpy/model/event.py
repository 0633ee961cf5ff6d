"""What happened on a host: the record of requests and of the life of domains."""

from __future__ import annotations

from xlpy.model.record import Record


class EventRecord(Record):
    """One line of the record. ``time_s`` is seconds since the epoch; ``who`` is a uid or ``xlpyd``."""

    id: int
    time_s: float
    who: str
    what: str
    domid: int | None = None
    name: str | None = None
    result: str = "ok"
    detail: str | None = None
