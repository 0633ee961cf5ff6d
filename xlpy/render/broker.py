"""The broker's connections: ``xlpy broker status``."""

from __future__ import annotations

import time

from xlpy.render.kind import Column, Kind, plain_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def line_kind() -> Kind:
    """Rows are LineStatus of ``transport.broker_message``, which this layer doesn't know by name."""
    return Kind(
        "broker-connection",
        (
            Column("host", "Host", lambda row: row.name),
            Column("address", "Address", lambda row: row.address),
            Column("state", "State", lambda row: row.state, style=_state_style),
            Column("since_s", "Since", lambda row: row.since_s, text=_time),
            Column("clients", "Clients", lambda row: row.clients, right=True),
            Column("sent_bytes", "Sent", lambda row: row.sent_bytes, right=True),
            Column("received_bytes", "Received", lambda row: row.received_bytes, right=True),
        ),
        plain_table(None, _plain),
    )


def _plain(row: Any) -> str:
    users = "1 client" if row.clients == 1 else f"{row.clients} clients"
    return (
        f"{row.name} {row.address} {row.state} {_time(row)}"
        f" {users} sent {row.sent_bytes} received {row.received_bytes}"
    )


def _time(row: Any) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(row.since_s))


def _state_style(row: Any) -> str | None:
    return "green" if row.state == "connected" else None
