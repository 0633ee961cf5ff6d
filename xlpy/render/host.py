"""The machine: ``xl info`` line by line, with its NUMA tables."""

from __future__ import annotations

from xlpy.render.kind import Column, Kind, plain_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from xlpy.model.host import CpuTopology, HostInfo, NumaNode

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
_CLOSING_LINES: tuple[Line, ...] = (("xend_config_format", "4"),)


class Numa:
    """What ``xl info -n`` adds: where each pcpu is, and the nodes."""

    __slots__ = ("cpus", "nodes")

    def __init__(self, cpus: Sequence[CpuTopology], nodes: Sequence[NumaNode]) -> None:
        self.cpus = cpus
        self.nodes = nodes


def host_kind(numa: Numa | None = None) -> Kind:
    """Rows are HostInfo; of a host there is one."""
    columns = [
        Column("host", "host", lambda row: row.host),
        Column("release", "release", lambda row: row.release),
        Column("version", "version", lambda row: row.version),
        Column("machine", "machine", lambda row: row.machine),
        Column("engine", "engine", lambda row: row.engine),
        Column("program_version", "engine's version", lambda row: row.program_version),
        Column("accelerator", "accelerator", lambda row: row.accelerator, style=_accelerator_style),
        Column("accelerator_note", "", lambda row: row.accelerator_note),
        Column("nr_cpus", "pcpus", lambda row: row.nr_cpus),
        Column("max_cpu_id", "highest pcpu", lambda row: row.max_cpu_id),
        Column("nr_nodes", "nodes", lambda row: row.nr_nodes),
        Column("cores_per_socket", "cores per socket", lambda row: row.cores_per_socket),
        Column("threads_per_core", "threads per core", lambda row: row.threads_per_core),
        Column("cpu_khz", "cpu MHz", lambda row: row.cpu_khz, text=_mhz),
        Column("hw_caps", "hw_caps", lambda row: row.hw_caps),
        Column(
            "virt_caps", "virt_caps", lambda row: row.virt_caps.split(), text=lambda row: row.virt_caps or "-"
        ),
        _memory("total_memory_kib", "memory"),
        _memory("free_memory_kib", "free memory"),
        _memory("sharing_freed_memory_kib", "freed by sharing", shown=False),
        _memory("sharing_used_memory_kib", "used by sharing", shown=False),
        _memory("outstanding_claims_kib", "claimed memory", shown=False),
        Column("free_cpus", "free pcpus", lambda row: row.free_cpus),
        Column("scheduler", "scheduler", lambda row: row.scheduler),
        Column("pagesize_bytes", "page size", lambda row: row.pagesize_bytes),
        Column(
            "extra",
            "",
            lambda row: dict(row.extra),
            text=lambda row: "\n".join(map(": ".join, row.extra.items())),
        ),
    ]
    if numa is not None:
        columns += _numa_columns(numa)
    return Kind("host", columns, lambda rows, headers: _plain(rows, numa), vertical=True)


def matching_lines(host: HostInfo, prefix: str) -> list[Line]:
    """The lines that ``xl info FIELD`` shows the values of: any that begin with the field (maybe_printf)."""
    lines = (*_host_lines(host), *_engine_lines(host), *_CLOSING_LINES)
    texts = ((name, value, _plain_line(name, value)) for name, value in lines)
    return [(name, value) for name, value, text in texts if text.startswith(prefix) and text[24:25] == " "]


def field_kind(lines: Sequence[Line]) -> Kind:
    """The values of some lines alone; the row is a mapping of them."""

    def column(name: str) -> Column:
        return Column(name, name, lambda row: row[name])

    columns = [column(name) for name, _ in lines]
    return Kind(
        "host-field", columns, lambda rows, headers: [value for row in rows for value in row.values()]
    )


def message_kind() -> Kind:
    """Rows are lines of text: ``xl dmesg``."""
    return Kind("message", (Column("text", "Message", lambda row: row),), plain_table(None, lambda row: row))


def _plain(rows: Iterable[HostInfo], numa: Numa | None) -> Iterator[str]:
    for host in rows:
        yield from (_plain_line(*line) for line in _host_lines(host))
        if numa is not None:
            yield from _plain_topology(numa.cpus)
            yield from _plain_nodes(numa.nodes)
        yield from (_plain_line(*line) for line in (*_engine_lines(host), *_CLOSING_LINES))


def _host_lines(host: HostInfo) -> list[Line]:
    """output_nodeinfo and output_physinfo of xl_info.c; memory in MiB."""
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
        ("cpu_mhz", _mhz(host)),
        ("hw_caps", host.hw_caps),
        ("virt_caps", host.virt_caps),
        ("total_memory", str(host.total_memory_kib // 1024)),
        ("free_memory", str(host.free_memory_kib // 1024)),
        ("sharing_freed_memory", str(host.sharing_freed_memory_kib // 1024)),
        ("sharing_used_memory", str(host.sharing_used_memory_kib // 1024)),
        ("outstanding_claims", str(host.outstanding_claims_kib // 1024)),
        ("free_cpus", str(host.free_cpus)),
    ]


def _engine_lines(host: HostInfo) -> list[Line]:
    """What xl says of the hypervisor; another engine's own facts follow."""
    known = {"xen_scheduler": host.scheduler, "xen_pagesize": str(host.pagesize_bytes), **host.extra}
    lines = [(name, known[name]) for name in _ENGINE_LINES if name in known]
    if host.engine != "libxl":
        own = (
            ("engine", host.engine),
            ("program_version", host.program_version),
            ("accelerator", host.accelerator),
            ("accelerator_note", host.accelerator_note),
        )
        lines += [(name, value) for name, value in own if value]
    lines += [(name, value) for name, value in host.extra.items() if name not in _ENGINE_LINES]
    return lines


def _plain_line(name: str, value: str) -> str:
    if name == "virt_caps" and not value:  # xl writes a blank ahead of each word, so none without words
        return f"{name:<23}:"
    return f"{name:<23}: {value}"


def _plain_topology(cpus: Iterable[CpuTopology]) -> Iterator[str]:
    """output_topologyinfo. Engines know nothing of devices' nodes yet, which xl has a line for."""
    yield "cpu_topology           :"
    yield "cpu:    core    socket     node"
    for cpu in cpus:
        yield f"{cpu.cpu:3d}:    {cpu.core:4d}     {cpu.socket:4d}     {cpu.node:4d}"
    yield "device topology        :"
    yield "device           node"
    yield "No device topology data available"


def _plain_nodes(nodes: Iterable[NumaNode]) -> Iterator[str]:
    """output_numainfo; memory in MiB."""
    yield "numa_info              :"
    yield "node:    memsize    memfree    distances"
    for node in nodes:
        yield (
            f"{node.node:4d}:    {node.size_kib // 1024:6d}     {node.free_kib // 1024:6d}      "
            f"{','.join(map(str, node.distances))}"
        )


def _numa_columns(numa: Numa) -> list[Column]:
    cpus = [{"cpu": cpu.cpu, "core": cpu.core, "socket": cpu.socket, "node": cpu.node} for cpu in numa.cpus]
    nodes = [
        {
            "node": node.node,
            "size_kib": node.size_kib,
            "free_kib": node.free_kib,
            "distances": list(node.distances),
        }
        for node in numa.nodes
    ]
    cpu_text = "\n".join(
        f"{cpu.cpu}: core {cpu.core}, socket {cpu.socket}, node {cpu.node}" for cpu in numa.cpus
    )
    node_text = "\n".join(
        f"{node.node}: {node.size_kib // 1024} MiB, {node.free_kib // 1024} MiB free, "
        f"distances {','.join(map(str, node.distances))}"
        for node in numa.nodes
    )
    return [
        Column("cpu_topology", "pcpu", lambda row: cpus, text=lambda row: cpu_text),
        Column("numa_info", "node", lambda row: nodes, text=lambda row: node_text),
    ]


def _memory(key: str, title: str, shown: bool = True) -> Column:
    return Column(
        key,
        title,
        lambda row: getattr(row, key),
        text=lambda row: f"{getattr(row, key) // 1024} MiB",
        shown=shown,
    )


def _mhz(host: HostInfo) -> str:
    return f"{host.cpu_khz // 1000}.{host.cpu_khz % 1000:03d}"


def _accelerator_style(host: HostInfo) -> str | None:
    return "yellow" if host.accelerator == "tcg" else None
