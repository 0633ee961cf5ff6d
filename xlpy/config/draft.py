"""A DomainConfig in the making: what the functions that read settings work on."""

from __future__ import annotations

from xlpy.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from xlpy.config.settings import Settings
    from xlpy.config.xlconf import XlConf
    from xlpy.model.domain import DomainType
    from xlpy.model.host import CpuTopology, HostInfo

_BITS_PER_BYTE = 8


class HostFacts(Record):
    """What of the host a config's meaning depends on: ``cpus=`` and ``vnuma=`` do."""

    nr_cpus: int
    max_cpu_id: int
    nr_nodes: int = 1
    node_of_cpu: tuple[int, ...] = ()  # by pcpu; empty for node 0 throughout

    @classmethod
    def of(cls, host: HostInfo, topology: tuple[CpuTopology, ...] = ()) -> HostFacts:
        """From what an engine says about its host."""
        nodes = {entry.cpu: entry.node for entry in topology}
        return cls(
            nr_cpus=host.nr_cpus,
            max_cpu_id=host.max_cpu_id,
            nr_nodes=host.nr_nodes,
            node_of_cpu=tuple([nodes.get(cpu, 0) for cpu in range(host.max_cpu_id + 1)]) if nodes else (),
        )

    @property
    def cpu_bits(self) -> int:
        """Length of a CPU bitmap: libxl rounds it up to whole bytes, and ``all`` sets every bit."""
        return -(-(self.max_cpu_id + 1) // _BITS_PER_BYTE) * _BITS_PER_BYTE

    def cpus_of_node(self, node: int) -> tuple[int, ...]:
        """The pcpus of a NUMA node; none for a node that isn't there (libxl_node_to_cpumap)."""
        nodes = self.node_of_cpu or (0,) * (self.max_cpu_id + 1)
        return tuple([cpu for cpu, where in enumerate(nodes) if where == node])


class Draft:
    """Fields collected by section, as ``keys.KEYS`` names them, and devices by their DomainConfig field."""

    def __init__(self, settings: Settings, host: Callable[[], HostFacts], conf: XlConf) -> None:
        self.settings = settings
        self.conf = conf
        self.domain_type: DomainType | None = None
        self.sections: dict[str, dict[str, Any]] = {
            name: {}
            for name in ("c", "b", "sched", "hvm", "pv", "pvh", "vnc", "sdl", "spice", "arm", "config")
        }
        self._host = host
        self._facts: HostFacts | None = None
        self._node_masks: tuple[int, ...] | None = None

    @property
    def host(self) -> HostFacts:
        """The host's facts; asked for when first needed."""
        if self._facts is None:
            self._facts = self._host()
        return self._facts

    @property
    def node_masks(self) -> tuple[int, ...]:
        """The pcpus of each NUMA node of the host as an integer with a bit for each."""
        if self._node_masks is None:
            host = self.host
            nodes = [host.cpus_of_node(node) for node in range(host.nr_nodes)]
            self._node_masks = tuple([sum([1 << cpu for cpu in node]) for node in nodes])
        return self._node_masks
