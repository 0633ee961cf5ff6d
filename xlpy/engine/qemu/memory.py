"""Memory of a domain: the machine is made with ``maxmem``, and a balloon in the guest holds what is above ``memory``.

The balloon is virtio's. Its guest driver follows the target when it gets there; a guest without one keeps it all, as
under xl.
"""

from __future__ import annotations

from xlpy.engine.qemu.procfs import host_memory_kib
from xlpy.errors import ConfigError, InvalidState, NotEnoughMemory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.engine.qemu.domain import QemuDomain
    from xlpy.model.domain_config import DomainConfig

BALLOON = "balloon0"
DEFAULT_MEMORY_KIB = 32 * 1024  # libxl's, for a configuration that says nothing
QEMU_OVERHEAD_KIB = 24 * 1024  # what a QEMU takes besides the guest's memory until the guest is up
_MIB_KIB = 1024


def ram_kib(config: DomainConfig) -> int:
    """Size of the machine's RAM: ``maxmem``, in whole MiB. Raises ConfigError if ``memory`` is more than that."""
    target = target_kib(config)
    most = config.b_info.max_memkb or target
    if target > most:
        raise ConfigError(f"memory ({target // 1024} MiB) is more than maxmem ({most // 1024} MiB)")
    return -(-most // _MIB_KIB) * _MIB_KIB


def target_kib(config: DomainConfig) -> int:
    """What the guest shall use at start: ``memory``."""
    return config.b_info.target_memkb or config.b_info.max_memkb or DEFAULT_MEMORY_KIB


def check_memory(config: DomainConfig, promised_kib: int = 0) -> None:
    """Raises NotEnoughMemory if the host could not give the domain its memory.

    ``promised_kib`` is what running domains may still take and have not touched yet.
    """
    needed = target_kib(config) + QEMU_OVERHEAD_KIB
    _, available = host_memory_kib()
    free = max(0, available - promised_kib)
    if needed > free:
        raise NotEnoughMemory(
            f"the domain needs {needed // 1024} MiB, the host has {free // 1024} MiB left",
            "choose a smaller memory=, or shut down or shrink ('xlpy mem-set') another domain",
        )


def set_start_target(domain: QemuDomain) -> None:
    """Tell a new domain's balloon its size, where it is to be less than the RAM."""
    config = domain.record.config
    if target_kib(config) < domain.record.machine.memory_kib:
        domain.qmp.execute("balloon", {"value": target_kib(config) * 1024})


def set_memory_target(domain: QemuDomain, memory_kib: int) -> None:
    """Ask the guest to use this much (libxl_set_memory_target, enforced); the guest gets there when it can.

    A limit that ``set_max_memory`` has lowered rises with it. Raises InvalidState above the machine's RAM.
    """
    domain.require_running("change its memory")
    ram = domain.record.machine.memory_kib
    if memory_kib > ram:
        raise InvalidState(
            f"{memory_kib // 1024} MiB is more than domain {domain.domid} may have: {ram // 1024} MiB",
            "maxmem= in its configuration sets the limit when it is created",
        )
    if memory_kib < _MIB_KIB:
        raise InvalidState(
            "a domain cannot live without memory", "the size is in MiB where it has no unit: 256, 256m, 1g"
        )
    with domain.lock:
        domain.qmp.execute("balloon", {"value": memory_kib * 1024})
        limit = max(max_memory_kib(domain), memory_kib)
        b_info = domain.record.config.b_info.replace(target_memkb=memory_kib, max_memkb=limit)
        domain.update(memory_target_kib=memory_kib, config=domain.record.config.replace(b_info=b_info))


def set_max_memory(domain: QemuDomain, memory_kib: int) -> None:
    """The most that ``set_memory_target`` accepts (libxl_domain_setmaxmem).

    Raises InvalidState below the present target, and above the RAM that the machine was made with.
    """
    target = memory_target_kib(domain)
    if memory_kib < target:
        raise InvalidState(
            f"the limit cannot be below what domain {domain.domid} is to use now: {target // 1024} MiB",
            f"shrink it first: xlpy mem-set {domain.domid} {memory_kib // 1024}",
        )
    ram = domain.record.machine.memory_kib
    if memory_kib > ram:
        raise InvalidState(
            f"domain {domain.domid} was made with {ram // 1024} MiB and cannot grow beyond that",
            "create it anew with a larger maxmem=",
        )
    with domain.lock:
        b_info = domain.record.config.b_info.replace(max_memkb=memory_kib)
        domain.update(config=domain.record.config.replace(b_info=b_info))


def memory_target_kib(domain: QemuDomain) -> int:
    """What the guest has been asked to use."""
    return domain.record.memory_target_kib or target_kib(domain.record.config)


def max_memory_kib(domain: QemuDomain) -> int:
    """The most that the guest may be asked to use."""
    ram = domain.record.machine.memory_kib
    return min(ram, domain.record.config.b_info.max_memkb or ram)


def current_memory_kib(domain: QemuDomain) -> int:
    """What the guest has now, by its balloon's word; all of it until the balloon has said something."""
    return domain.balloon_kib if domain.balloon_kib is not None else domain.record.machine.memory_kib


def untouched_kib(current_kib: int, resident_kib: int) -> int:
    """What a domain may still take of the host's memory beyond what it holds."""
    return max(0, current_kib + QEMU_OVERHEAD_KIB - resident_kib)
