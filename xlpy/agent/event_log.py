"""The record of what was asked of this host and what happened on it, bounded."""

from __future__ import annotations

import logging
import time

from xlpy.agent.watch import Watches
from xlpy.errors import XlError
from xlpy.model.event import EventRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.agent.store import Store

log = logging.getLogger("xlpyd")

EVENTS_KEPT = 100_000
_TRIM_EVERY = 1000
_LONGEST_ANSWER = 10_000


class EventLog(Watches):
    """Events in the store; ``who`` of what xlpyd does by itself is ``xlpyd``. It wakes those who watch at every event."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._added = 0

    def add(
        self,
        what: str,
        domid: int | None = None,
        name: str | None = None,
        who: str = "xlpyd",
        result: str = "ok",
        detail: str | None = None,
    ) -> None:
        """Write one down; one that can't be written goes to the log and disturbs nobody."""
        try:
            texts = (
                None if text is None else text.encode("utf-8", "backslashreplace").decode()
                for text in (name, detail)
            )
            name, detail = texts
            self._store.execute(
                "INSERT INTO events (time_s, who, what, domid, name, result, detail) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (time.time(), who, what, domid, name, result, detail),
            )
            if self._added % _TRIM_EVERY == 0:
                self._store.execute(
                    "DELETE FROM events WHERE id <= (SELECT MAX(id) FROM events) - ?", (EVENTS_KEPT,)
                )
            self._added += 1
        except XlError as error:
            log.warning("event %r of domain %s was not written: %s", what, domid, error)
        if who == "xlpyd":
            log.info("%s: domain %s %r: %s %s", what, domid, name, result, detail or "")
        self.wake()

    def list(self, after_id: int, limit: int) -> tuple[EventRecord, ...]:
        """Events after this one, oldest first; with ``after_id`` 0 the newest ``limit`` of them."""
        limit = max(0, min(limit, _LONGEST_ANSWER))
        columns = "id, time_s, who, what, domid, name, result, detail"
        if after_id:
            rows = self._store.execute(
                f"SELECT {columns} FROM events WHERE id > ? ORDER BY id LIMIT ?", (after_id, limit)
            )
        else:
            rows = self._store.execute(f"SELECT {columns} FROM events ORDER BY id DESC LIMIT ?", (limit,))
            rows.reverse()
        return tuple(
            EventRecord(
                id=row[0],
                time_s=row[1],
                who=row[2],
                what=row[3],
                domid=row[4],
                name=row[5],
                result=row[6],
                detail=row[7],
            )
            for row in rows
        )
