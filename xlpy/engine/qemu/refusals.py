"""What a configuration may ask that this engine cannot do: refused where it matters, noted where it doesn't."""

from __future__ import annotations

from xlpy.engine.qemu.block import check_disks
from xlpy.engine.qemu.boot import check_boot_files
from xlpy.engine.qemu.cpus import check_affinity
from xlpy.engine.qemu.display import check_display
from xlpy.errors import NotSupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.model.domain_config import DomainConfig

_ONLY_POOL = ("", "Pool-0")


def check_config(config: DomainConfig) -> None:
    """Raises ConfigError, NotSupported or PermissionRefused for what this host cannot make."""
    check_options(config)
    check_boot_files(config)
    check_disks(config)
    check_display(config)
    check_affinity(config)


def check_options(config: DomainConfig) -> None:
    """Raises NotSupported for a setting that there is nothing for here."""
    c_info, b_info = config.c_info, config.b_info
    if c_info.pool_name is not None and c_info.pool_name not in _ONLY_POOL:
        raise NotSupported(f"the qemu engine has no cpupool '{c_info.pool_name}'", "leave pool= out")
    if c_info.driver_domain:
        raise NotSupported("the qemu engine has no driver domains", "leave driver_domain= out")
    if b_info.device_model_stubdomain:
        raise NotSupported(
            "the qemu engine has no stub domains", "leave device_model_stubdomain_override= out"
        )
    if b_info.device_tree:
        raise NotSupported("an x86 domain takes no device tree", "leave device_tree= out")
    if b_info.pvh is not None and b_info.pvh.pvshim:
        raise NotSupported(
            "the qemu engine has no PV shim", "leave pvshim= out: the kernel is started directly"
        )


def ignored_notes(config: DomainConfig) -> list[str]:
    """Settings of Xen's own that make no difference to a guest here."""
    c_info, b_info, hvm = config.c_info, config.b_info, config.b_info.hvm
    settings = {
        "seclabel": c_info.ssid_label,
        "device_model_stubdomain_seclabel": b_info.exec_ssid_label,
        "tsc_mode": b_info.tsc_mode,
        "timer_mode": b_info.timer_mode,
        "shadow_memory": b_info.shadow_memkb,
        "hap": c_info.hap is False,
        "oos": c_info.oos is False,
        "blkdev_start": b_info.blkdev_start,
        "device_model_version": b_info.device_model_version == "qemu_xen_traditional",
        "dm_restrict": b_info.dm_restrict,
        "firmware_override": hvm.firmware if hvm is not None else None,
        "xen_platform_pci": hvm.xen_platform_pci if hvm is not None else None,
        "pae": hvm is not None and hvm.pae is False,
        "apic": b_info.apic is False or (hvm is not None and hvm.apic is False),
        "e820_host": b_info.pv.e820_host if b_info.pv is not None else None,
    }
    return [f"{name}= makes no difference to the qemu engine" for name, value in settings.items() if value]
