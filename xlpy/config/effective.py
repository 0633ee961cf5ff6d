"""The effective settings of a config: what the file says, what follows from that, and libxl's defaults."""

from __future__ import annotations

from xlpy.config.keys import KEYS
from xlpy.config.literal import literal
from xlpy.config.writer import settings_of
from xlpy.model.domain import DomainType
from xlpy.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.config.literal import Value
    from xlpy.config.settings import Settings
    from xlpy.model.domain_config import DomainConfig


class Effective(Record):
    """One setting, its value as a file would spell it, and where that comes from.

    ``source`` is ``file``, ``derived`` or ``default``; ``origin`` is the place in the file, the setting that it
    follows from, or ``libxl``.
    """

    name: str
    value: str
    source: str
    origin: str


# Settings that a value may come from when the setting itself isn't given.
_GIVEN_BY: dict[str, tuple[str, ...]] = {
    "type": ("builder",),
    "cmdline": ("root", "extra"),
    "maxmem": ("vnuma", "memory"),
    "maxvcpus": ("vnuma", "vcpus"),
    "vfb": ("vnc",),
    "kernel": ("firmware",),
    "bios": ("firmware",),
    "firmware_override": ("firmware",),
    "vga": ("stdvga",),
    "seclabel": ("init_seclabel",),
    "init_seclabel": ("seclabel",),
    "e820_host": ("pci",),
    "cpus": ("cpus_soft",),
    "device_model_version": ("device_model_override",),
}

_ALL: dict[str, Value] = {
    "vcpus": 1,
    "memory": 32,
    "cpu_weight": 256,
    "cap": 0,
    "on_poweroff": "destroy",
    "on_reboot": "restart",
    "on_watchdog": "destroy",
    "on_crash": "destroy",
    "on_soft_reset": "soft-reset",
    "driver_domain": 0,
    "nomigrate": 0,
    "localtime": 0,
    "rtc_timeoffset": 0,
    "tsc_mode": "default",
    "max_event_channels": 1023,
    "passthrough": "disabled",
    "vpmu": 0,
    "dm_restrict": 0,
    "xend_suspend_evtchn_compat": 0,
}
_HAP: dict[str, Value] = {
    "hap": 1,
    "acpi": 1,
    "nestedhvm": 0,
    "altp2m": "disabled",
    "timer_mode": "no_delay_for_missed_ticks",
}
_HVM: dict[str, Value] = {
    **_HAP,
    "device_model_version": "qemu-xen",
    "device_model_stubdomain_override": 0,
    "bios": "seabios",
    "boot": "cda",
    "pae": 1,
    "apic": 1,
    "acpi_s3": 1,
    "acpi_s4": 1,
    "acpi_laptop_slate": 0,
    "nx": 1,
    "hpet": 1,
    "vpt_align": 1,
    "viridian": 0,
    "vga": "cirrus",
    "vnc": 1,
    "vnclisten": "127.0.0.1",
    "vncunused": 1,
    "sdl": 0,
    "spice": 0,
    "nographic": 0,
    "gfx_passthru": 0,
    "hdtype": "ide",
    "usb": 0,
    "vkb_device": 1,
    "xen_platform_pci": 1,
    "vendor_device": "none",
    "hvm_pirq": 0,
}
DEFAULTS: dict[DomainType, dict[str, Value]] = {
    DomainType.PV: {**_ALL, "e820_host": 0},
    DomainType.PVH: {**_ALL, **_HAP, "pvshim": 0},
    DomainType.HVM: {**_ALL, **_HVM},
}
"""What libxl fills in (libxl__domain_config_setdefault), as far as it doesn't depend on the host."""


def effective_settings(config: DomainConfig, settings: Settings) -> tuple[Effective, ...]:
    """Every setting that has a value, in the order of a file; ``settings`` is what ``config`` was read from."""
    said = settings_of(config)
    if config.b_info.max_memkb and "maxmem" not in said and "memory" in said:
        said["maxmem"] = said["memory"]
    defaults = defaults_of(config, said)
    found = {name: _said(name, value, settings) for name, value in said.items()}
    for name, value in defaults.items():
        found[name] = Effective(name=name, value=_spelled(name, value), source="default", origin="libxl")
    order = dict.fromkeys(["name", "type", "uuid", *[row[0] for row in KEYS]])
    return tuple([found[name] for name in order if name in found])


def defaults_of(config: DomainConfig, said: dict[str, Value]) -> dict[str, Value]:
    """libxl's defaults for settings that have no value, without those that others make pointless."""
    pointless = set(said)
    if said.get("vnc") == 0 and config.b_info.hvm is not None:
        pointless |= {"vnclisten", "vncunused"}
    if "altp2mhvm" in said:
        pointless.add("altp2m")
    if config.pcidevs or config.dtdevs:
        pointless.add("passthrough")
    defaults = {name: value for name, value in DEFAULTS[config.c_info.type].items() if name not in pointless}
    if "usbdevice" in said:
        defaults.pop("usb", None)
    if "memory" in defaults and "maxmem" in said:
        defaults["memory"] = said["maxmem"]
    return defaults


def _said(name: str, value: Value, settings: Settings) -> Effective:
    spelled = _spelled(name, value)
    if name in settings:
        return Effective(name=name, value=spelled, source="file", origin=settings.where(name))
    for other in _GIVEN_BY.get(name, ()):
        if other in settings:
            origin = f"{other} ({settings.where(other)})"
            return Effective(name=name, value=spelled, source="derived", origin=origin)
    origin = "made up" if name == "uuid" else "libxl"
    return Effective(name=name, value=spelled, source="default", origin=origin)


def _spelled(name: str, value: Value) -> str:
    return literal(value, len(name) + 3)
