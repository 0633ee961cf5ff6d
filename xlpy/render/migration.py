"""Migrations: what a look before one has found, and those that are not over."""

from __future__ import annotations

from xlpy.render.kind import Column, Kind, plain_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.model.migration import Finding, Transfer

    FindingRow = tuple[str, Finding]


def finding_kind() -> Kind:
    """Rows are (host, Finding)."""
    return Kind(
        "finding",
        (
            Column("host", "Host", lambda row: row[0]),
            Column("severity", "Severity", lambda row: row[1].severity, style=_severity_style),
            Column("code", "Code", lambda row: row[1].code),
            Column("text", "Finding", lambda row: row[1].text),
            Column("hint", "What to do", lambda row: row[1].hint),
        ),
        plain_table(None, _finding_line),
    )


def _finding_line(row: FindingRow) -> str:
    host, finding = row
    hint = f" ({finding.hint})" if finding.hint else ""
    return f"{host}: {finding.severity}: {finding.text}{hint}"


def _severity_style(row: FindingRow) -> str:
    return "red" if row[1].severity == "error" else "yellow"


def transfer_kind() -> Kind:
    """Rows are Transfer."""
    return Kind(
        "transfer",
        (
            Column("name", "Name", lambda row: row.name),
            Column("domid", "ID", lambda row: row.domid, right=True),
            Column("uuid", "UUID", lambda row: row.uuid, shown=False),
            Column("side", "This host is", lambda row: row.side),
            Column("state", "State", lambda row: row.state),
            Column("peer", "Other host", lambda row: row.peer.name),
            Column("led", "Client", lambda row: row.led, text=lambda row: "there" if row.led else "lost"),
            Column("transfer_id", "Transfer", lambda row: row.transfer_id, shown=False),
        ),
        plain_table(f"{'Name':<40} {'ID':>5} Side   State    Client Other host", _transfer_line),
    )


def _transfer_line(row: Transfer) -> str:
    client = "there" if row.led else "lost"
    return f"{row.name:<40} {row.domid:5d} {row.side:<6} {row.state:<8} {client:<6} {row.peer.name}"
