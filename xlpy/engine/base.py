"""Engine: the one list of what a host can do with domains.

The annotations of these methods are the wire protocol: an operation's name is its method's name, arguments and
result cross by ``model.codec``. Every operation here refuses with NotSupported; an engine overrides what it can do.

Two kinds of arguments are not data and never cross as such: ``stream`` is a file descriptor that the operation
takes over and closes (a console's two-way socket, a save file, one end of a migration); ``progress`` is called now
and then while the operation runs.
"""

from __future__ import annotations

from xlpy.engine.definition_operations import DefinitionOperations
from xlpy.engine.device_operations import DeviceOperations
from xlpy.engine.hypervisor_operations import HypervisorOperations
from xlpy.engine.motion import Motion
from xlpy.engine.operation import OPERATIONS as OPERATIONS
from xlpy.engine.operation import operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xlpy.model.device import DiskInfo, NicInfo, VncAddress
    from xlpy.model.device_config import DiskConfig, NicConfig
    from xlpy.model.domain import DomainEnd, DomainInfo, DomainStats, SchedParams, VcpuInfo
    from xlpy.model.domain_config import DomainConfig
    from xlpy.model.event import EventRecord
    from xlpy.model.host import Cpupool, CpuTopology, HostInfo, NumaNode

# Where the classes of the annotations live, since a command needs two of them and not thirty.
WIRE_CLASSES = {
    "ChannelInfo": "xlpy.model.device",
    "ConsoleHistory": "xlpy.model.console_history",
    "CpuTopology": "xlpy.model.host",
    "Cpupool": "xlpy.model.host",
    "DefinedDomain": "xlpy.model.definition",
    "Definition": "xlpy.model.definition",
    "DefinitionVersion": "xlpy.model.definition",
    "DirectRoute": "xlpy.model.migration",
    "DiskConfig": "xlpy.model.device_config",
    "DiskInfo": "xlpy.model.device",
    "DomainConfig": "xlpy.model.domain_config",
    "DomainEnd": "xlpy.model.domain",
    "DomainInfo": "xlpy.model.domain",
    "DomainStats": "xlpy.model.domain",
    "EventRecord": "xlpy.model.event",
    "Finding": "xlpy.model.migration",
    "HostInfo": "xlpy.model.host",
    "MigrationLimits": "xlpy.model.migration",
    "NicConfig": "xlpy.model.device_config",
    "NicInfo": "xlpy.model.device",
    "NumaNode": "xlpy.model.host",
    "Peer": "xlpy.model.migration",
    "PciConfig": "xlpy.model.device_config",
    "PoolSchedParams": "xlpy.model.sched",
    "PsrHardware": "xlpy.model.hypervisor",
    "PsrMonitoring": "xlpy.model.hypervisor",
    "PsrValue": "xlpy.model.hypervisor",
    "RemusOptions": "xlpy.model.remus",
    "RtdsParams": "xlpy.model.sched",
    "SavedDomain": "xlpy.model.migration",
    "SchedParams": "xlpy.model.domain",
    "Transfer": "xlpy.model.migration",
    "TransferProgress": "xlpy.model.migration",
    "UsbctrlConfig": "xlpy.model.device_config",
    "UsbctrlInfo": "xlpy.model.device",
    "UsbdevConfig": "xlpy.model.device_config",
    "VcpuInfo": "xlpy.model.domain",
    "VdisplConfig": "xlpy.model.device_config",
    "VdisplInfo": "xlpy.model.device",
    "VkbConfig": "xlpy.model.device_config",
    "VkbInfo": "xlpy.model.device",
    "VncAddress": "xlpy.model.device",
    "VsndConfig": "xlpy.model.device_config",
    "VsndInfo": "xlpy.model.sound",
    "VtpmConfig": "xlpy.model.device_config",
    "VtpmInfo": "xlpy.model.device",
}


class Engine(Motion, DeviceOperations, HypervisorOperations, DefinitionOperations):
    """Operations on one host. Domains are named by domid; 0 is the host itself.

    Any method may raise an XlError; DomainNotFound for a domid that isn't there, NotSupported for what this engine
    can't do.
    """

    shared = False  # whether others make domains on this host too, which are theirs to see to

    def made_here(self, domid: int) -> bool:
        """Whether an xlpyd made this domain: those of others are listed and managed, and supervised by their makers."""
        return True

    def taken_domids(self) -> frozenset[int]:
        """Domids that no new domain can have though none of ours has them."""
        return frozenset()

    def preserve_domain(self, domid: int, name: str, uuid: str) -> None:
        """Keep what is left of a domain under another name and uuid, so that its own are free (libxl_domain_preserve)."""
        self.rename_domain(domid, name)

    def left_config(self, domid: int) -> DomainConfig | None:
        """What another toolstack left for the next start of a domain of ours (``xl config-update``). Raises XlError."""
        return None

    def forget_left_config(self, domid: int) -> None:
        """It counts no more."""

    def soft_reset_domain(self, domid: int, config: DomainConfig, paused: bool = False) -> None:
        """Let a domain that asked for that start anew in its memory, with all else new (libxl_domain_soft_reset).

        On failure there is no domain any more. Raises NotSupported, and nothing has happened, where no guest can ask.
        """
        raise self._refuse("reset a domain in its memory")

    def start(self, on_end: Callable[[DomainEnd], None]) -> None:
        """Take up the domains that run already; from now on tell ``on_end`` about every domain that ends.

        ``on_end`` is called from any thread, once when a domain has stopped running (it stays, shut down) and once
        when it is gone. What was half made when the last xlpyd died is cleared away here.
        """

    def close(self) -> None:
        """Let go of the domains; they run on."""

    # -- the host

    @operation
    def host_info(self) -> HostInfo:
        """Facts of the machine (``xl info``)."""
        raise self._refuse("describe the host")

    @operation
    def cpu_topology(self) -> tuple[CpuTopology, ...]:
        """Core, socket and node of every pcpu."""
        raise self._refuse("show the cpu topology")

    @operation
    def numa_info(self) -> tuple[NumaNode, ...]:
        """Memory and distances of every NUMA node."""
        raise self._refuse("show NUMA nodes")

    @operation
    def console_ring(self, clear: bool = False) -> str:
        """The hypervisor's own messages (``xl dmesg``); cleared after reading when asked."""
        raise self._refuse("show its messages")

    @operation
    def list_cpupools(self) -> tuple[Cpupool, ...]:
        """All cpupools, in order of their ids."""
        raise self._refuse("list cpupools")

    # -- which domains there are

    @operation
    def list_domains(self) -> tuple[DomainInfo, ...]:
        """All domains in order of domid, Domain-0 first."""
        raise self._refuse("list domains")

    @operation
    def domain_info(self, domid: int) -> DomainInfo:
        """One domain."""
        raise self._refuse("describe a domain")

    @operation
    def find_domain(self, reference: str) -> DomainInfo:
        """The domain of this name; a string of digits is a domid, a uuid works as well."""
        raise self._refuse("look up a domain")

    @operation
    def domain_config(self, domid: int) -> DomainConfig:
        """The configuration that the domain runs with (``xl list -l``)."""
        raise self._refuse("show a domain's configuration")

    @operation
    def domain_notes(self, domid: int) -> tuple[str, ...]:
        """What was done in another way than the configuration asks, each a sentence (``xlpy create -v``)."""
        return ()

    @operation
    def domain_stats(self) -> tuple[DomainStats, ...]:
        """Counters of all domains."""
        raise self._refuse("show statistics")

    @operation
    def list_events(self, after_id: int = 0, limit: int = 1000) -> tuple[EventRecord, ...]:
        """The record of what happened, oldest first."""
        raise self._refuse("show its record of events")

    @operation
    def wait_events(self, after_id: int) -> tuple[EventRecord, ...]:
        """Wait until there are events after this one, and return them, oldest first."""
        raise self._refuse("wait for events")

    # -- life

    @operation
    def create_domain(
        self,
        config: DomainConfig,
        paused: bool = False,
        supervised: bool = True,
        config_text: str | None = None,
    ) -> int:
        """Start a domain and return its domid.

        ``supervised=False`` leaves the domain alone when it ends (``xl create -e``). ``config_text`` is kept as given.
        ``config.c_info.domid`` asks for that domid. Raises DomainExists, NotEnoughMemory, ConfigError for what the
        configuration asks and the host lacks.
        """
        raise self._refuse("create a domain")

    @operation
    def destroy_domain(self, domid: int) -> None:
        """End a domain at once."""
        raise self._refuse("destroy a domain")

    @operation
    def shutdown_domain(self, domid: int, acpi_fallback: bool = False) -> None:
        """Ask the guest to power off; returns when it has been asked."""
        raise self._refuse("shut a domain down")

    @operation
    def reboot_domain(self, domid: int, acpi_fallback: bool = False) -> None:
        """Ask the guest to reboot; returns when it has been asked."""
        raise self._refuse("reboot a domain")

    @operation
    def wait_domain_end(self, domids: tuple[int, ...], destroyed: bool = False) -> DomainEnd:
        """Wait until the first of these domains has shut down or is gone (``destroyed``: is gone)."""
        raise self._refuse("wait for a domain")

    @operation
    def pause_domain(self, domid: int) -> None:
        """Stop all vcpus."""
        raise self._refuse("pause a domain")

    @operation
    def unpause_domain(self, domid: int) -> None:
        """Let the vcpus run."""
        raise self._refuse("unpause a domain")

    @operation
    def rename_domain(self, domid: int, name: str) -> None:
        """Give a domain another name. Raises DomainExists."""
        raise self._refuse("rename a domain")

    @operation
    def update_config(self, domid: int, config: DomainConfig, config_text: str | None = None) -> None:
        """Replace the configuration that the next restart of the domain uses."""
        raise self._refuse("update a domain's configuration")

    @operation
    def send_trigger(self, domid: int, trigger: str, vcpuid: int = 0) -> None:
        """One of nmi reset init power sleep s3resume (libxl_send_trigger)."""
        raise self._refuse(f"send the trigger {trigger!r}")

    @operation
    def send_sysrq(self, domid: int, letter: str) -> None:
        """A magic system request to a Linux guest."""
        raise self._refuse("send a sysrq")

    @operation
    def dump_core(self, domid: int, stream: int) -> None:
        """Write the domain's memory as an ELF core to ``stream``; the domain goes on afterwards."""
        raise self._refuse("dump a domain's core", stream)

    # -- memory and cpus

    @operation
    def set_memory_target(self, domid: int, memory_kib: int) -> None:
        """Balloon the domain to this size; the limit follows if need be (``xl mem-set``)."""
        raise self._refuse("change a domain's memory")

    @operation
    def set_max_memory(self, domid: int, memory_kib: int) -> None:
        """The most memory the domain may balloon to (``xl mem-max``)."""
        raise self._refuse("change a domain's memory limit")

    @operation
    def list_vcpus(self, domid: int) -> tuple[VcpuInfo, ...]:
        """All vcpus of a domain, the offline ones too."""
        raise self._refuse("list vcpus")

    @operation
    def set_vcpus_online(self, domid: int, count: int) -> None:
        """Bring vcpus 0 to count-1 online and ask the guest to give up the others."""
        raise self._refuse("change the number of vcpus")

    @operation
    def set_vcpu_affinity(
        self,
        domid: int,
        vcpuid: int | None,
        hard: tuple[int, ...] | None = None,
        soft: tuple[int, ...] | None = None,
        force: bool = False,
    ) -> None:
        """Pin one vcpu, or all (``vcpuid=None``); an affinity of None is left as it is."""
        raise self._refuse("pin vcpus")

    @operation
    def sched_params(self, domid: int) -> SchedParams:
        """Weight and cap of a domain."""
        raise self._refuse("show scheduler parameters")

    @operation
    def set_sched_params(self, domid: int, weight: int | None = None, cap: int | None = None) -> None:
        """Change weight or cap; None is left as it is."""
        raise self._refuse("set scheduler parameters")

    # -- devices

    @operation
    def list_disks(self, domid: int) -> tuple[DiskInfo, ...]:
        """All disks in order of device number."""
        raise self._refuse("list disks")

    @operation
    def attach_disk(self, domid: int, disk: DiskConfig) -> None:
        """Hot-plug a disk."""
        raise self._refuse("attach a disk")

    @operation
    def detach_disk(self, domid: int, vdev: str, force: bool = False) -> None:
        """Hot-unplug a disk and wait for the guest to let go; ``force`` doesn't wait. Raises DeviceNotFound."""
        raise self._refuse("detach a disk")

    @operation
    def insert_cdrom(self, domid: int, disk: DiskConfig) -> None:
        """Put a medium into a CD drive, or take it out (format ``empty``)."""
        raise self._refuse("change a cdrom")

    @operation
    def list_nics(self, domid: int) -> tuple[NicInfo, ...]:
        """All network cards in order of devid."""
        raise self._refuse("list network cards")

    @operation
    def attach_nic(self, domid: int, nic: NicConfig) -> None:
        """Hot-plug a network card."""
        raise self._refuse("attach a network card")

    @operation
    def detach_nic(self, domid: int, device: str) -> None:
        """Hot-unplug the network card of this devid or MAC address. Raises DeviceNotFound."""
        raise self._refuse("detach a network card")

    # -- eyes and ears

    @operation
    def open_console(
        self,
        domid: int,
        stream: int,
        kind: str | None = None,
        number: int = 0,
        history: bool = True,
        follow: bool = True,
        position: int | None = None,
    ) -> int:
        """Connect ``stream`` to a console (kind ``pv`` or ``serial``; None is the primary one) until either side ends.

        A serial line that the domain lacks is its pv console of that number (xenconsole).

        What the console said since the domain started comes first, as far as it is kept; without ``follow`` the stream
        ends after it. Returns once it is connected: the position of the first byte that comes, counted from the
        domain's start.

        ``position`` takes up where an earlier stream broke off, and then the stream is the console's bytes and nothing
        else: it ends rather than leave some out. What is returned is higher than what was asked when some are lost, and
        lower when this console counts anew with each stream, because its host keeps no record of it.
        """
        raise self._refuse("open a console", stream)

    @operation
    def vnc_address(self, domid: int) -> VncAddress:
        """Where the domain's VNC server listens."""
        raise self._refuse("show a VNC address")

    @operation
    def open_vnc(self, domid: int, stream: int) -> None:
        """Make ``stream``, a connected socket, a connection to the domain's VNC server. Returns once it is one.

        The server asks it for the password as it asks everybody. Raises EngineError if the domain has no VNC server.
        """
        raise self._refuse("connect to a VNC server", stream)

    @operation
    def qemu_monitor_command(self, domid: int, command: str) -> str:
        """Run a human monitor command in the domain's QEMU and return what it printed."""
        raise self._refuse("talk to a device model")
