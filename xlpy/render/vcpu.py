"""Vcpus and where they may run: ``xl vcpu-list``."""

from __future__ import annotations

from xlpy.render.cpumap import format_cpumap
from xlpy.render.kind import Column, Kind, plain_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.model.domain import VcpuInfo

    Row = tuple[str | None, VcpuInfo]

_HEADER = f"{'Name':<32} {'ID':>5} {'VCPU':>5} {'CPU':>5} {'State':>5} {'Time(s)':>9} Affinity (Hard / Soft)"


def vcpu_kind(cpu_count: int) -> Kind:
    """Rows are (name of the domain, VcpuInfo), on a host whose pcpus are numbered below ``cpu_count``."""

    def cpus(numbers: tuple[int, ...] | None) -> list[int]:
        return [cpu for cpu in range(cpu_count) if numbers is None or cpu in numbers]

    def plain(row: Row) -> str:
        name, vcpu = row
        return (
            f"{name or '(null)':<32} {vcpu.domid:5d} {vcpu.vcpuid:5d}{_pcpu(vcpu):>5} {_state(vcpu):>5} "
            f"{vcpu.vcpu_time_ns / 1e9:9.1f}  {format_cpumap(vcpu.hard_affinity, cpu_count)} / "
            f"{format_cpumap(vcpu.soft_affinity, cpu_count)}"
        )

    return Kind(
        "vcpu",
        (
            Column("name", "Name", lambda row: row[0], style=lambda row: "bold"),
            Column("domid", "ID", lambda row: row[1].domid, right=True),
            Column("vcpuid", "VCPU", lambda row: row[1].vcpuid, right=True),
            Column("cpu", "CPU", lambda row: row[1].cpu if row[1].online else None, right=True),
            Column("online", "Online", lambda row: row[1].online, shown=False),
            Column("running", "Running", lambda row: row[1].running, shown=False),
            Column("blocked", "Blocked", lambda row: row[1].blocked, shown=False),
            Column("state", "State", lambda row: _state_word(row[1]), style=_state_style),
            Column("vcpu_time_ns", "Time(s)", lambda row: row[1].vcpu_time_ns, text=_seconds, right=True),
            Column(
                "hard_affinity",
                "Hard affinity",
                lambda row: cpus(row[1].hard_affinity),
                text=lambda row: format_cpumap(row[1].hard_affinity, cpu_count),
            ),
            Column(
                "soft_affinity",
                "Soft affinity",
                lambda row: cpus(row[1].soft_affinity),
                text=lambda row: format_cpumap(row[1].soft_affinity, cpu_count),
            ),
        ),
        plain_table(_HEADER, plain),
    )


def _pcpu(vcpu: VcpuInfo) -> str:
    return str(vcpu.cpu) if vcpu.online else "-"


def _state(vcpu: VcpuInfo) -> str:
    """Running, blocked, offline in three characters; xl's letter for an offline vcpu is ``p``."""
    if not vcpu.online:
        return "--p"
    return f"{'r' if vcpu.running else '-'}{'b' if vcpu.blocked else '-'}-"


def _state_word(vcpu: VcpuInfo) -> str:
    if not vcpu.online:
        return "offline"
    return "running" if vcpu.running else "blocked" if vcpu.blocked else "runnable"


def _state_style(row: Row) -> str | None:
    return {"running": "green", "offline": "dim"}.get(_state_word(row[1]))


def _seconds(row: Row) -> str:
    return f"{row[1].vcpu_time_ns / 1e9:.1f}"
