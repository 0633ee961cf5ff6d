"""The host as ``xl info`` shows it: what libxl asks Xen for, read from the kernel."""

from __future__ import annotations

import os

from xlpy.engine.qemu.cpu_features import feature_words
from xlpy.engine.qemu.procfs import host_cpus, host_memory_kib, meminfo_kib, parse_cpu_list
from xlpy.model.host import Cpupool, CpuTopology, HostInfo, NumaNode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CPUS = "/sys/devices/system/cpu"
_NODES = "/sys/devices/system/node"
_HAP_FLAGS = {"ept", "npt"}
_HVM_FLAGS = {"vmx", "svm"}
ONLY_POOL = "Pool-0"
SCHEDULER = "credit2"  # whose weights and caps control groups have


def host_info(promised_kib: int = 0, **accelerator: Any) -> HostInfo:
    """Facts of the machine.

    ``promised_kib`` is memory that domains have not touched yet: it isn't free. ``accelerator`` takes the fields of
    HostInfo that say how guests run: accelerator, accelerator_note, program_version.
    """
    system = os.uname()
    topology = cpu_topology()
    cpuinfo = _first_cpu()
    flags = _flags(cpuinfo)
    total_kib, available_kib = host_memory_kib()
    cores = {(cpu.socket, cpu.core) for cpu in topology}
    sockets = {cpu.socket for cpu in topology}
    return HostInfo(
        engine="qemu",
        host=system.nodename,
        release=system.release,
        version=system.version,
        machine=system.machine,
        arch=system.machine,
        nr_cpus=len(topology),
        max_cpu_id=max(parse_cpu_list(_text(f"{_CPUS}/possible"))),
        nr_nodes=len({cpu.node for cpu in topology}),
        cores_per_socket=max(1, len(cores) // max(1, len(sockets))),
        threads_per_core=max(1, len(topology) // max(1, len(cores))),
        cpu_khz=_cpu_khz(cpuinfo),
        hw_caps=feature_words(flags) if system.machine in ("x86_64", "i686") else "",
        virt_caps=_virt_caps(flags, accelerator.get("accelerator")),
        total_memory_kib=total_kib,
        free_memory_kib=max(0, available_kib - promised_kib),
        scheduler=SCHEDULER,
        pagesize_bytes=os.sysconf("SC_PAGESIZE"),
        **accelerator,
    )


def cpu_topology() -> tuple[CpuTopology, ...]:
    """Core, socket and node of every pcpu that is online."""
    nodes = {cpu: node for node in _node_numbers() for cpu in _node_cpus(node)}
    return tuple(
        CpuTopology(
            cpu=cpu,
            core=_number(f"{_CPUS}/cpu{cpu}/topology/core_id"),
            socket=_number(f"{_CPUS}/cpu{cpu}/topology/physical_package_id"),
            node=nodes.get(cpu, 0),
        )
        for cpu in host_cpus()
    )


def numa_info() -> tuple[NumaNode, ...]:
    """Memory and distances of every NUMA node; a kernel without NUMA has one that is all of the host."""
    numbers = _node_numbers()
    if not numbers:
        total_kib, available_kib = host_memory_kib()
        return (NumaNode(node=0, size_kib=total_kib, free_kib=available_kib, distances=(10,)),)
    return tuple(_numa_node(number) for number in numbers)


def _numa_node(number: int) -> NumaNode:
    sizes = meminfo_kib(f"{_NODES}/node{number}/meminfo")
    distances = _text(f"{_NODES}/node{number}/distance").split()
    return NumaNode(
        node=number,
        size_kib=sizes["MemTotal"],
        free_kib=sizes["MemFree"],
        distances=tuple(int(distance) for distance in distances),
    )


def list_cpupools(domain_count: int) -> tuple[Cpupool, ...]:
    """The one pool there is: all pcpus."""
    pool = Cpupool(poolid=0, name=ONLY_POOL, scheduler=SCHEDULER, domain_count=domain_count, cpus=host_cpus())
    return (pool,)


def _virt_caps(flags: frozenset[str], accelerator: str | None) -> str:
    """Kinds of guests that run here; hap only where the processor does the paging."""
    words = ["pv", "hvm"]
    if accelerator == "kvm" and flags & _HVM_FLAGS and flags & _HAP_FLAGS:
        words.append("hap")
    return " ".join(words)


def cpu_flags() -> frozenset[str]:
    """The processor's features, by Linux's names."""
    return _flags(_first_cpu())


def _flags(cpuinfo: dict[str, str]) -> frozenset[str]:
    return frozenset(cpuinfo.get("flags", cpuinfo.get("Features", "")).split())


def _first_cpu() -> dict[str, str]:
    """The first processor's paragraph of /proc/cpuinfo."""
    fields = {}
    for line in _text("/proc/cpuinfo").partition("\n\n")[0].splitlines():
        name, _, value = line.partition(":")
        fields[name.strip()] = value.strip()
    return fields


def _cpu_khz(cpuinfo: dict[str, str]) -> int:
    base = _number(f"{_CPUS}/cpu0/cpufreq/base_frequency")
    return base or round(float(cpuinfo.get("cpu MHz", "0")) * 1000)


def _node_numbers() -> tuple[int, ...]:
    return parse_cpu_list(_text(f"{_NODES}/online"))


def _node_cpus(node: int) -> tuple[int, ...]:
    return parse_cpu_list(_text(f"{_NODES}/node{node}/cpulist"))


def _number(path: str) -> int:
    """A number that the kernel may leave out or not know (then it says -1)."""
    text = _text(path).strip()
    return max(0, int(text)) if text else 0


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
