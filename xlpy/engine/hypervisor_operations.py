"""The operations of Engine that only a hypervisor of its own can have: cpupools, its log keys, Flask, PSR, xenstore quotas."""

from __future__ import annotations

from xlpy.engine.operation import Refusing, operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.model.hypervisor import PsrHardware, PsrMonitoring, PsrValue
    from xlpy.model.sched import PoolSchedParams, RtdsParams


class HypervisorOperations(Refusing):
    """Operations on the hypervisor and what it alone knows of a domain."""

    # -- cpupools

    @operation
    def create_cpupool(self, name: str, scheduler: str, cpus: tuple[int, ...]) -> int:
        """Make a pool of free pcpus and return its id (libxl_cpupool_create)."""
        raise self._refuse("make cpupools")

    @operation
    def destroy_cpupool(self, poolid: int) -> None:
        """Dissolve a pool without domains; its pcpus become free. Raises InvalidState."""
        raise self._refuse("destroy cpupools")

    @operation
    def rename_cpupool(self, poolid: int, name: str) -> None:
        """Give a pool another name."""
        raise self._refuse("rename cpupools")

    @operation
    def add_cpupool_cpus(self, poolid: int, cpus: tuple[int, ...]) -> None:
        """Put free pcpus into a pool (libxl_cpupool_cpuadd_cpumap)."""
        raise self._refuse("change cpupools")

    @operation
    def remove_cpupool_cpus(self, poolid: int, cpus: tuple[int, ...]) -> None:
        """Take pcpus out of a pool (libxl_cpupool_cpuremove_cpumap)."""
        raise self._refuse("change cpupools")

    @operation
    def move_domain_to_cpupool(self, domid: int, poolid: int) -> None:
        """Let a domain run in another pool (libxl_cpupool_movedomain)."""
        raise self._refuse("move a domain to another cpupool")

    # -- schedulers other than the engine's own

    @operation
    def pool_sched_params(self, poolid: int) -> PoolSchedParams:
        """What a pool's scheduler can be told (libxl_sched_credit_params_get and its like)."""
        raise self._refuse("show a scheduler's parameters")

    @operation
    def set_pool_sched_params(self, poolid: int, params: PoolSchedParams) -> None:
        """Change it; what is None stays as it is."""
        raise self._refuse("set a scheduler's parameters")

    @operation
    def rtds_params(self, domid: int, vcpus: tuple[int, ...] | None = None) -> tuple[RtdsParams, ...]:
        """The real-time scheduler's parameters of these vcpus, or with None those new vcpus get (one row)."""
        raise self._refuse("show real-time parameters")

    @operation
    def set_rtds_params(self, domid: int, params: tuple[RtdsParams, ...]) -> None:
        """Change them; a row without a vcpu stands for all."""
        raise self._refuse("set real-time parameters")

    # -- the hypervisor itself

    @operation
    def send_debug_keys(self, keys: str) -> None:
        """Press keys on the hypervisor's console; the answers are in its messages (libxl_send_debug_keys)."""
        raise self._refuse("send debug keys")

    @operation
    def set_hypervisor_parameters(self, parameters: str) -> None:
        """Change parameters of its command line at run time (libxl_set_parameters)."""
        raise self._refuse("set hypervisor parameters")

    @operation
    def suspend_to_ram(self, domid: int) -> None:
        """Let a domain suspend, its memory staying where it is (libxl_domain_suspend_only)."""
        raise self._refuse("suspend a domain to RAM")

    @operation
    def resume_from_ram(self, domid: int) -> None:
        """Let a domain that has suspended go on (libxl_domain_resume)."""
        raise self._refuse("resume a domain from RAM")

    @operation
    def flask_enforcing(self) -> bool | None:
        """Whether Flask's policy is enforced; None when Flask is disabled."""
        raise self._refuse("tell about the Flask security module")

    @operation
    def set_flask_enforcing(self, enforcing: bool) -> None:
        """Enforce Flask's policy, or only log what would be refused."""
        raise self._refuse("change the mode of the Flask security module")

    @operation
    def load_flask_policy(self, stream: int) -> None:
        """Load a Flask policy read from ``stream``."""
        raise self._refuse("load a Flask policy", stream)

    @operation
    def xenstore_quotas(self, domid: int | None = None) -> dict[str, int]:
        """The quotas of a domain, or the global ones, by name."""
        raise self._refuse("show xenstore quotas")

    @operation
    def set_xenstore_quotas(self, quotas: dict[str, int], domid: int | None = None) -> None:
        """Change quotas of a domain, or the global ones."""
        raise self._refuse("set xenstore quotas")

    @operation
    def apply_dt_overlay(self, action: str, stream: int, domid: int | None = None) -> None:
        """Add, remove or attach the device tree overlay read from ``stream`` (``action`` is add, remove or attach)."""
        raise self._refuse("apply a device tree overlay", stream)

    # -- platform shared resources (Intel RDT)

    @operation
    def psr_hardware(self) -> tuple[PsrHardware, ...]:
        """What the pcpus of each socket can monitor and allocate (libxl_psr_get_hw_info)."""
        raise self._refuse("tell about platform shared resources")

    @operation
    def psr_monitoring(self) -> PsrMonitoring:
        """Whether cache monitoring is there, and of which domains (libxl_psr_cmt_enabled)."""
        raise self._refuse("monitor platform shared resources")

    @operation
    def attach_psr_monitoring(self, domid: int) -> None:
        """Watch a domain's use of cache and memory bandwidth."""
        raise self._refuse("monitor platform shared resources")

    @operation
    def detach_psr_monitoring(self, domid: int) -> None:
        """Stop watching."""
        raise self._refuse("monitor platform shared resources")

    @operation
    def psr_sample(self, domid: int, kind: str, socket: int) -> int:
        """A count of this kind: KiB of ``cache-occupancy``, KiB/s of ``total-mem-bandwidth`` or ``local-mem-bandwidth``."""
        raise self._refuse("monitor platform shared resources")

    @operation
    def psr_values(self, domid: int, kind: str) -> tuple[PsrValue, ...]:
        """A domain's share on every socket; ``kind`` is libxl_psr_cbm_type's: l3_cbm, l3_cbm_code, l3_cbm_data, l2_cbm, mba_thrtl."""
        raise self._refuse("show shares of platform shared resources")

    @operation
    def set_psr_value(
        self, domid: int, kind: str, value: int, sockets: tuple[int, ...] | None = None
    ) -> None:
        """Change it on these sockets, or on all."""
        raise self._refuse("set shares of platform shared resources")
