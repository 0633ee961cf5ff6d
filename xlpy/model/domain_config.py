"""What a domain shall be: libxl_domain_config, with libxl's own field names, nesting and order.

Its JSON form (``xlpy.config.libxl_json``) is libxl's. The order of the fields is libxl's IDL order and
matters for that reason. Conventions: a defbool is ``bool | None``; an unset number, string or enum is None;
memory is in KiB and ends in ``memkb`` as in libxl; enums are libxl's lower-case names as text.
"""

from __future__ import annotations

from xlpy.model.domain import ActionOnShutdown, DomainType
from xlpy.model.record import Record


class DomainCreateInfo(Record):
    """libxl_domain_create_info."""

    type: DomainType = DomainType.PV
    hap: bool | None = None
    oos: bool | None = None
    ssid_label: str | None = None
    name: str | None = None
    domid: int | None = None
    uuid: str | None = None
    xsdata: dict[str, str] = {}  # noqa: RUF012
    platformdata: dict[str, str] = {}  # noqa: RUF012
    pool_name: str | None = None
    run_hotplug_scripts: bool | None = None
    driver_domain: bool | None = None
    passthrough: str | None = None
    xend_suspend_evtchn_compat: bool | None = None


class DomainSchedParams(Record):
    """libxl_domain_sched_params; None is the scheduler's own default."""

    sched: str | None = None
    weight: int | None = None
    cap: int | None = None
    period: int | None = None
    budget: int | None = None
    extratime: int | None = None
    slice: int | None = None
    latency: int | None = None


class VgaInterfaceInfo(Record):
    """libxl_vga_interface_info."""

    kind: str | None = None  # cirrus std none qxl


class VncInfo(Record):
    """libxl_vnc_info."""

    enable: bool | None = None
    listen: str | None = None
    passwd: str | None = None
    display: int = 0
    findunused: bool | None = None


class SdlInfo(Record):
    """libxl_sdl_info."""

    enable: bool | None = None
    opengl: bool | None = None
    display: str | None = None
    xauthority: str | None = None


class HvmInfo(Record):
    """The part of libxl_domain_build_info that only HVM guests have."""

    firmware: str | None = None
    bios: str | None = None  # rombios seabios ovmf
    pae: bool | None = None
    apic: bool | None = None
    acpi: bool | None = None
    acpi_s3: bool | None = None
    acpi_s4: bool | None = None
    nx: bool | None = None
    hpet: bool | None = None
    system_firmware: str | None = None
    hdtype: str | None = None  # ide ahci
    nographic: bool | None = None
    vga: VgaInterfaceInfo = VgaInterfaceInfo()
    vnc: VncInfo = VncInfo()
    keymap: str | None = None
    sdl: SdlInfo = SdlInfo()
    serial: str | None = None
    boot: str | None = None
    usb: bool | None = None
    usbversion: int = 0
    usbdevice: str | None = None
    vkb_device: bool | None = None
    soundhw: str | None = None
    xen_platform_pci: bool | None = None
    usbdevice_list: tuple[str, ...] = ()
    serial_list: tuple[str, ...] = ()


class PvInfo(Record):
    """The part of libxl_domain_build_info that only PV guests have."""

    e820_host: bool | None = None


class PvhInfo(Record):
    """The part of libxl_domain_build_info that only PVH guests have."""

    pvshim: bool | None = None
    pvshim_path: str | None = None
    pvshim_cmdline: str | None = None
    pvshim_extra: str | None = None


class DomainBuildInfo(Record):
    """libxl_domain_build_info. Exactly one of ``hvm``, ``pv`` and ``pvh`` is set."""

    max_vcpus: int = 1
    avail_vcpus: tuple[int, ...] = ()  # numbers of the vcpus that are online at start
    vcpu_hard_affinity: tuple[tuple[int, ...], ...] = ()
    vcpu_soft_affinity: tuple[tuple[int, ...], ...] = ()
    numa_placement: bool | None = None
    tsc_mode: str | None = None
    max_memkb: int | None = None
    target_memkb: int | None = None
    video_memkb: int | None = None
    shadow_memkb: int | None = None
    rtc_timeoffset: int = 0
    exec_ssid_label: str | None = None
    localtime: bool | None = None
    disable_migrate: bool | None = None
    blkdev_start: str | None = None
    device_model_version: str | None = None
    device_model_stubdomain: bool | None = None
    device_model: str | None = None
    device_model_user: str | None = None
    extra: tuple[str, ...] = ()
    extra_pv: tuple[str, ...] = ()
    extra_hvm: tuple[str, ...] = ()
    sched_params: DomainSchedParams = DomainSchedParams()
    claim_mode: bool | None = None
    kernel: str | None = None
    cmdline: str | None = None
    ramdisk: str | None = None
    device_tree: str | None = None
    acpi: bool | None = None
    bootloader: str | None = None
    bootloader_args: tuple[str, ...] = ()
    timer_mode: str | None = None
    nested_hvm: bool | None = None
    apic: bool | None = None
    dm_restrict: bool | None = None
    hvm: HvmInfo | None = None
    pv: PvInfo | None = None
    pvh: PvhInfo | None = None


class DiskConfig(Record):
    """libxl_device_disk. An empty CD drive has ``is_cdrom`` and no ``pdev_path``."""

    backend_domname: str | None = None
    pdev_path: str | None = None
    vdev: str = ""
    backend: str | None = None  # phy tap qdisk standalone
    format: str | None = None  # raw qcow qcow2 vhd qed empty
    script: str | None = None
    removable: int = 0
    readwrite: int = 0
    is_cdrom: int = 0
    direct_io_safe: bool = False
    discard_enable: bool | None = None
    specification: str | None = None  # xen virtio
    trusted: bool | None = None
    grant_usage: bool | None = None


class NicConfig(Record):
    """libxl_device_nic. ``mac`` is lower-case with colons; None asks for a made-up one."""

    backend_domname: str | None = None
    devid: int | None = None
    mtu: int = 0
    vlan: str | None = None
    model: str | None = None
    mac: str | None = None
    ip: str | None = None
    bridge: str | None = None
    ifname: str | None = None
    script: str | None = None
    nictype: str | None = None  # vif_ioemu vif
    rate_bytes_per_interval: int = 0
    rate_interval_usecs: int = 0
    gatewaydev: str | None = None
    trusted: bool | None = None


class VfbConfig(Record):
    """libxl_device_vfb."""

    backend_domname: str | None = None
    devid: int | None = None
    vnc: VncInfo = VncInfo()
    sdl: SdlInfo = SdlInfo()
    keymap: str | None = None


class VkbConfig(Record):
    """libxl_device_vkb."""

    backend_domname: str | None = None
    devid: int | None = None
    backend_type: str | None = None


class DomainConfig(Record):
    """libxl_domain_config."""

    c_info: DomainCreateInfo
    b_info: DomainBuildInfo
    disks: tuple[DiskConfig, ...] = ()
    nics: tuple[NicConfig, ...] = ()
    vfbs: tuple[VfbConfig, ...] = ()
    vkbs: tuple[VkbConfig, ...] = ()
    on_poweroff: ActionOnShutdown = ActionOnShutdown.DESTROY
    on_reboot: ActionOnShutdown = ActionOnShutdown.RESTART
    on_watchdog: ActionOnShutdown = ActionOnShutdown.DESTROY
    on_crash: ActionOnShutdown = ActionOnShutdown.DESTROY
    on_soft_reset: ActionOnShutdown = ActionOnShutdown.SOFT_RESET
