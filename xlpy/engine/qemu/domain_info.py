"""The rows of ``xl list``: made of what is known and of /proc, without a word to any QEMU."""

from __future__ import annotations

import os
import time

from xlpy.engine.qemu.memory import current_memory_kib, max_memory_kib
from xlpy.engine.qemu.procfs import host_cpu_times_ns, host_memory_kib, process_time_ns
from xlpy.model.domain import ActionOnShutdown, DomainInfo, DomainType
from xlpy.model.domain_config import (
    DomainBuildInfo,
    DomainConfig,
    DomainCreateInfo,
    DomainSchedParams,
    PvInfo,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.engine.qemu.domain import QemuDomain

HOST_DOMID = 0
HOST_NAME = "Domain-0"
HOST_UUID = "00000000-0000-0000-0000-000000000000"


def host_domain_info() -> DomainInfo:
    """Domain-0 is the host itself."""
    memory_kib, _ = host_memory_kib()
    times = host_cpu_times_ns()
    return DomainInfo(
        domid=HOST_DOMID,
        uuid=HOST_UUID,
        name=HOST_NAME,
        domain_type=DomainType.PV,
        running=True,
        current_memory_kib=memory_kib,
        max_memory_kib=memory_kib,
        cpu_time_ns=sum(times.values()),
        vcpu_online=len(times),
        vcpu_max_id=max(times),
        start_time_s=time.time() - time.clock_gettime(time.CLOCK_BOOTTIME),
    )


def host_domain_config() -> DomainConfig:
    """What ``xl list -l`` says of Domain-0: kind, name and memory; nobody has configured it."""
    memory_kib, _ = host_memory_kib()
    unset = ActionOnShutdown.DESTROY  # libxl's zero, and it has no rules for Domain-0
    return DomainConfig(
        c_info=DomainCreateInfo(type=DomainType.PV, name=HOST_NAME),
        b_info=DomainBuildInfo(
            max_memkb=memory_kib,
            target_memkb=memory_kib,
            sched_params=DomainSchedParams(sched="credit2", weight=256, cap=0),
            pv=PvInfo(),
        ),
        on_reboot=unset,
        on_soft_reset=unset,
    )


def domain_info(domain: QemuDomain) -> DomainInfo:
    """One domain, now."""
    record, ended = domain.record, domain.ended
    paused = ended is None and domain.stopped
    running = ended is None and not paused and _any_vcpu_runs(domain)
    machine = record.machine
    return DomainInfo(
        domid=record.domid,
        uuid=record.uuid,
        name=record.name,
        domain_type=record.config.c_info.type,
        running=running,
        blocked=ended is None and not paused and not running,
        paused=paused,
        shutdown=ended is not None,
        shutdown_reason=ended,
        current_memory_kib=current_memory_kib(domain),
        max_memory_kib=max_memory_kib(domain),
        cpu_time_ns=0 if domain.gone else process_time_ns(domain.process.pid),
        vcpu_online=len(machine.online_vcpus),
        vcpu_max_id=machine.max_vcpus - 1,
        start_time_s=record.start_time_s,
    )


def _any_vcpu_runs(domain: QemuDomain) -> bool:
    """Whether one of the vcpu threads has a pcpu or wants one."""
    pid = domain.process.pid
    return any(_thread_runs(f"/proc/{pid}/task/{tid}/stat") for tid in domain.vcpu_tids.values())


def _thread_runs(path: str) -> bool:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False  # unplugged, or the domain is going
    try:
        return os.read(fd, 512).rpartition(b")")[2].startswith(b" R")
    except OSError:
        return False
    finally:
        os.close(fd)
