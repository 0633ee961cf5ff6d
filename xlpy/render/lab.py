"""The hosts of the lab: ``xlpy lab status``."""

from __future__ import annotations

from xlpy.render.kind import Column, Kind, plain_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class _Record(Protocol):
        xen: str
        ssh_port: int
        address: str
        memory_mib: int
        cpus: int
        accelerator: str

    class _Host(Protocol):
        name: str
        pid: int | None
        is_settled: bool
        record: _Record


def lab_host_kind() -> Kind:
    """Rows are hosts of the lab."""
    return Kind(
        "lab-host",
        (
            Column("name", "Name", lambda row: row.name),
            Column("xen", "Xen", lambda row: row.record.xen),
            Column("state", "State", _state, style=_style),
            Column("ssh_port", "SSH port", lambda row: row.record.ssh_port, right=True),
            Column("link_address", "Link", lambda row: row.record.address),
            Column("memory_mib", "Memory", lambda row: row.record.memory_mib, right=True),
            Column("cpus", "CPUs", lambda row: row.record.cpus, right=True),
            Column("accelerator", "Accelerator", lambda row: row.record.accelerator),
            Column("pid", "PID", lambda row: row.pid, right=True, shown=False),
        ),
        plain_table(None, _plain),
    )


def _state(row: _Host) -> str:
    if row.pid is None:
        return "down"
    return "running" if row.is_settled else "starting"


def _style(row: _Host) -> str | None:
    return "red" if row.pid is None else None


def _plain(row: _Host) -> str:
    return (
        f"{row.name} {_state(row)} Xen {row.record.xen} port {row.record.ssh_port} link {row.record.address}"
    )
