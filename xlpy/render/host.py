"""The machine: ``xl info`` line by line, its NUMA tables, and the cpupools."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from xlpy.model.host import Cpupool, CpuTopology, HostInfo, NumaNode

Line = tuple[str, str]

# output_xeninfo of xl_info.c; an engine other than Xen gives the ones it can vouch for
_ENGINE_LINES = (
    "xen_major",
    "xen_minor",
    "xen_extra",
    "xen_version",
    "xen_caps",
    "xen_scheduler",
    "xen_pagesize",
    "platform_params",
    "xen_changeset",
    "xen_commandline",
    "cc_compiler",
    "cc_compile_by",
    "cc_compile_domain",
    "cc_compile_date",
    "build_id",
)


def host_lines(host: HostInfo) -> list[Line]:
    """Name and value of everything ``xl info`` says of the machine itself, in its order."""
    return [
        ("host", host.host),
        ("release", host.release),
        ("version", host.version),
        ("machine", host.machine),
        ("nr_cpus", str(host.nr_cpus)),
        ("max_cpu_id", str(host.max_cpu_id)),
        ("nr_nodes", str(host.nr_nodes)),
        ("cores_per_socket", str(host.cores_per_socket)),
        ("threads_per_core", str(host.threads_per_core)),
        ("cpu_mhz", f"{host.cpu_khz // 1000}.{host.cpu_khz % 1000:03d}"),
        ("hw_caps", host.hw_caps),
        ("virt_caps", host.virt_caps),
        ("total_memory", str(host.total_memory_kib // 1024)),
        ("free_memory", str(host.free_memory_kib // 1024)),
        ("sharing_freed_memory", str(host.sharing_freed_memory_kib // 1024)),
        ("sharing_used_memory", str(host.sharing_used_memory_kib // 1024)),
        ("outstanding_claims", str(host.outstanding_claims_kib // 1024)),
        ("free_cpus", str(host.free_cpus)),
    ]


def engine_lines(host: HostInfo) -> list[Line]:
    """What ``xl info`` says of the hypervisor; on another engine than Xen its own facts follow."""
    known = {"xen_scheduler": host.scheduler, "xen_pagesize": str(host.pagesize_bytes), **host.extra}
    lines = [(name, known[name]) for name in _ENGINE_LINES if name in known]
    if host.engine != "libxl":
        lines.append(("engine", host.engine))
        own = (
            ("accelerator", host.accelerator),
            ("accelerator_note", host.accelerator_note),
            ("program_version", host.program_version),
        )
        lines += [(name, value) for name, value in own if value]
    lines += [(name, value) for name, value in host.extra.items() if name not in _ENGINE_LINES]
    return lines


CLOSING_LINES: tuple[Line, ...] = (("xend_config_format", "4"),)


def plain_lines(lines: Iterable[Line]) -> str:
    """``name   : value`` lines."""
    return "".join(f"{_plain_line(name, value)}\n" for name, value in lines)


def plain_values(lines: Iterable[Line], prefix: str) -> str:
    """Only the values of the lines that start with ``prefix``: ``xl info FIELD`` (maybe_printf of xl_info.c)."""
    found = [_plain_line(name, value) for name, value in lines]
    return "".join(f"{line[25:]}\n" for line in found if line.startswith(prefix) and line[24:25] == " ")


def _plain_line(name: str, value: str) -> str:
    if name == "virt_caps" and not value:  # xl writes a blank ahead of each word, so none without words
        return f"{name:<23}:"
    return f"{name:<23}: {value}"


def plain_topology(cpus: Iterable[CpuTopology]) -> str:
    """The cpu and device tables of ``xl info -n``. Engines tell nothing of devices' nodes yet."""
    rows = "".join(f"{cpu.cpu:3d}:    {cpu.core:4d}     {cpu.socket:4d}     {cpu.node:4d}\n" for cpu in cpus)
    return (
        f"cpu_topology           :\ncpu:    core    socket     node\n{rows}"
        "device topology        :\ndevice           node\nNo device topology data available\n"
    )


def plain_nodes(nodes: Iterable[NumaNode]) -> str:
    """The table of nodes of ``xl info -n``; memory in MiB."""
    rows = "".join(
        f"{node.node:4d}:    {node.size_kib // 1024:6d}     {node.free_kib // 1024:6d}      "
        f"{','.join(map(str, node.distances))}\n"
        for node in nodes
    )
    return f"numa_info              :\nnode:    memsize    memfree    distances\n{rows}"


def plain_cpupools(pools: Iterable[Cpupool], cpus: bool = False) -> str:
    """``xl cpupool-list``; with ``cpus`` the pcpus of each pool one by one, never as ranges."""
    if cpus:
        rows = "".join(f"{pool.name:<19}{','.join(map(str, pool.cpus))}\n" for pool in pools)
        return f"{'Name':<19}CPU list\n{rows}"
    rows = "".join(
        f"{pool.name:<19}{len(pool.cpus):3d} {pool.scheduler:>9}       y       {pool.domain_count:4d}\n"
        for pool in pools
    )
    return f"{'Name':<19}CPUs   Sched     Active   Domain count\n{rows}"
