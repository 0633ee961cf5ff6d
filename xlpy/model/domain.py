"""A running domain as its engine sees it (libxl_dominfo, libxl_vcpuinfo, libxl_vminfo)."""

from __future__ import annotations

from xlpy.model.choice import Choice
from xlpy.model.record import Record


class DomainType(Choice):
    """libxl_domain_type."""

    PV = "pv"
    PVH = "pvh"
    HVM = "hvm"


class ShutdownReason(Choice):
    """libxl_shutdown_reason: why a domain stopped running."""

    POWEROFF = "poweroff"
    REBOOT = "reboot"
    SUSPEND = "suspend"
    CRASH = "crash"
    WATCHDOG = "watchdog"
    SOFT_RESET = "soft_reset"
    UNKNOWN = "unknown"


class ActionOnShutdown(Choice):
    """libxl_action_on_shutdown, spelled as in libxl's JSON."""

    DESTROY = "destroy"
    RESTART = "restart"
    RESTART_RENAME = "restart_rename"
    PRESERVE = "preserve"
    COREDUMP_DESTROY = "coredump_destroy"
    COREDUMP_RESTART = "coredump_restart"
    SOFT_RESET = "soft_reset"


class DomainInfo(Record):
    """One domain, now. ``name`` is None for what is left of a dead one."""

    domid: int
    uuid: str
    name: str | None
    domain_type: DomainType = DomainType.PV
    running: bool = False
    blocked: bool = False
    paused: bool = False
    shutdown: bool = False
    dying: bool = False
    shutdown_reason: ShutdownReason | None = None
    current_memory_kib: int = 0
    outstanding_memory_kib: int = 0
    shared_memory_kib: int = 0
    max_memory_kib: int = 0
    cpu_time_ns: int = 0
    vcpu_online: int = 0
    vcpu_max_id: int = 0
    cpupool: int = 0
    cpupool_name: str = "Pool-0"
    ssid_label: str | None = None
    node_affinity: tuple[int, ...] | None = None  # None: all nodes
    start_time_s: float | None = None  # seconds since the epoch
    activity: str | None = None  # what xlpyd is doing with it: saving, sent, incoming, restarting ...
    peer: str | None = None  # the other host, while it is on its way from host to host

    @property
    def ended(self) -> bool:
        """Whether it has stopped for good: a domain that has suspended goes on, here or elsewhere."""
        return self.shutdown and self.shutdown_reason is not ShutdownReason.SUSPEND


class VcpuInfo(Record):
    """One vcpu of a domain. An affinity of None is every pcpu."""

    domid: int
    vcpuid: int
    cpu: int
    online: bool
    blocked: bool = False
    running: bool = False
    vcpu_time_ns: int = 0
    hard_affinity: tuple[int, ...] | None = None
    soft_affinity: tuple[int, ...] | None = None


class DomainEnd(Record):
    """A domain stopped running, or is gone altogether (``destroyed``)."""

    domid: int
    reason: ShutdownReason
    destroyed: bool = False


class DomainStats(Record):
    """What a domain used since it started; counters only grow."""

    domid: int
    cpu_time_ns: int = 0
    memory_kib: int = 0
    resident_memory_kib: int = 0
    nic_count: int = 0
    disk_count: int = 0
    nic_rx_bytes: int = 0
    nic_tx_bytes: int = 0
    disk_read_bytes: int = 0
    disk_write_bytes: int = 0
    disk_read_requests: int = 0
    disk_write_requests: int = 0


class SchedParams(Record):
    """libxl_domain_sched_params of the credit2 scheduler. A cap of 0 is none; 100 is one whole pcpu."""

    scheduler: str = "credit2"
    weight: int = 256
    cap: int = 0
