"""Vcpus: plugged into the machine and out of it, pinned to pcpus, and looked at.

A vcpu that is offline is not plugged in: the machine has sockets for all of ``maxvcpus``, one core each, and vcpu N is
core N. Vcpu 0 is there always; the others are devices, so that they can be taken out. To take one out the guest has to
agree (ACPI), as it has to under xl, and there has to be KVM.

A vcpu is a thread of QEMU; hard affinity is that thread's. Linux has no soft affinity: it is kept and shown.
"""

from __future__ import annotations

import json
import os

from xlpy.engine.qemu.procfs import host_cpu_times_ns, host_cpus, thread_state
from xlpy.engine.qemu.qmp import QmpError
from xlpy.errors import ConfigError, EngineError, InvalidState, NotSupported, PermissionRefused
from xlpy.model.domain import VcpuInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlpy.engine.qemu.domain import QemuDomain
    from xlpy.engine.qemu.runtime_record import MachineRecord
    from xlpy.model.domain_config import DomainBuildInfo, DomainConfig

    Affinities = tuple[tuple[int, ...], ...]

MAX_VCPUS = 255  # of the pc machine, whose interrupt controller counts in bytes


# -- the machine


def online_at_start(config: DomainConfig) -> tuple[int, ...]:
    """The vcpus that are plugged in when the domain starts; vcpu 0 always is. Raises ConfigError for too many."""
    most = config.b_info.max_vcpus
    if not 1 <= most <= MAX_VCPUS:
        raise ConfigError(f"a domain can have 1 to {MAX_VCPUS} vcpus, not {most}")
    return tuple(sorted({0, *(vcpu for vcpu in config.b_info.avail_vcpus if vcpu < most)}))


def cpu_arguments(machine: MachineRecord) -> list[str]:
    """QEMU's arguments for the number of vcpus; ``-cpu`` comes before."""
    most = machine.max_vcpus
    arguments = ["-smp", f"1,maxcpus={most},sockets=1,cores={most},threads=1"]
    for vcpu in machine.online_vcpus:
        if vcpu:
            arguments += ["-device", json.dumps(_cpu_device(machine, vcpu))]
    return arguments


def _cpu_device(machine: MachineRecord, vcpu: int) -> dict[str, object]:
    # -cpu gives the type, and its features apply to all of that type
    return {
        "driver": f"{machine.cpu_model.partition(',')[0]}-x86_64-cpu",
        "id": f"cpu{vcpu}",
        "socket-id": 0,
        "die-id": 0,
        "core-id": vcpu,
        "thread-id": 0,
    }


def vcpu_of_device(device_id: str) -> int | None:
    """The vcpu that a device is, if it is one."""
    number = device_id[3:]
    return int(number) if device_id.startswith("cpu") and number.isdigit() else None


# -- the threads


def take_up_vcpus(domain: QemuDomain) -> None:
    """Learn the threads of the vcpus and pin those that are to be pinned; after start, adoption and hotplug."""
    refresh_threads(domain)
    for vcpu, tid in domain.vcpu_tids.items():
        hard = _entry(domain.record.config.b_info.vcpu_hard_affinity, vcpu)
        if hard is not None:
            _pin_thread(tid, vcpu, hard)


def refresh_threads(domain: QemuDomain) -> None:
    """Ask QEMU which thread each vcpu is (``query-cpus-fast``)."""
    cpus = domain.qmp.execute("query-cpus-fast")
    domain.vcpu_tids = {cpu["props"]["core-id"]: cpu["thread-id"] for cpu in cpus}


def list_vcpus(domain: QemuDomain) -> tuple[VcpuInfo, ...]:
    """All vcpus, the offline ones too (libxl_list_vcpu)."""
    pid = domain.process.pid
    b_info = domain.record.config.b_info
    return tuple(_vcpu_info(domain, pid, vcpu, b_info) for vcpu in range(domain.record.machine.max_vcpus))


def _vcpu_info(domain: QemuDomain, pid: int, vcpu: int, b_info: DomainBuildInfo) -> VcpuInfo:
    tid = domain.vcpu_tids.get(vcpu)
    state = None if tid is None or domain.gone else thread_state(pid, tid)
    runs = state is not None and state.running and not domain.stopped
    return VcpuInfo(
        domid=domain.domid,
        vcpuid=vcpu,
        cpu=state.cpu if state is not None else 0,
        online=state is not None,
        running=runs,
        blocked=state is not None and not runs and not domain.stopped,
        vcpu_time_ns=state.time_ns if state is not None else 0,
        hard_affinity=_shown(_entry(b_info.vcpu_hard_affinity, vcpu)),
        soft_affinity=_shown(_entry(b_info.vcpu_soft_affinity, vcpu)),
    )


def list_host_vcpus() -> tuple[VcpuInfo, ...]:
    """Domain-0's vcpus: the pcpus themselves."""
    return tuple(
        VcpuInfo(domid=0, vcpuid=cpu, cpu=cpu, online=True, running=True, vcpu_time_ns=time_ns)
        for cpu, time_ns in sorted(host_cpu_times_ns().items())
    )


def _entry(affinities: Affinities, vcpu: int) -> tuple[int, ...] | None:
    return affinities[vcpu] or None if vcpu < len(affinities) else None


def _shown(affinity: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """None where it leaves the choice among all pcpus."""
    if affinity is None or set(affinity) >= set(host_cpus()):
        return None
    return affinity


# -- pinning


def check_affinity(config: DomainConfig) -> None:
    """Raises ConfigError if a vcpu would be pinned to pcpus that this host doesn't have."""
    for vcpu, affinity in enumerate(config.b_info.vcpu_hard_affinity):
        if affinity and not set(affinity) & set(host_cpus()):
            raise ConfigError(
                f"vcpu {vcpu} cannot be pinned to pcpu {_listed(affinity)}: the host has no such pcpu",
                f"online here: {_listed(host_cpus())}",
            )


def set_vcpu_affinity(
    domain: QemuDomain,
    vcpuid: int | None,
    hard: tuple[int, ...] | None = None,
    soft: tuple[int, ...] | None = None,
) -> None:
    """Pin one vcpu or all (libxl_set_vcpuaffinity). Raises InvalidState for a vcpu or pcpus that aren't there."""
    most = domain.record.machine.max_vcpus
    if vcpuid is not None and not 0 <= vcpuid < most:
        raise InvalidState(f"domain {domain.domid} has no vcpu {vcpuid}", f"it has 0 to {most - 1}")
    vcpus = range(most) if vcpuid is None else (vcpuid,)
    with domain.lock:
        b_info = domain.record.config.b_info
        if hard is not None:
            for vcpu in vcpus:
                tid = domain.vcpu_tids.get(vcpu)
                if tid is not None and not domain.gone:
                    _pin_thread(tid, vcpu, hard)
            b_info = b_info.replace(vcpu_hard_affinity=_with(b_info.vcpu_hard_affinity, vcpus, hard))
        if soft is not None:
            _existing(vcpus[0], soft)
            b_info = b_info.replace(vcpu_soft_affinity=_with(b_info.vcpu_soft_affinity, vcpus, soft))
        domain.update(config=domain.record.config.replace(b_info=b_info))


def _with(affinities: Affinities, vcpus: Sequence[int], affinity: tuple[int, ...]) -> Affinities:
    """The affinities of all vcpus with some changed; an empty one is every pcpu."""
    entries = list(affinities)
    entries += [()] * (max(vcpus) + 1 - len(entries))
    for vcpu in vcpus:
        entries[vcpu] = affinity
    return tuple(entries)


def _pin_thread(tid: int, vcpu: int, affinity: tuple[int, ...]) -> None:
    try:
        os.sched_setaffinity(tid, _existing(vcpu, affinity))
    except ProcessLookupError:
        pass  # unplugged meanwhile
    except PermissionError as error:
        raise PermissionRefused(f"no permission to pin vcpu {vcpu}") from error
    except OSError as error:
        raise EngineError(
            f"cannot pin vcpu {vcpu} to pcpu {_listed(affinity)}: {error.strerror}",
            "is xlpyd itself kept to other pcpus (a cpuset)?",
        ) from error


def _existing(vcpu: int, affinity: tuple[int, ...]) -> set[int]:
    existing = set(affinity) & set(host_cpus())
    if not existing:
        raise InvalidState(
            f"vcpu {vcpu} cannot be pinned to pcpu {_listed(affinity)}: the host has no such pcpu",
            f"online here: {_listed(host_cpus())}",
        )
    return existing


def _listed(cpus: Sequence[int]) -> str:
    return ",".join(str(cpu) for cpu in cpus)


# -- hotplug


def set_vcpus_online(domain: QemuDomain, count: int) -> None:
    """Plug in vcpus 0 to count-1 and ask the guest to let go of the others (libxl_set_vcpuonline).

    Returns when the guest has been asked: ``list_vcpus`` shows what it has done. Raises InvalidState,
    and NotSupported to take one out without KVM.
    """
    domain.require_running("change the number of vcpus")
    machine = domain.record.machine
    if not 1 <= count <= machine.max_vcpus:
        raise InvalidState(
            f"domain {domain.domid} can have 1 to {machine.max_vcpus} vcpus, not {count}",
            "maxvcpus= in its configuration sets the limit when it is created",
        )
    with domain.lock:
        machine = domain.record.machine
        surplus = [vcpu for vcpu in machine.online_vcpus if vcpu >= count]
        _check_removal(domain, surplus)
        for vcpu in range(1, count):
            if vcpu not in machine.online_vcpus:
                domain.qmp.execute("device_add", _cpu_device(machine, vcpu))
        _note_online(domain, {*machine.online_vcpus, *range(count)})
        take_up_vcpus(domain)
        for vcpu in surplus:
            _ask_to_let_go(domain, vcpu)


def _check_removal(domain: QemuDomain, vcpus: Sequence[int]) -> None:
    """QEMU's translator leaves a removed vcpu in its memory map and later writes to what was freed (seen with 7.2)."""
    if vcpus and domain.record.accelerator == "tcg":
        raise NotSupported(
            f"vcpu {_listed(vcpus)} cannot be taken out of a domain that runs without KVM",
            f"the guest itself can stop using it: echo 0 >/sys/devices/system/cpu/cpu{vcpus[0]}/online",
        )


def _ask_to_let_go(domain: QemuDomain, vcpu: int) -> None:
    try:
        domain.qmp.execute("device_del", {"id": f"cpu{vcpu}"})
    except QmpError as error:
        if error.error_class != "DeviceNotFound":  # it has gone this moment
            raise


def vcpu_unplugged(domain: QemuDomain, vcpu: int) -> None:
    """The guest has let go of a vcpu."""
    with domain.lock:
        _note_online(domain, set(domain.record.machine.online_vcpus) - {vcpu})
        domain.vcpu_tids = {other: tid for other, tid in domain.vcpu_tids.items() if other != vcpu}


def _note_online(domain: QemuDomain, online: set[int]) -> None:
    """Note which vcpus are plugged in: a restart and a migration want the same."""
    vcpus = tuple(sorted(online))
    config = domain.record.config
    domain.update(
        machine=domain.record.machine.replace(online_vcpus=vcpus),
        config=config.replace(b_info=config.b_info.replace(avail_vcpus=vcpus)),
    )
