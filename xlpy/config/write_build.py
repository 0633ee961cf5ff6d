"""Settings other than plain ones and devices, from a DomainConfig: type, vcpus, NUMA, platform, screens.

Each function is the way back of the one that ``keys.KEYS`` names for the setting.
"""

from __future__ import annotations

from xlpy.config.platform import SVE_LENGTHS, VIRIDIAN, VIRIDIAN_BITS
from xlpy.model.domain import ActionOnShutdown
from xlpy.model.domain_config import DomainConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.config.literal import Value
    from xlpy.model.domain_config import DomainBuildInfo, HvmInfo, IomemRange, IoportRange

    Found = dict[str, Value]

_UINT32_MAX = (1 << 32) - 1
_KIB_PER_MIB = 1024
_VGA = {"std": "stdvga", "cirrus": "cirrus", "none": "none", "qxl": "qxl"}
_DEVICE_MODELS = {"qemu_xen": "qemu-xen", "qemu_xen_traditional": "qemu-xen-traditional"}
_ACTIONS = {
    ActionOnShutdown.RESTART_RENAME: "rename-restart",
    ActionOnShutdown.COREDUMP_DESTROY: "coredump-destroy",
    ActionOnShutdown.COREDUMP_RESTART: "coredump-restart",
    ActionOnShutdown.SOFT_RESET: "soft-reset",
}


def build_settings(config: DomainConfig) -> Found:
    """The settings by name, in no particular order."""
    build = config.b_info
    found: Found = {"type": config.c_info.type.value}
    found.update(_identity(config))
    found.update(_vcpus(build))
    found.update(_boot(build))
    found.update(_platform(build))
    found.update(_host_ranges(build))
    if build.hvm is not None:
        found.update(_hvm(build.hvm))
    return found


def _given(**values: Value | None) -> Found:
    """What of these has a value."""
    return {name: value for name, value in values.items() if value is not None and value != ()}


def _flag(value: bool | None) -> int | None:
    return None if value is None else int(value)


def _identity(config: DomainConfig) -> Found:
    create, build = config.c_info, config.b_info
    found = _given(name=create.name, uuid=create.uuid, passthrough=create.passthrough)
    if build.exec_ssid_label is not None:
        found.update(_given(init_seclabel=create.ssid_label, seclabel=build.exec_ssid_label))
    else:
        found.update(_given(seclabel=create.ssid_label))
    quotas = tuple([f"{quota.name}={quota.val}" for quota in build.xenstore_quota])
    found.update(_given(xenstore_quota=quotas))
    for key in ("on_poweroff", "on_reboot", "on_watchdog", "on_crash", "on_soft_reset"):
        action = getattr(config, key)
        if action != getattr(DomainConfig, key):
            found[key] = _ACTIONS.get(action, action.value)
    return found


def _vcpus(build: DomainBuildInfo) -> Found:
    found: Found = {}
    if build.avail_vcpus:
        found["vcpus"] = len(build.avail_vcpus)
    if "max_vcpus" in build.__dict__ and build.max_vcpus != len(build.avail_vcpus):
        found["maxvcpus"] = build.max_vcpus
    found.update(_affinity(build))
    if build.vnuma_nodes:
        found["vnuma"] = _nodes(build)
    found.update(_given(llc_colors=tuple([str(color) for color in build.llc_colors])))
    return found


def _affinity(build: DomainBuildInfo) -> Found:
    """One CPU list or one for each vcpu. As in xl a list also turns automatic NUMA placement off, as ``pnode`` does."""
    found: Found = {}
    hard, soft = build.vcpu_hard_affinity, build.vcpu_soft_affinity
    placed_by_hand = build.numa_placement is False and not build.vnuma_nodes and not soft
    if hard or placed_by_hand:
        uniform = len(set(hard)) == 1 and len(hard) == build.max_vcpus
        found["cpus"] = cpu_list(hard[0]) if uniform and not placed_by_hand else _cpu_lists(hard)
    if soft:
        uniform = len(set(soft)) == 1 and len(soft) == build.max_vcpus
        found["cpus_soft"] = cpu_list(soft[0]) if uniform else _cpu_lists(soft)
    return found


def _cpu_lists(masks: tuple[tuple[int, ...], ...]) -> tuple[str, ...]:
    lists = {mask: cpu_list(mask) for mask in set(masks)}
    return tuple([lists[mask] for mask in masks])


def cpu_list(numbers: tuple[int, ...]) -> str:
    """Ascending numbers as ``0-3,7``."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join([str(first) if first == last else f"{first}-{last}" for first, last in ranges])


def _nodes(build: DomainBuildInfo) -> Value:
    """The nodes. Where a file says ``size`` or ``vcpus`` twice for a node, xl adds both up and keeps the last."""
    surplus_mib = (
        (build.max_memkb or 0) - sum([node.memkb or 0 for node in build.vnuma_nodes])
    ) // _KIB_PER_MIB
    surplus_vcpus = build.max_vcpus - sum([len(node.vcpus) for node in build.vnuma_nodes])
    written = []
    for node in build.vnuma_nodes:
        parts = [f"pnode={node.pnode}"] if node.pnode or build.numa_placement is False else []
        if node.memkb is not None:
            if surplus_mib > 0:
                parts.append(f"size={surplus_mib}")
                surplus_mib = 0
            parts.append(f"size={node.memkb // _KIB_PER_MIB}")
        if node.vcpus:
            if surplus_vcpus > 0:
                parts.append(f"vcpus={','.join([str(node.vcpus[0])] * surplus_vcpus)}")
                surplus_vcpus = 0
            parts.append(f"vcpus={cpu_list(node.vcpus)}")
        if any(node.distances):
            parts.append(f"vdistances={','.join([str(distance) for distance in node.distances])}")
        written.append(tuple(parts))
    return tuple(written)


def _boot(build: DomainBuildInfo) -> Found:
    return _given(
        cmdline=build.cmdline,
        bootloader_restrict=_flag(build.bootloader_restrict),
        bootloader_args=build.bootloader_args,
        max_grant_frames=build.max_grant_frames,
        max_maptrack_frames=build.max_maptrack_frames,
        max_grant_version=build.max_grant_version,
    )


def _platform(build: DomainBuildInfo) -> Found:
    from xlpy.config.write_cpuid import cpuid_value

    arm, sci = build.arch_arm, build.arch_arm.arm_sci
    found = _given(
        tsc_mode=build.tsc_mode,
        timer_mode=build.timer_mode,
        altp2m=build.altp2m,
        altp2m_count=build.altp2m_count,
        vmtrace_buf_kb=build.vmtrace_buf_kb or None,
        device_model_override=build.device_model,
        device_model_version=_DEVICE_MODELS.get(build.device_model_version or ""),
        msr_relaxed=_flag(build.arch_x86.msr_relaxed),
        vuart=arm.vuart,
        gic_version=arm.gic_version,
        tee=build.tee,
        sve=arm.sve_vl if arm.sve_vl in SVE_LENGTHS else None,
        arm_sci=f"type={sci.type}" if sci is not None else None,
    )
    if build.cpuid is not None:
        found.update(_given(cpuid=cpuid_value(build.cpuid)))
    return found


def _host_ranges(build: DomainBuildInfo) -> Found:
    return _given(
        ioports=tuple([_ioports(ports) for ports in build.ioports]),
        irqs=tuple([str(irq) for irq in build.irqs]),
        iomem=tuple([_iomem(memory) for memory in build.iomem]),
    )


def _ioports(ports: IoportRange) -> str:
    last = ports.first + ports.number - 1 & _UINT32_MAX  # the range may run backwards
    return f"{ports.first:x}" if ports.number == 1 else f"{ports.first:x}-{last:x}"


def _iomem(memory: IomemRange) -> str:
    at = "" if memory.gfn is None else f"@{memory.gfn:x}"
    return f"{memory.start:x},{memory.number:x}{at}"


def _hvm(hvm: HvmInfo) -> Found:
    found = _given(
        bios=hvm.bios,
        bios_path_override=hvm.system_firmware,
        viridian=_viridian(hvm),
        mmio_hole=None if hvm.mmio_hole_memkb is None else hvm.mmio_hole_memkb // _KIB_PER_MIB,
        altp2mhvm=_flag(hvm.altp2m),
        smbios=tuple([f"{entry.key}={entry.value}" for entry in hvm.smbios]),
        ms_vm_genid="generate" if hvm.ms_vm_genid else None,
        mca_caps=("lmce",) if hvm.mca_caps else None,
        hdtype=hvm.hdtype,
        vga=_VGA.get(hvm.vga.kind or ""),
        gfx_passthru=hvm.gfx_passthru_kind or _flag(hvm.gfx_passthru),
        serial=hvm.serial_list or hvm.serial,
        usbdevice=hvm.usbdevice_list or hvm.usbdevice,
        vendor_device=hvm.vendor_device,
        rdm=f"strategy={hvm.rdm.strategy}" if hvm.rdm.strategy else None,
    )
    vnc, sdl = hvm.vnc, hvm.sdl
    found.update(
        _given(
            vnc=_flag(vnc.enable),
            vnclisten=vnc.listen,
            vncpasswd=vnc.passwd,
            vncdisplay=vnc.display or None,
            vncunused=_flag(vnc.findunused),
            sdl=_flag(sdl.enable),
            opengl=_flag(sdl.opengl),
            display=sdl.display,
            xauthority=sdl.xauthority,
        )
    )
    return found


def _viridian(hvm: HvmInfo) -> Value | None:
    """A list of groups if any is named, else a flag. ``all`` comes before what it shall not bring back."""
    enabled, disabled = set(hvm.viridian_enable), set(hvm.viridian_disable)
    if not enabled and not disabled:
        return _flag(hvm.viridian)
    words = ["defaults"] if hvm.viridian else []
    named = range(len(VIRIDIAN))
    if enabled - set(named):
        words += [f"!{VIRIDIAN[bit]}" for bit in sorted(disabled & enabled)]
        words += ["all", *[f"!{VIRIDIAN[bit]}" for bit in sorted(disabled - enabled)]]
        missing = set(range(VIRIDIAN_BITS)) - enabled - disabled
        return tuple(words) if not missing else _flag(hvm.viridian)
    words += [VIRIDIAN[bit] for bit in sorted(enabled)]
    return (*words, *[f"!{VIRIDIAN[bit]}" for bit in sorted(disabled) if bit in named])
