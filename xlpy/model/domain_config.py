"""What a domain shall be: libxl_domain_config, with libxl's own field names, nesting and order.

Its JSON form (``xlpy.config.libxl_json``) is libxl's. The order of the fields is libxl's IDL order and
matters for that reason; so does the annotation of a field: ``bool | None`` is a defbool, ``bool`` a plain
bool, ``int`` a number whose default is 0, ``int | None`` one with a default of its own. An unset string, number
or enum is None, and an enum value that is libxl's default is None too. Memory is in KiB and ends in ``memkb``
as in libxl; enums are libxl's lower-case names as text. Fields that only libxl itself fills in are left out.
"""

from __future__ import annotations

from xlpy.model.device_config import (
    ChannelConfig,
    DiskConfig,
    DtdevConfig,
    NicConfig,
    P9Config,
    PciConfig,
    PvcallsConfig,
    SdlInfo,
    UsbctrlConfig,
    UsbdevConfig,
    VdisplConfig,
    VfbConfig,
    VirtioConfig,
    VkbConfig,
    VncInfo,
    VsndConfig,
    VtpmConfig,
)
from xlpy.model.domain import ActionOnShutdown, DomainType, ShutdownReason
from xlpy.model.record import Record

__all__ = [
    "ArmInfo",
    "ArmSci",
    "ChannelConfig",
    "CpuidLeaf",
    "CpuidMsr",
    "CpuidPolicy",
    "DiskConfig",
    "DomainBuildInfo",
    "DomainConfig",
    "DomainCreateInfo",
    "DomainSchedParams",
    "DtdevConfig",
    "HvmInfo",
    "IomemRange",
    "IoportRange",
    "NicConfig",
    "P9Config",
    "PciConfig",
    "PvInfo",
    "PvcallsConfig",
    "PvhInfo",
    "RdmReserve",
    "SdlInfo",
    "Smbios",
    "SpiceInfo",
    "UsbctrlConfig",
    "UsbdevConfig",
    "VdisplConfig",
    "VfbConfig",
    "VgaInterfaceInfo",
    "VirtioConfig",
    "VkbConfig",
    "VncInfo",
    "VnodeInfo",
    "VsndConfig",
    "VtpmConfig",
    "X86Info",
    "XenstoreQuota",
]


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


class SpiceInfo(Record):
    """libxl_spice_info."""

    enable: bool | None = None
    port: int = 0
    tls_port: int = 0
    host: str | None = None
    disable_ticketing: bool | None = None
    passwd: str | None = None
    agent_mouse: bool | None = None
    vdagent: bool | None = None
    clipboard_sharing: bool | None = None
    usbredirection: int = 0
    image_compression: str | None = None
    streaming_video: str | None = None


class Smbios(Record):
    """libxl_smbios: one string of the SMBIOS tables."""

    key: str
    value: str


class RdmReserve(Record):
    """libxl_rdm_reserve: reserved device memory."""

    strategy: str | None = None  # host
    policy: str | None = None  # strict relaxed


class HvmInfo(Record):
    """The part of libxl_domain_build_info that only HVM guests have."""

    firmware: str | None = None
    bios: str | None = None  # rombios seabios ovmf
    pae: bool | None = None
    apic: bool | None = None  # deprecated in libxl: DomainBuildInfo.apic
    acpi: bool | None = None
    acpi_s3: bool | None = None
    acpi_s4: bool | None = None
    acpi_laptop_slate: bool | None = None
    nx: bool | None = None
    viridian: bool | None = None
    viridian_enable: tuple[int, ...] = ()
    viridian_disable: tuple[int, ...] = ()
    timeoffset: str | None = None
    hpet: bool | None = None
    vpt_align: bool | None = None
    mmio_hole_memkb: int | None = None
    altp2m: bool | None = None
    system_firmware: str | None = None
    smbios_firmware: str | None = None
    smbios: tuple[Smbios, ...] = ()
    acpi_firmware: str | None = None
    hdtype: str | None = None  # ahci; None is ide
    nographic: bool | None = None
    vga: VgaInterfaceInfo = VgaInterfaceInfo()
    vnc: VncInfo = VncInfo()
    keymap: str | None = None
    sdl: SdlInfo = SdlInfo()
    spice: SpiceInfo = SpiceInfo()
    gfx_passthru: bool | None = None
    gfx_passthru_kind: str | None = None  # igd
    serial: str | None = None
    boot: str | None = None
    usb: bool | None = None
    usbversion: int = 0
    usbdevice: str | None = None
    vkb_device: bool | None = None
    soundhw: str | None = None
    xen_platform_pci: bool | None = None
    xen_platform_pci_bar_uc: bool | None = None
    usbdevice_list: tuple[str, ...] = ()
    vendor_device: str | None = None  # xenserver
    ms_vm_genid: tuple[int, ...] = ()  # 16 bytes
    serial_list: tuple[str, ...] = ()
    rdm: RdmReserve = RdmReserve()
    rdm_mem_boundary_memkb: int | None = None
    mca_caps: int = 0
    pirq: bool | None = None


class PvInfo(Record):
    """The part of libxl_domain_build_info that only PV guests have."""

    e820_host: bool | None = None


class PvhInfo(Record):
    """The part of libxl_domain_build_info that only PVH guests have."""

    pvshim: bool | None = None
    pvshim_path: str | None = None
    pvshim_cmdline: str | None = None
    pvshim_extra: str | None = None


class VnodeInfo(Record):
    """libxl_vnode_info: a NUMA node as the guest sees it."""

    memkb: int | None = None
    distances: tuple[int, ...] = ()
    pnode: int = 0
    vcpus: tuple[int, ...] = ()


class CpuidLeaf(Record):
    """One leaf of a CPUID policy: 32 characters of ``01xks`` per register, most significant bit first."""

    leaf: int
    subleaf: int | None = None
    eax: str | None = None
    ebx: str | None = None
    ecx: str | None = None
    edx: str | None = None


class CpuidMsr(Record):
    """One MSR of a CPUID policy: 64 characters of ``01xk``, most significant bit first."""

    index: int
    policy: str


class CpuidPolicy(Record):
    """libxl_cpuid_policy_list."""

    cpuid: tuple[CpuidLeaf, ...] = ()
    msr: tuple[CpuidMsr, ...] = ()


class IoportRange(Record):
    """libxl_ioport_range."""

    first: int = 0
    number: int = 0


class IomemRange(Record):
    """libxl_iomem_range, in frames. A ``gfn`` of None is the same as ``start``."""

    start: int = 0
    number: int = 0
    gfn: int | None = None


class ArmSci(Record):
    """libxl_arm_sci."""

    type: str | None = None  # scmi_smc


class ArmInfo(Record):
    """The ``arch_arm`` part of libxl_domain_build_info."""

    gic_version: str | None = None  # v2 v3
    vuart: str | None = None  # sbsa_uart
    sve_vl: str | None = None  # hw, 128 ... 2048
    nr_spis: int = 0
    arm_sci: ArmSci | None = None


class X86Info(Record):
    """The ``arch_x86`` part of libxl_domain_build_info."""

    msr_relaxed: bool | None = None


class XenstoreQuota(Record):
    """libxl_xs_quota_item."""

    name: str
    val: int = 0


class DomainBuildInfo(Record):
    """libxl_domain_build_info. Exactly one of ``hvm``, ``pv`` and ``pvh`` is set.

    ``avail_vcpus`` is empty where the config gives no ``vcpus``: then vcpu 0 alone is online.
    """

    telling_ = ("max_vcpus",)  # libxl keeps what was given, and ``xl list -l`` shows it

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
    cpuid: CpuidPolicy | None = None
    blkdev_start: str | None = None
    vnuma_nodes: tuple[VnodeInfo, ...] = ()
    max_grant_frames: int | None = None
    max_maptrack_frames: int | None = None
    max_grant_version: int | None = None
    device_model_version: str | None = None
    device_model_stubdomain: bool | None = None
    stubdomain_memkb: int | None = None
    stubdomain_kernel: str | None = None
    stubdomain_cmdline: str | None = None
    stubdomain_ramdisk: str | None = None
    device_model: str | None = None
    device_model_ssid_label: str | None = None
    device_model_user: str | None = None
    extra: tuple[str, ...] = ()
    extra_pv: tuple[str, ...] = ()
    extra_hvm: tuple[str, ...] = ()
    sched_params: DomainSchedParams = DomainSchedParams()
    ioports: tuple[IoportRange, ...] = ()
    irqs: tuple[int, ...] = ()
    iomem: tuple[IomemRange, ...] = ()
    llc_colors: tuple[int, ...] = ()
    claim_mode: bool | None = None
    event_channels: int = 0
    kernel: str | None = None
    cmdline: str | None = None
    ramdisk: str | None = None
    device_tree: str | None = None
    acpi: bool | None = None
    bootloader: str | None = None
    bootloader_args: tuple[str, ...] = ()
    bootloader_restrict: bool | None = None
    bootloader_user: str | None = None
    timer_mode: str | None = None
    nested_hvm: bool | None = None
    apic: bool | None = None
    dm_restrict: bool | None = None
    tee: str | None = None  # optee ffa
    hvm: HvmInfo | None = None
    pv: PvInfo | None = None
    pvh: PvhInfo | None = None
    arch_arm: ArmInfo = ArmInfo()
    arch_x86: X86Info = X86Info()
    altp2m: str | None = None  # mixed external limited
    altp2m_count: int | None = None
    vmtrace_buf_kb: int = 0
    vpmu: bool | None = None
    trap_unmapped_accesses: bool | None = None
    xenstore_feature_mask: int | None = None
    xenstore_quota: tuple[XenstoreQuota, ...] = ()


class DomainConfig(Record):
    """libxl_domain_config."""

    c_info: DomainCreateInfo
    b_info: DomainBuildInfo
    disks: tuple[DiskConfig, ...] = ()
    nics: tuple[NicConfig, ...] = ()
    pcidevs: tuple[PciConfig, ...] = ()
    dtdevs: tuple[DtdevConfig, ...] = ()
    vfbs: tuple[VfbConfig, ...] = ()
    vkbs: tuple[VkbConfig, ...] = ()
    virtios: tuple[VirtioConfig, ...] = ()
    vtpms: tuple[VtpmConfig, ...] = ()
    p9s: tuple[P9Config, ...] = ()
    pvcallsifs: tuple[PvcallsConfig, ...] = ()
    vdispls: tuple[VdisplConfig, ...] = ()
    vsnds: tuple[VsndConfig, ...] = ()
    channels: tuple[ChannelConfig, ...] = ()
    usbctrls: tuple[UsbctrlConfig, ...] = ()
    usbdevs: tuple[UsbdevConfig, ...] = ()
    on_poweroff: ActionOnShutdown = ActionOnShutdown.DESTROY
    on_reboot: ActionOnShutdown = ActionOnShutdown.RESTART
    on_watchdog: ActionOnShutdown = ActionOnShutdown.DESTROY
    on_crash: ActionOnShutdown = ActionOnShutdown.DESTROY
    on_soft_reset: ActionOnShutdown = ActionOnShutdown.SOFT_RESET

    def action_on(self, reason: ShutdownReason) -> ActionOnShutdown | None:
        """What is wanted done about an end; None for an end that was done to the domain."""
        actions = {
            ShutdownReason.POWEROFF: self.on_poweroff,
            ShutdownReason.REBOOT: self.on_reboot,
            ShutdownReason.CRASH: self.on_crash,
            ShutdownReason.WATCHDOG: self.on_watchdog,
            ShutdownReason.SOFT_RESET: self.on_soft_reset,
        }
        return actions.get(reason)
