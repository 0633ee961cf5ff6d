"""What the engine tells about the host and its domains: libxl's facts, and xenstore's where libxl has none."""

from __future__ import annotations

import ctypes
import os
import time

from xlpy.engine.base import Engine
from xlpy.engine.libxl.bitmaps import members, to_bitmap
from xlpy.engine.libxl.context import Context, Contexts
from xlpy.engine.libxl.library import Bitmap, Library, tested_versions
from xlpy.engine.libxl.prototypes import TESTED
from xlpy.engine.libxl.stats import domain_stats
from xlpy.engine.libxl.xenstore import Xenstore
from xlpy.errors import DomainNotFound
from xlpy.model.domain import DomainInfo, DomainStats, DomainType, ShutdownReason
from xlpy.model.domain_config import DomainConfig
from xlpy.model.host import Cpupool, CpuTopology, HostInfo, NumaNode
from xlpy.model.libxl_form import from_libxl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_INVALID = 0xFFFFFFFF
_PAGE_KIB = 4
_MOST_NODES = 64  # Xen's MAX_NUMNODES
SCHEDULERS = {4: "sedf", 5: "credit", 6: "credit2", 7: "arinc653", 8: "rtds", 9: "null"}
SCHEDULER_NUMBERS = {name: number for number, name in SCHEDULERS.items()}
_NO_UUID = "00000000-0000-0000-0000-000000000000"
# Words of xl's virt_caps, each with the facts that have to be there.
_VIRT_CAPS = (
    ("pv", ("cap_pv",)),
    ("hvm", ("cap_hvm",)),
    ("hvm_directio", ("cap_hvm", "cap_hvm_directio")),
    ("pv_directio", ("cap_pv", "cap_hvm_directio")),
    ("hap", ("cap_hap",)),
    ("shadow", ("cap_shadow",)),
    ("iommu_hap_pt_share", ("cap_iommu_hap_pt_share",)),
    ("vmtrace", ("cap_vmtrace",)),
    ("vpmu", ("cap_vpmu",)),
    ("gnttab-v1", ("cap_gnttab_v1",)),
    ("gnttab-v2", ("cap_gnttab_v2",)),
)


class LibxlReading(Engine):
    """The operations that change nothing. Raises NotSupported, MissingProgram or ConnectError where Xen isn't usable."""

    name = "libxl"

    def __init__(self) -> None:
        self.library = Library()
        self.contexts = Contexts(self.library)
        self.xenstore = Xenstore()
        # what never changes of a domain, by domid and uuid: its type and when it started
        self._lasting: dict[tuple[int, str], tuple[DomainType, float | None]] = {}
        self._nodes: int | None = None  # how many the host has, once somebody wanted to know

    # -- the host

    def host_info(self) -> HostInfo:
        """libxl_get_physinfo and libxl_get_version_info, as ``xl info`` puts them."""
        system = os.uname()
        with self.contexts.borrow() as context:
            with context.new("physinfo") as physinfo:
                context.do("the host's facts", "get_physinfo", physinfo.memory)
                facts = physinfo.json()
            version = context.json_at("version_info", context.call("get_version_info"))
            scheduler = SCHEDULERS.get(context.call("get_scheduler"), "unknown")
            free_cpus = len(_free_cpus(context))

        def kib(name: str) -> int:
            return int(facts.get(name, 0)) * _PAGE_KIB

        # JSON leaves out what is zero: each number has to be asked for with that in mind
        words = [word for word, needed in _VIRT_CAPS if all(facts.get(name) for name in needed)]
        capabilities = [*facts.get("hw_cap", ()), *[0] * 8][:8]
        return HostInfo(
            engine=self.name,
            host=system.nodename,
            release=system.release,
            version=system.version,
            machine=system.machine,
            nr_cpus=facts.get("nr_cpus", 0),
            max_cpu_id=facts.get("max_cpu_id", 0),
            nr_nodes=facts.get("nr_nodes", 0),
            cores_per_socket=facts.get("cores_per_socket", 0),
            threads_per_core=facts.get("threads_per_core", 0),
            cpu_khz=facts.get("cpu_khz", 0),
            hw_caps=":".join(f"{each:08x}" for each in capabilities),
            virt_caps=" ".join(words),
            total_memory_kib=kib("total_pages"),
            free_memory_kib=kib("free_pages"),
            sharing_freed_memory_kib=kib("sharing_freed_pages"),
            sharing_used_memory_kib=kib("sharing_used_frames"),
            outstanding_claims_kib=kib("outstanding_pages"),
            free_cpus=free_cpus,
            scheduler=scheduler,
            pagesize_bytes=version.get("pagesize", 4096),
            accelerator="xen",
            accelerator_note=self._untested_note(),
            program_version=f"Xen {_version_text(version)}",
            extra=_version_lines(version),
        )

    def _untested_note(self) -> str | None:
        if self.library.minor in TESTED:
            return None
        return f"xlpy was tested with Xen {tested_versions()}"

    def cpu_topology(self) -> tuple[CpuTopology, ...]:
        """libxl_get_cpu_topology, without the pcpus that are offline."""
        with self.contexts.borrow() as context:
            found = list_of(context, "cputopology", "get_cpu_topology")
        places = (
            (cpu, [place.get(name, 0) for name in ("core", "socket", "node")])
            for cpu, place in enumerate(found)
        )
        return tuple(
            CpuTopology(cpu=cpu, core=core, socket=socket, node=node)
            for cpu, (core, socket, node) in places
            if core != _INVALID
        )

    def numa_info(self) -> tuple[NumaNode, ...]:
        """libxl_get_numainfo, without the nodes that are not there."""
        with self.contexts.borrow() as context:
            found = list_of(context, "numainfo", "get_numainfo")
        return tuple(
            NumaNode(
                node=node,
                size_kib=each["size"] // 1024,
                free_kib=each.get("free", 0) // 1024,
                distances=tuple(each.get("dists", ())),
            )
            for node, each in enumerate(found)
            if 0 < each.get("size", 0) < (1 << 64) - 1
        )

    def console_ring(self, clear: bool = False) -> str:
        """libxl_xen_console_read_line until its end."""
        lines = []
        with self.contexts.borrow() as context:
            reader = context.call("xen_console_read_start", int(clear))
            if not reader:
                raise context.failure("the hypervisor's messages cannot be read")
            line = ctypes.c_void_p()
            while context.do(
                "the hypervisor's messages", "xen_console_read_line", reader, ctypes.byref(line)
            ):
                # the line belongs to the reader
                lines.append(ctypes.string_at(line.value or 0).decode("utf-8", "replace"))
            context.call("xen_console_read_finish", reader)
        return "".join(lines)

    def list_cpupools(self) -> tuple[Cpupool, ...]:
        """libxl_list_cpupool."""
        with self.contexts.borrow() as context:
            found = list_of(context, "cpupoolinfo", "list_cpupool")
        return tuple(
            Cpupool(
                poolid=pool.get("poolid", 0),
                name=pool.get("pool_name", f"Pool-{pool.get('poolid', 0)}"),
                scheduler=pool.get("sched", "unknown"),
                domain_count=pool.get("n_dom", 0),
                cpus=tuple(pool.get("cpumap", ())),
            )
            for pool in found
        )

    # -- which domains there are

    def list_domains(self) -> tuple[DomainInfo, ...]:
        """libxl_list_domain; names and start times are xenstore's."""
        with self.contexts.borrow() as context:
            found = list_of(context, "dominfo", "list_domain")
            pools = {facts.get("cpupool", 0) for facts in found}
            names = {poolid: self.pool_name(context, poolid) for poolid in pools}
            infos = tuple(
                self._domain_info(context, facts, names[facts.get("cpupool", 0)]) for facts in found
            )
        self._forget_lasting({(info.domid, info.uuid) for info in infos})
        return infos

    def domain_info(self, domid: int) -> DomainInfo:
        """libxl_domain_info."""
        with self.contexts.borrow() as context, context.new("dominfo") as dominfo:
            if context.call("domain_info", dominfo.memory, domid):
                raise DomainNotFound(f"{domid} is an invalid domain identifier")
            facts = dominfo.json()
            return self._domain_info(context, facts, self.pool_name(context, facts.get("cpupool", 0)))

    def find_domain(self, reference: str) -> DomainInfo:
        """The domain of this domid, name or uuid."""
        if reference.isascii() and reference.isdigit():
            return self.domain_info(int(reference))
        for info in self.list_domains():
            if reference in (info.name, info.uuid):
                return info
        raise DomainNotFound(f"{reference} is an invalid domain identifier")

    def domain_config(self, domid: int) -> DomainConfig:
        """What libxl remembers, with what was changed since."""
        return from_libxl(DomainConfig, self._config_words(domid))

    def domain_config_words(self, domid: int) -> dict[str, Any]:
        """The same in libxl's own words, without the domid that was asked for: it may have another one elsewhere."""
        words = self._config_words(domid)
        words.get("c_info", {}).pop("domid", None)
        return words

    def _config_words(self, domid: int) -> dict[str, Any]:
        """libxl_retrieve_domain_configuration."""
        with self.contexts.borrow() as context, context.new("domain_config") as config:
            self.require(context, domid)
            what = f"the configuration of domain {domid}"
            context.do(what, "retrieve_domain_configuration", domid, config.memory)
            return config.json()

    def domain_notes(self, domid: int) -> tuple[str, ...]:
        """None: nothing is done in another way than the configuration asks. Raises DomainNotFound."""
        self.domain_info(domid)
        return ()

    def domain_stats(self) -> tuple[DomainStats, ...]:
        """Of all domains; the host itself has no backends of its own."""
        return tuple(domain_stats(info) for info in self.list_domains())

    def require(self, context: Context, domid: int) -> None:
        """Raise DomainNotFound unless there is this domain: libxl's own words for it differ from call to call."""
        if not self.is_there(context, domid):
            raise DomainNotFound(f"{domid} is an invalid domain identifier")

    def is_there(self, context: Context, domid: int) -> bool:
        """Whether there is this domain (libxl_domain_info)."""
        return bool(context.call("domain_info", None, domid) == 0)

    def _node_affinity(self, context: Context, domid: int) -> tuple[int, ...] | None:
        """libxl_domain_get_nodeaffinity; hosts with one node are not asked."""
        if self._nodes is None:
            with context.new("physinfo") as physinfo:
                context.do("the host's facts", "get_physinfo", physinfo.memory)
                self._nodes = physinfo.json().get("nr_nodes", 1)
        if self._nodes == 1:
            return None
        nodes = to_bitmap((), _MOST_NODES - 1)
        if context.call("domain_get_nodeaffinity", domid, ctypes.byref(nodes)):
            return None
        found = members(nodes)
        return None if set(range(self._nodes)) <= set(found) else found

    def _domain_info(self, context: Context, facts: dict[str, Any], pool_name: str) -> DomainInfo:
        domid = facts.get("domid", 0)
        uuid = facts.get("uuid", _NO_UUID)
        domain_type, start_time_s = self._what_lasts(domid, uuid, facts)
        if facts.get("shutdown"):  # one that was preserved has its new uuid in xenstore alone
            uuid = (self.xenstore.read(f"/local/domain/{domid}/vm") or uuid).rpartition("/")[2]
        return DomainInfo(
            domid=domid,
            uuid=uuid,
            name=self.xenstore.read(f"/local/domain/{domid}/name"),
            domain_type=domain_type,
            running=facts.get("running", False),
            blocked=facts.get("blocked", False),
            paused=facts.get("paused", False),
            shutdown=facts.get("shutdown", False),
            dying=facts.get("dying", False),
            shutdown_reason=ShutdownReason(facts.get("shutdown_reason", "unknown"))
            if facts.get("shutdown")
            else None,
            current_memory_kib=facts.get("current_memkb", 0),
            outstanding_memory_kib=facts.get("outstanding_memkb", 0),
            shared_memory_kib=facts.get("shared_memkb", 0),
            max_memory_kib=facts.get("max_memkb", 0),
            cpu_time_ns=facts.get("cpu_time", 0),
            vcpu_online=facts.get("vcpu_online", 0),
            vcpu_max_id=facts.get("vcpu_max_id", 0),
            cpupool=facts.get("cpupool", 0),
            cpupool_name=pool_name,
            ssid_label=facts.get("ssid_label"),
            node_affinity=self._node_affinity(context, domid),
            start_time_s=start_time_s,
        )

    def _what_lasts(self, domid: int, uuid: str, facts: dict[str, Any]) -> tuple[DomainType, float | None]:
        """The type and the start time; they are asked of xenstore until they are there.

        libxl's facts call a pvh domain hvm.
        """
        known = self._lasting.get((domid, uuid))
        if known is not None:
            return known
        said = self.xenstore.read(f"/libxl/{domid}/type")
        started_s = _seconds(self.xenstore.read(f"/vm/{uuid}/start_time")) if domid else _boot_time_s()
        found = DomainType(said or facts.get("domain_type", "pv")), started_s
        if domid and said is not None and started_s is not None:
            self._lasting[domid, uuid] = found
        return found

    def _forget_lasting(self, present: set[tuple[int, str]]) -> None:
        for known in list(self._lasting):
            if known not in present:
                self._lasting.pop(known, None)

    def pool_name(self, context: Context, poolid: int) -> str:
        """The name of a cpupool (libxl_cpupoolid_to_name)."""
        return self.library.take_string(context.call("cpupoolid_to_name", poolid)) or f"Pool-{poolid}"


def list_of(context: Context, structure: str, function: str, *arguments: Any) -> list[dict[str, Any]]:
    """What a function that returns an array and its length found. Raises EngineError."""
    count = ctypes.c_int()
    pointer = context.call(function, *arguments, ctypes.byref(count))
    if not pointer and context.said():
        raise context.failure(f"libxl gives no list ({function})")
    return context.listed(structure, pointer, count.value)


def _free_cpus(context: Context) -> tuple[int, ...]:
    bitmap = Bitmap()
    if context.call("get_freecpus", ctypes.byref(bitmap)):
        return ()
    try:
        return members(bitmap)
    finally:
        context.library.libc.free(bitmap.map)


def _version_text(version: dict[str, Any]) -> str:
    return (
        f"{version.get('xen_version_major', 0)}.{version.get('xen_version_minor', 0)}"
        f"{version.get('xen_version_extra', '')}"
    )


def _version_lines(version: dict[str, Any]) -> dict[str, str]:
    """The lines of ``xl info`` about the hypervisor itself."""
    return {
        "xen_major": str(version.get("xen_version_major", 0)),
        "xen_minor": str(version.get("xen_version_minor", 0)),
        "xen_extra": version.get("xen_version_extra", ""),
        "xen_version": _version_text(version),
        "xen_caps": version.get("capabilities", ""),
        "platform_params": f"virt_start=0x{version.get('virt_start', 0):x}",
        "xen_changeset": version.get("changeset", ""),
        "xen_commandline": version.get("commandline", ""),
        "cc_compiler": version.get("compiler", ""),
        "cc_compile_by": version.get("compile_by", ""),
        "cc_compile_domain": version.get("compile_domain", ""),
        "cc_compile_date": version.get("compile_date", ""),
        "build_id": version.get("build_id", ""),
    }


def _seconds(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _boot_time_s() -> float:
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
