"""The machine that domains run on (libxl_physinfo, libxl_version_info, libxl_cputopology, libxl_numainfo)."""

from __future__ import annotations

from xlpy.model.record import Record


class HostInfo(Record):
    """Everything ``xl info`` prints, in its units. Fields of Xen alone are None on other engines."""

    engine: str
    host: str
    release: str
    version: str
    machine: str
    nr_cpus: int
    max_cpu_id: int
    nr_nodes: int
    cores_per_socket: int
    threads_per_core: int
    cpu_khz: int
    hw_caps: str
    virt_caps: str
    total_memory_kib: int
    free_memory_kib: int
    sharing_freed_memory_kib: int = 0
    sharing_used_memory_kib: int = 0
    outstanding_claims_kib: int = 0
    free_cpus: int = 0
    scheduler: str = "credit2"
    pagesize_bytes: int = 4096
    accelerator: str | None = None
    accelerator_note: str | None = None
    program_version: str | None = None
    extra: dict[str, str] = {}  # noqa: RUF012 -- further lines of the engine, in order
    arch: str = "x86_64"


class CpuTopology(Record):
    cpu: int
    core: int
    socket: int
    node: int


class NumaNode(Record):
    node: int
    size_kib: int
    free_kib: int
    distances: tuple[int, ...] = ()


class Cpupool(Record):
    poolid: int
    name: str
    scheduler: str
    domain_count: int
    cpus: tuple[int, ...]
