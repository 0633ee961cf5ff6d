"""Vcpus and where they may run: ``xl vcpu-list``."""

from __future__ import annotations

from xlpy.render.cpumap import format_cpumap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.model.domain import VcpuInfo

PLAIN_HEADER = (
    f"{'Name':<32} {'ID':>5} {'VCPU':>5} {'CPU':>5} {'State':>5} {'Time(s)':>9} Affinity (Hard / Soft)\n"
)


def plain_row(name: str | None, vcpu: VcpuInfo, cpu_count: int) -> str:
    """One line of ``xl vcpu-list`` on a host whose pcpus are numbered below ``cpu_count``."""
    return (
        f"{name or '(null)':<32} {vcpu.domid:5d} {vcpu.vcpuid:5d}{pcpu_text(vcpu):>5} {state_text(vcpu):>5} "
        f"{vcpu.vcpu_time_ns / 1e9:9.1f}  {format_cpumap(vcpu.hard_affinity, cpu_count)} / "
        f"{format_cpumap(vcpu.soft_affinity, cpu_count)}\n"
    )


def pcpu_text(vcpu: VcpuInfo) -> str:
    """The pcpu the vcpu is on; an offline one is nowhere."""
    return str(vcpu.cpu) if vcpu.online else "-"


def state_text(vcpu: VcpuInfo) -> str:
    """Running, blocked, offline (xl's ``p``) in three characters."""
    if not vcpu.online:
        return "--p"
    return f"{'r' if vcpu.running else '-'}{'b' if vcpu.blocked else '-'}-"
