"""The record of what happened on a host: ``xlpy events``."""

from __future__ import annotations

import time

from xlpy.render.kind import Column, Kind, plain_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.model.event import EventRecord


def event_kind() -> Kind:
    """Rows are EventRecord."""
    return Kind(
        "event",
        (
            Column("id", "ID", lambda row: row.id, right=True),
            Column("time_s", "Time", lambda row: row.time_s, text=_short_time),
            Column("who", "Who", lambda row: row.who),
            Column("what", "What", lambda row: row.what),
            Column("domid", "Domain", lambda row: row.domid, right=True, shown=False),
            Column("name", "Name", lambda row: row.name, text=_domain),
            Column("result", "Result", lambda row: row.result, text=_result, style=_result_style),
            Column("detail", "Detail", lambda row: row.detail, shown=False),
        ),
        plain_table(None, _plain),
    )


def _plain(row: EventRecord) -> str:
    """One line of words: who did what to which domain, and how it ended."""
    domain = "-" if row.domid is None else f"{row.domid} ({row.name})" if row.name else str(row.domid)
    detail = f": {row.detail}" if row.detail else ""
    return f"{row.id} {_time(row)} {row.who} {row.what} {domain} {row.result}{detail}"


def _time(row: EventRecord) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(row.time_s))


def _short_time(row: EventRecord) -> str:
    return time.strftime("%b %d %H:%M:%S", time.localtime(row.time_s))


def _domain(row: EventRecord) -> str:
    """Its name, which says more, or its domid."""
    return row.name or ("-" if row.domid is None else str(row.domid))


def _result(row: EventRecord) -> str:
    return f"{row.result}: {row.detail}" if row.detail else row.result


def _result_style(row: EventRecord) -> str | None:
    return None if row.result == "ok" else "red"
