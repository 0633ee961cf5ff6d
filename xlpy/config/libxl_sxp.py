"""A DomainConfig as an s-expression, which xl prints where xl.conf says ``output_format="sxp"`` (xl_sxp.c).

The form is older than PVH and than most settings, and says nothing of them.
"""

from __future__ import annotations

from xlpy.errors import NotSupported
from xlpy.model.domain import DomainType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlpy.model.device_config import DiskConfig, NicConfig, PciConfig, VfbConfig
    from xlpy.model.domain_config import DomainConfig

    Fields = tuple[tuple[str, object], ...]

_NO_DOMID = -1
_BACKENDS = (None, "phy", "tap", "qdisk", "standalone")  # libxl_disk_backend


def domain_sxp(config: DomainConfig, domid: int | None = None, uuid: str | None = None) -> str:
    """The text for a config, or for a domain that runs with it. Raises NotSupported for PVH, as xl gives up there."""
    number = _NO_DOMID if domid is None else domid
    lines = ["(domain", f"\t(domid {number})"]
    lines += _level(1, (*_create_info(config, uuid), *_build_info(config)))
    lines += ["\t(image", *_image(config), "\t)"]
    for disk in config.disks:
        lines += _device("tap", (*_ends(number), *_disk(disk)))
    for nic in config.nics:
        name = (("vifname", nic.ifname),) if nic.ifname else ()
        lines += _device("vif", (*name, *_ends(number), *_nic(nic)))
    for function in config.pcidevs:
        lines += ["\t(device", "\t\t(pci", *_pci(function), "\t\t)", "\t)"]
    for screen in config.vfbs:
        lines += _device("vfb", (*_ends(number), *_vfb(screen)))
    return "".join([f"{line}\n" for line in (*lines, ")")])


def _create_info(config: DomainConfig, uuid: str | None) -> Fields:
    info = config.c_info
    return (
        ("create_info", ""),
        ("hvm", int(info.type is DomainType.HVM)),
        ("hap", _choice(info.hap)),
        ("oos", _choice(info.oos)),
        ("ssidref", 0),
        ("name", info.name),
        ("uuid", uuid or "<unknown>"),
        *((("cpupool", info.pool_name),) if info.pool_name else ()),
        ("xsdata", "contains data" if info.xsdata else None),
        ("platformdata", "contains data" if info.platformdata else None),
    )


def _build_info(config: DomainConfig) -> Fields:
    info = config.b_info
    loader: Fields = ()
    if info.bootloader and config.c_info.type is DomainType.PV:
        arguments = (("bootloader_args", " ".join(info.bootloader_args)),) if info.bootloader_args else ()
        loader = (("bootloader", info.bootloader), *arguments)
    return (
        ("build_info", ""),
        ("max_vcpus", info.max_vcpus if info.avail_vcpus or info.max_vcpus > 1 else 0),
        ("max_grant_frames", _number(info.max_grant_frames)),
        ("max_maptrack_frames", _number(info.max_maptrack_frames)),
        ("tsc_mode", info.tsc_mode or "default"),
        ("max_memkb", _number(info.max_memkb)),
        ("target_memkb", _number(info.target_memkb)),
        ("nomigrate", _choice(info.disable_migrate)),
        *loader,
    )


def _image(config: DomainConfig) -> Iterator[str]:
    info = config.b_info
    if config.c_info.type is DomainType.PV:
        yield "\t\t(linux 0)"
        e820_host = info.pv.e820_host if info.pv is not None else None
        yield from _level(
            3,
            (
                ("kernel", info.kernel),
                ("cmdline", info.cmdline),
                ("ramdisk", info.ramdisk),
                ("e820_host", _choice(e820_host)),
            ),
        )
    elif config.c_info.type is DomainType.HVM:
        yield "\t\t(hvm"
        yield from _level(3, _hvm(config))
    else:
        raise NotSupported(
            "Unknown domain type 3", "PVH has no s-expression: take output_format out of xl.conf"
        )
    yield "\t\t)"


def _hvm(config: DomainConfig) -> Fields:
    info = config.b_info
    hvm = info.hvm
    assert hvm is not None
    vnc, sdl, spice = hvm.vnc, hvm.sdl, hvm.spice
    return (
        ("firmware", hvm.firmware),
        ("video_memkb", _number(info.video_memkb)),
        ("shadow_memkb", _number(info.shadow_memkb)),
        ("pae", _choice(hvm.pae)),
        ("apic", _choice(info.apic)),
        ("acpi", _choice(hvm.acpi)),
        ("nx", _choice(hvm.nx)),
        ("viridian", _choice(hvm.viridian)),
        ("hpet", _choice(hvm.hpet)),
        ("vpt_align", _choice(hvm.vpt_align)),
        ("timer_mode", info.timer_mode or "unknown"),
        ("nestedhvm", _choice(info.nested_hvm)),
        ("stdvga", hvm.vga.kind == "std"),
        ("vnc", _choice(vnc.enable)),
        ("vnclisten", vnc.listen),
        ("vncdisplay", vnc.display),
        ("vncunused", _choice(vnc.findunused)),
        ("keymap", hvm.keymap),
        ("sdl", _choice(sdl.enable)),
        ("opengl", _choice(sdl.opengl)),
        ("nographic", _choice(hvm.nographic)),
        ("spice", _choice(spice.enable)),
        ("spiceport", spice.port),
        ("spicetls_port", spice.tls_port),
        ("spicehost", spice.host),
        ("spicedisable_ticketing", _choice(spice.disable_ticketing)),
        ("spiceagent_mouse", _choice(spice.agent_mouse)),
        ("device_model", info.device_model or "default"),
        ("gfx_passthru", _choice(hvm.gfx_passthru)),
        ("serial", hvm.serial),
        ("boot", hvm.boot),
        ("usb", _choice(hvm.usb)),
        ("usbdevice", hvm.usbdevice),
        ("vkb_device", _choice(hvm.vkb_device)),
    )


def _ends(domid: int) -> Fields:
    return (("backend_domid", 0), ("frontend_domid", domid))


def _disk(disk: DiskConfig) -> Fields:
    return (
        ("physpath", disk.pdev_path),
        ("phystype", _BACKENDS.index(disk.backend)),
        ("virtpath", disk.vdev),
        ("unpluggable", disk.removable),
        ("readwrite", disk.readwrite),
        ("is_cdrom", disk.is_cdrom),
    )


def _nic(nic: NicConfig) -> Fields:
    return (
        ("devid", _number(nic.devid)),
        ("mtu", nic.mtu),
        ("model", nic.model),
        ("mac", (nic.mac or "00:00:00:00:00:00").replace(":", "")),
    )


def _pci(function: PciConfig) -> Iterator[str]:
    place = f"{function.domain:04x}:{function.bus:02x}:{function.dev:02x}.{function.func:x}"
    yield f"\t\t\t(pci dev {place}@{function.vdevfn:02x})"
    yield f"\t\t\t(opts msitranslate {int(function.msitranslate)} power_mgmt {int(function.power_mgmt)})"


def _vfb(screen: VfbConfig) -> Fields:
    return (
        ("devid", _number(screen.devid)),
        ("vnc", _choice(screen.vnc.enable)),
        ("vnclisten", screen.vnc.listen),
        ("vncdisplay", screen.vnc.display),
        ("vncunused", _choice(screen.vnc.findunused)),
        ("keymap", screen.keymap),
        ("sdl", _choice(screen.sdl.enable)),
        ("opengl", _choice(screen.sdl.opengl)),
        ("display", screen.sdl.display),
        ("xauthority", screen.sdl.xauthority),
    )


def _device(kind: str, fields: Fields) -> Iterator[str]:
    yield from ("\t(device", f"\t\t({kind}")
    yield from _level(3, fields)
    yield from ("\t\t)", "\t)")


def _level(depth: int, fields: Fields) -> Iterator[str]:
    """A line for each; what isn't set is what C prints of no string."""
    for name, value in fields:
        text = "(null)" if value is None else str(value)
        yield "\t" * depth + (f"({name} {text})" if text else f"({name})")


def _choice(value: bool | None) -> str:
    """libxl_defbool_to_string."""
    return "<default>" if value is None else str(value)


def _number(value: int | None) -> int:
    """What isn't set is all ones."""
    return -1 if value is None else value
