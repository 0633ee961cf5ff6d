"""Memory, vcpus, pinning and schedulers."""

from __future__ import annotations

import ctypes
import os

from xlpy.engine.libxl.bitmaps import to_bitmap
from xlpy.engine.libxl.context import Context
from xlpy.engine.libxl.library import Uuid
from xlpy.engine.libxl.reading import SCHEDULER_NUMBERS, LibxlReading
from xlpy.errors import ConfigError, InvalidState, NotSupported
from xlpy.model.domain import SchedParams, VcpuInfo
from xlpy.model.sched import PoolSchedParams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from xlpy.model.host import Cpupool


_ANY_POOLID = 0xFFFFFFFF


class LibxlResources(LibxlReading):
    """What a domain may use of the host."""

    # -- memory

    def set_memory_target(self, domid: int, memory_kib: int) -> None:
        """libxl_set_memory_target, which lets the limit follow."""
        with self.contexts.borrow() as context:
            self.require(context, domid)
            what = f"domain {domid} cannot get {memory_kib} KiB"
            context.do(what, "set_memory_target", domid, memory_kib, 0, 1)

    def set_max_memory(self, domid: int, memory_kib: int) -> None:
        """libxl_domain_setmaxmem."""
        with self.contexts.borrow() as context:
            self.require(context, domid)
            what = f"domain {domid} cannot be limited to {memory_kib} KiB"
            context.do(what, "domain_setmaxmem", domid, memory_kib)

    # -- vcpus

    def list_vcpus(self, domid: int) -> tuple[VcpuInfo, ...]:
        """libxl_list_vcpu."""
        with self.contexts.borrow() as context:
            self.require(context, domid)
            found, pcpus = _vcpus(context, domid)
        everywhere = set(range(pcpus))
        return tuple(
            VcpuInfo(
                domid=domid,
                vcpuid=vcpu.get("vcpuid", 0),
                cpu=vcpu.get("cpu", 0),
                online=vcpu.get("online", False),
                blocked=vcpu.get("blocked", False),
                running=vcpu.get("running", False),
                vcpu_time_ns=vcpu.get("vcpu_time", 0),
                hard_affinity=_affinity(vcpu.get("cpumap", ()), everywhere),
                soft_affinity=_affinity(vcpu.get("cpumap_soft", ()), everywhere),
            )
            for vcpu in found
        )

    def set_vcpus_online(self, domid: int, count: int) -> None:
        """libxl_set_vcpuonline with the first ``count`` vcpus."""
        with self.contexts.borrow() as context:
            self.require(context, domid)
            highest = self.domain_info(domid).vcpu_max_id
            if not 0 < count <= highest + 1:
                raise InvalidState(
                    f"domain {domid} cannot have {count} vcpus online", f"it has {highest + 1}"
                )
            online = to_bitmap(range(count), highest)
            what = f"domain {domid} cannot have {count} vcpus online"
            context.do(what, "set_vcpuonline", domid, ctypes.byref(online))

    def set_vcpu_affinity(
        self,
        domid: int,
        vcpuid: int | None,
        hard: tuple[int, ...] | None = None,
        soft: tuple[int, ...] | None = None,
        force: bool = False,
    ) -> None:
        """libxl_set_vcpuaffinity, or with ``force`` libxl_set_vcpuaffinity_force, for each vcpu that is meant."""
        with self.contexts.borrow() as context:
            self.require(context, domid)
            highest = max(context.call("get_max_cpus") - 1, 0)
            there = range(self.domain_info(domid).vcpu_max_id + 1)
            if vcpuid is not None and vcpuid not in there:
                raise InvalidState(f"domain {domid} has no vcpu {vcpuid}", f"it has {len(there)}")
            maps = [None if cpus is None else to_bitmap(cpus, highest) for cpus in (hard, soft)]
            pointers = [None if each is None else ctypes.byref(each) for each in maps]
            function = "set_vcpuaffinity_force" if force else "set_vcpuaffinity"
            for each in there if vcpuid is None else (vcpuid,):
                context.do(
                    f"vcpu {each} of domain {domid} cannot be pinned", function, domid, each, *pointers
                )

    # -- schedulers

    def sched_params(self, domid: int) -> SchedParams:
        """libxl_domain_sched_params_get."""
        with self.contexts.borrow() as context, context.new("domain_sched_params") as params:
            self.require(context, domid)
            context.do(f"the scheduling of domain {domid}", "domain_sched_params_get", domid, params.memory)
            found = params.json()
        return SchedParams(
            scheduler=found.get("sched", "unknown"), weight=found.get("weight", 0), cap=found.get("cap", 0)
        )

    def set_sched_params(self, domid: int, weight: int | None = None, cap: int | None = None) -> None:
        """libxl_domain_sched_params_set; what isn't named stays as it is (libxl's own default for it)."""
        scheduler = self.sched_params(domid).scheduler
        if scheduler not in ("credit", "credit2"):
            raise NotSupported(f"domain {domid} is scheduled by {scheduler}, which knows no weight and cap")
        value: dict[str, object] = {"sched": scheduler}
        value.update({name: given for name, given in (("weight", weight), ("cap", cap)) if given is not None})
        with self.contexts.borrow() as context, context.new("domain_sched_params", value) as params:
            what = f"the scheduling of domain {domid} cannot be changed"
            context.do(what, "domain_sched_params_set", domid, params.memory)

    def pool_sched_params(self, poolid: int) -> PoolSchedParams:
        """libxl_sched_credit_params_get, _credit2_; other schedulers have none."""
        scheduler = self._pool(poolid).scheduler
        if scheduler not in ("credit", "credit2"):
            return PoolSchedParams(scheduler=scheduler)
        structure = f"sched_{scheduler}_params"
        with self.contexts.borrow() as context, context.new(structure) as params:
            context.do(f"cpupool {poolid}", f"{structure}_get", poolid, params.memory)
            found = params.json()
        credit = scheduler == "credit"
        return PoolSchedParams(
            scheduler=scheduler,
            tslice_ms=found.get("tslice_ms", 0) if credit else None,
            ratelimit_us=found.get("ratelimit_us", 0),
            migration_delay_us=found.get("vcpu_migr_delay_us", 0) if credit else None,
        )

    def set_pool_sched_params(self, poolid: int, params: PoolSchedParams) -> None:
        """libxl_sched_credit_params_set, _credit2_."""
        pool = self._pool(poolid)
        changes = {
            name: value
            for name, value in (
                ("tslice_ms", params.tslice_ms),
                ("ratelimit_us", params.ratelimit_us),
                ("vcpu_migr_delay_us", params.migration_delay_us),
            )
            if value is not None
        }
        known = {"credit": {"tslice_ms", "ratelimit_us", "vcpu_migr_delay_us"}, "credit2": {"ratelimit_us"}}
        if not changes.keys() <= known.get(pool.scheduler, set()):
            raise NotSupported(
                f"cpupool {pool.name} is scheduled by {pool.scheduler}, which cannot be told that"
            )
        self._change_pool_params(poolid, pool.scheduler, changes)

    def _pool(self, poolid: int) -> Cpupool:
        for pool in self.list_cpupools():
            if pool.poolid == poolid:
                return pool
        raise InvalidState(f"there is no cpupool {poolid}", "see the pools: xlpy cpupool-list")

    def _change_pool_params(self, poolid: int, scheduler: str, changes: dict[str, Any]) -> None:
        structure = f"sched_{scheduler}_params"
        with self.contexts.borrow() as context:
            with context.new(structure) as before:
                context.do(f"cpupool {poolid}", f"{structure}_get", poolid, before.memory)
                value = {**before.json(), **changes}
            with context.new(structure, value) as after:
                what = f"the scheduler of cpupool {poolid} cannot be changed"
                context.do(what, f"{structure}_set", poolid, after.memory)

    # -- cpupools

    def create_cpupool(self, name: str, scheduler: str, cpus: tuple[int, ...]) -> int:
        """libxl_cpupool_create."""
        if scheduler not in SCHEDULER_NUMBERS:
            raise ConfigError(f"Xen has no scheduler {scheduler!r}", f"it has {', '.join(SCHEDULER_NUMBERS)}")
        with self.contexts.borrow() as context:
            uuid, poolid = _random_uuid(), ctypes.c_uint32(_ANY_POOLID)
            context.do(
                f"the cpupool {name!r} cannot be made",
                "cpupool_create",
                name.encode(),
                SCHEDULER_NUMBERS[scheduler],
                to_bitmap(cpus, max(context.call("get_max_cpus") - 1, 0)),
                ctypes.byref(uuid),
                ctypes.byref(poolid),
            )
            return poolid.value

    def destroy_cpupool(self, poolid: int) -> None:
        """libxl_cpupool_destroy."""
        with self.contexts.borrow() as context:
            context.do(f"cpupool {poolid} cannot be destroyed", "cpupool_destroy", poolid)

    def rename_cpupool(self, poolid: int, name: str) -> None:
        """libxl_cpupool_rename."""
        with self.contexts.borrow() as context:
            context.do(f"cpupool {poolid} cannot be renamed", "cpupool_rename", name.encode(), poolid)

    def add_cpupool_cpus(self, poolid: int, cpus: tuple[int, ...]) -> None:
        """libxl_cpupool_cpuadd for each."""
        self._each_pool_cpu("cpupool_cpuadd", poolid, cpus, "cannot be put into")

    def remove_cpupool_cpus(self, poolid: int, cpus: tuple[int, ...]) -> None:
        """libxl_cpupool_cpuremove for each."""
        self._each_pool_cpu("cpupool_cpuremove", poolid, cpus, "cannot be taken out of")

    def _each_pool_cpu(self, function: str, poolid: int, cpus: Iterable[int], cannot: str) -> None:
        with self.contexts.borrow() as context:
            for cpu in cpus:
                context.do(f"pcpu {cpu} {cannot} cpupool {poolid}", function, poolid, cpu)

    def move_domain_to_cpupool(self, domid: int, poolid: int) -> None:
        """libxl_cpupool_movedomain."""
        with self.contexts.borrow() as context:
            self.require(context, domid)
            what = f"domain {domid} cannot be moved to cpupool {poolid}"
            context.do(what, "cpupool_movedomain", poolid, domid)

    # -- the hypervisor itself

    def send_debug_keys(self, keys: str) -> None:
        """libxl_send_debug_keys."""
        with self.contexts.borrow() as context:
            context.do(f"the debug keys {keys!r} cannot be sent", "send_debug_keys", keys.encode())

    def set_hypervisor_parameters(self, parameters: str) -> None:
        """libxl_set_parameters."""
        with self.contexts.borrow() as context:
            context.do(f"cannot set {parameters!r}", "set_parameters", parameters.encode())


def _vcpus(context: Context, domid: int) -> tuple[list[dict[str, Any]], int]:
    count, pcpus = ctypes.c_int(), ctypes.c_int()
    pointer = context.call("list_vcpu", domid, ctypes.byref(count), ctypes.byref(pcpus))
    if not pointer:
        raise context.failure(f"the vcpus of domain {domid} cannot be listed")
    return context.listed("vcpuinfo", pointer, count.value), pcpus.value


def _affinity(cpus: Iterable[int], everywhere: set[int]) -> tuple[int, ...] | None:
    """None is every pcpu; Xen says that with more bits than there are pcpus."""
    return None if everywhere <= set(cpus) else tuple(cpus)


def _random_uuid() -> Uuid:
    return Uuid((ctypes.c_uint8 * 16)(*os.urandom(16)))
