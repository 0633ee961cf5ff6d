"""What ``xl list -l`` shows of a running domain beyond its config file: defaults that libxl fills in and keeps."""

from __future__ import annotations

from xlpy.model.domain import DomainType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xlpy.model.domain_config import DomainBuildInfo, DomainConfig, DomainSchedParams

_INVALID_DOMID = 0xFFFFFFFF  # libxl keeps the config as it was before there was a domid
_DEFAULT_MEMORY_KIB = 32 << 10
_VIDEO_MEMORY_KIB = {"none": 0, "std": 16 << 10, "qxl": 128 << 10}
_CIRRUS_MEMORY_KIB = 8 << 10
_DEFAULT_WEIGHT = 256


def as_started(config: DomainConfig) -> DomainConfig:
    """The config as libxl has it once the domain runs.

    That is libxl__update_domain_configuration, which keeps some of the defaults, and the numbers that
    libxl_retrieve_domain_configuration asks Xen for, as far as they follow from the config.
    """
    is_hvm = config.c_info.type == DomainType.HVM
    nics = [nic.replace(nictype=nic.nictype or ("vif_ioemu" if is_hvm else "vif")) for nic in config.nics]
    disks = [
        disk if disk.colo_restore_enable is not None else disk.replace(colo_restore_enable=False)
        for disk in config.disks
    ]
    return config.replace(
        c_info=config.c_info.replace(domid=_INVALID_DOMID),
        b_info=_build_info(config.b_info),
        disks=tuple(disks),
        nics=tuple(nics),
    )


def as_retrieved(config: DomainConfig) -> DomainConfig:
    """The config that libxl itself has given; one that comes without a domid was made without asking for one."""
    if config.c_info.domid is not None:
        return config
    return config.replace(c_info=config.c_info.replace(domid=_INVALID_DOMID))


def _build_info(info: DomainBuildInfo) -> DomainBuildInfo:
    target_kib = info.target_memkb or info.max_memkb or _DEFAULT_MEMORY_KIB
    changes: dict[str, Any] = {
        "max_vcpus": info.max_vcpus,
        "avail_vcpus": info.avail_vcpus or (0,),
        "target_memkb": target_kib,
        "max_memkb": info.max_memkb or target_kib,
        "video_memkb": _video_memory_kib(info),
        "sched_params": _sched_params(info.sched_params),
    }
    if info.arch_x86.msr_relaxed is None:
        changes["arch_x86"] = info.arch_x86.replace(msr_relaxed=False)
    if info.hvm is not None and info.hvm.pirq is None:
        changes["hvm"] = info.hvm.replace(pirq=False)
    return info.replace(**changes)


def _sched_params(params: DomainSchedParams) -> DomainSchedParams:
    """The parameters of the credit2 scheduler; others are not asked for."""
    weight = _DEFAULT_WEIGHT if params.weight is None else params.weight
    return params.replace(sched=params.sched or "credit2", weight=weight, cap=params.cap or 0)


def _video_memory_kib(info: DomainBuildInfo) -> int:
    if info.video_memkb is not None:
        return info.video_memkb
    if info.hvm is None:
        return 0
    return _VIDEO_MEMORY_KIB.get(info.hvm.vga.kind or "", _CIRRUS_MEMORY_KIB)
