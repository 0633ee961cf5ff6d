"""What the fake engine has of a hypervisor: cpupools, schedulers' parameters, Flask, PSR, quotas."""

from __future__ import annotations

import os

from xlpy.engine.base import Engine
from xlpy.errors import DeviceNotFound, DomainExists, InvalidState, NotSupported
from xlpy.model.host import Cpupool
from xlpy.model.hypervisor import PsrHardware, PsrMonitoring, PsrValue
from xlpy.model.sched import PoolSchedParams, RtdsParams


class FakeHypervisor(Engine):
    """Tests set ``flask`` (None: disabled), ``psr``, ``monitoring``; ``keys`` and ``parameters`` are what it was told."""

    def __init__(self) -> None:
        self.pools: tuple[Cpupool, ...] = (
            Cpupool(poolid=0, name="Pool-0", scheduler="credit2", domain_count=1, cpus=(0, 1, 2, 3)),
        )
        self.moved: dict[int, int] = {}  # domid to poolid
        self.pool_params: dict[int, PoolSchedParams] = {}
        self.rtds: dict[int, tuple[RtdsParams, ...]] = {}
        self.keys = ""
        self.parameters = ""
        self.flask: bool | None = None
        self.policy = b""
        self.quotas: dict[int | None, dict[str, int]] = {None: {"nodes": 1000, "watches": 128}}
        self.overlays: list[tuple[str, bytes, int | None]] = []
        self.suspended: set[int] = set()
        self.psr: tuple[PsrHardware, ...] = ()
        self.monitoring = PsrMonitoring(enabled=False)
        self.psr_shares: dict[tuple[int, str, int], int] = {}

    def list_cpupools(self) -> tuple[Cpupool, ...]:
        return self.pools

    def _pool(self, poolid: int) -> Cpupool:
        for pool in self.pools:
            if pool.poolid == poolid:
                return pool
        raise DeviceNotFound(f"there is no cpupool {poolid}")

    def _change_pool(self, poolid: int, **fields: object) -> None:
        changed = self._pool(poolid).replace(**fields)
        self.pools = tuple(changed if pool.poolid == poolid else pool for pool in self.pools)

    def create_cpupool(self, name: str, scheduler: str, cpus: tuple[int, ...]) -> int:
        if any(pool.name == name for pool in self.pools):
            raise DomainExists(f"there is a cpupool {name} already")
        poolid = max(pool.poolid for pool in self.pools) + 1
        self.pools += (Cpupool(poolid=poolid, name=name, scheduler=scheduler, domain_count=0, cpus=cpus),)
        return poolid

    def destroy_cpupool(self, poolid: int) -> None:
        if self._pool(poolid).domain_count:
            raise InvalidState("there are domains in the cpupool")
        self.pools = tuple(pool for pool in self.pools if pool.poolid != poolid)

    def rename_cpupool(self, poolid: int, name: str) -> None:
        self._change_pool(poolid, name=name)

    def add_cpupool_cpus(self, poolid: int, cpus: tuple[int, ...]) -> None:
        taken = {cpu for pool in self.pools for cpu in pool.cpus}
        if taken & set(cpus):
            raise InvalidState("a cpu is in use")
        self._change_pool(poolid, cpus=tuple(sorted({*self._pool(poolid).cpus, *cpus})))

    def remove_cpupool_cpus(self, poolid: int, cpus: tuple[int, ...]) -> None:
        left = set(self._pool(poolid).cpus) - set(cpus)
        if not left:
            raise InvalidState("a cpupool with domains needs a cpu")
        self._change_pool(poolid, cpus=tuple(sorted(left)))

    def move_domain_to_cpupool(self, domid: int, poolid: int) -> None:
        self.domain_info(domid)
        self._pool(poolid)
        self.moved[domid] = poolid

    def pool_sched_params(self, poolid: int) -> PoolSchedParams:
        pool = self._pool(poolid)
        default = PoolSchedParams(scheduler=pool.scheduler, ratelimit_us=1000)
        return self.pool_params.get(poolid, default)

    def set_pool_sched_params(self, poolid: int, params: PoolSchedParams) -> None:
        given = {name: value for name, value in vars(params).items() if value is not None}
        given["scheduler"] = self._pool(poolid).scheduler
        self.pool_params[poolid] = self.pool_sched_params(poolid).replace(**given)

    def rtds_params(self, domid: int, vcpus: tuple[int, ...] | None = None) -> tuple[RtdsParams, ...]:
        self.domain_info(domid)
        if vcpus is None:
            return (RtdsParams(),)
        known = {row.vcpuid: row for row in self.rtds.get(domid, ())}
        return tuple(known.get(vcpuid, RtdsParams(vcpuid=vcpuid)) for vcpuid in vcpus)

    def set_rtds_params(self, domid: int, params: tuple[RtdsParams, ...]) -> None:
        self.domain_info(domid)
        self.rtds[domid] = params

    def send_debug_keys(self, keys: str) -> None:
        self.keys += keys

    def set_hypervisor_parameters(self, parameters: str) -> None:
        self.parameters = parameters

    def suspend_to_ram(self, domid: int) -> None:
        self.domain_info(domid)
        self.suspended.add(domid)

    def resume_from_ram(self, domid: int) -> None:
        self.domain_info(domid)
        self.suspended.discard(domid)

    def flask_enforcing(self) -> bool | None:
        return self.flask

    def set_flask_enforcing(self, enforcing: bool) -> None:
        if self.flask is None:
            raise NotSupported("Flask is disabled")
        self.flask = enforcing

    def load_flask_policy(self, stream: int) -> None:
        with os.fdopen(stream, "rb") as policy:
            self.policy = policy.read()

    def xenstore_quotas(self, domid: int | None = None) -> dict[str, int]:
        if domid is not None:
            self.domain_info(domid)
        return self.quotas.get(domid, self.quotas[None])

    def set_xenstore_quotas(self, quotas: dict[str, int], domid: int | None = None) -> None:
        self.quotas[domid] = {**self.xenstore_quotas(domid), **quotas}

    def apply_dt_overlay(self, action: str, stream: int, domid: int | None = None) -> None:
        with os.fdopen(stream, "rb", buffering=0) as overlay:
            if domid is not None:
                self.domain_info(domid)
            self.overlays.append((action, overlay.read(), domid))

    def psr_hardware(self) -> tuple[PsrHardware, ...]:
        return self.psr

    def psr_monitoring(self) -> PsrMonitoring:
        return self.monitoring

    def attach_psr_monitoring(self, domid: int) -> None:
        self.domain_info(domid)
        self.monitoring = self.monitoring.replace(domids=(*self.monitoring.domids, domid))

    def detach_psr_monitoring(self, domid: int) -> None:
        self.domain_info(domid)
        left = tuple(other for other in self.monitoring.domids if other != domid)
        self.monitoring = self.monitoring.replace(domids=left)

    def psr_sample(self, domid: int, kind: str, socket: int) -> int:
        self.domain_info(domid)
        return 1000 * (socket + 1) + domid

    def psr_values(self, domid: int, kind: str) -> tuple[PsrValue, ...]:
        self.domain_info(domid)
        sockets = sorted({feature.socket for feature in self.psr})
        return tuple(
            PsrValue(socket=socket, value=self.psr_shares.get((domid, kind, socket), 0x7FF))
            for socket in sockets
        )

    def set_psr_value(
        self, domid: int, kind: str, value: int, sockets: tuple[int, ...] | None = None
    ) -> None:
        self.domain_info(domid)
        every = sorted({feature.socket for feature in self.psr})
        for socket in every if sockets is None else sockets:
            self.psr_shares[domid, kind, socket] = value
