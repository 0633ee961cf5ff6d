"""The machine the guest sees: timers, viridian, firmware tables, p2m, Arm features, device model version."""

from __future__ import annotations

from xlpy.config.cnumber import ULONG_MAX, int32
from xlpy.config.diagnostic import one_of
from xlpy.config.draft import Draft
from xlpy.config.parser import Atom
from xlpy.model.domain import DomainType
from xlpy.model.domain_config import ArmSci, Smbios, X86Info

_TSC_MODES = ("default", "always_emulate", "native", "native_paravirt")
_TIMER_MODES = (
    "delay_for_missed_ticks",
    "no_delay_for_missed_ticks",
    "no_missed_ticks_pending",
    "one_missed_tick_pending",
)
_ALTP2M_MODES = ("disabled", "mixed", "external", "limited")
_PASSTHROUGH = ("default", "disabled", "enabled", "sync_pt", "share_pt")
VIRIDIAN = (
    *(
        "base",
        "freq",
        "time_ref_count",
        "reference_tsc",
        "hcall_remote_tlb_flush",
        "apic_assist",
        "crash_ctl",
    ),
    *("synic", "stimer", "hcall_ipi", "ex_processor_masks", "no_vp_limit", "cpu_hotplug"),
)
VIRIDIAN_BITS = 64
_MMIO_HOLE_BYTES = (0x10000000, 0xF0000000)
_SMBIOS_TYPES = (
    *("bios_vendor", "bios_version", "system_manufacturer", "system_product_name", "system_version"),
    *("system_serial_number", "baseboard_manufacturer", "baseboard_product_name", "baseboard_version"),
    *("baseboard_serial_number", "baseboard_asset_tag", "baseboard_location_in_chassis"),
    *("enclosure_manufacturer", "enclosure_serial_number", "enclosure_asset_tag", "battery_manufacturer"),
    *("battery_device_name", "oem"),
)
_MOST_OEM_STRINGS = 99
_MCA_LMCE = 1
SVE_LENGTHS = ("disabled", "hw", *[str(bits) for bits in range(128, 2049, 128)])
_DEVICE_MODELS = {"qemu-xen": "qemu_xen", "qemu-xen-traditional": "qemu_xen_traditional"}
_LIBXL_ERROR_FAIL = 3


def _enum(
    draft: Draft,
    key: str,
    section: str,
    field: str,
    known: tuple[str, ...],
    exit_status: int | None = None,
    *,
    quiet: bool = False,
    also: tuple[str, ...] = (),
) -> None:
    """A value of one of libxl's enums: any case. The first of ``known`` and those in ``also`` mean unset."""
    text = draft.settings.string(key, quiet)
    if text is None:
        return
    word = text.lower()
    if word not in known and word not in also:
        raise draft.settings.unknown_value(key, text, known, exit_status)
    draft.sections[section][field] = None if word == known[0] or word in also else word


def _mode(draft: Draft, key: str, known: tuple[str, ...]) -> str | None:
    """A mode by name, or in old files by number."""
    settings = draft.settings
    number = settings.integer(key, quiet=True)
    if number is None:
        text = settings.string(key)
        if text is None:
            return None
        if text.lower() not in known:
            raise settings.unknown_value(key, text, known)
        return text.lower()
    if not 0 <= number < len(known):
        raise settings.error(f"{key}: unknown value {number}", key, one_of(known, ""))
    settings.warn("deprecated", f"{key} as a number is deprecated", key, f'write {key} = "{known[number]}"')
    return known[number]


def tsc_mode(draft: Draft) -> None:
    """How the guest sees the time stamp counter."""
    mode = _mode(draft, "tsc_mode", _TSC_MODES)
    draft.sections["b"]["tsc_mode"] = None if mode == _TSC_MODES[0] else mode


def timer_mode(draft: Draft) -> None:
    """What becomes of timer ticks that the guest missed."""
    given = draft.settings.string("timer_mode") is not None
    if given and draft.domain_type == DomainType.PV:
        raise draft.settings.error(
            "timer_mode is not for PV guests", "timer_mode", "leave it out", exit_status=_LIBXL_ERROR_FAIL
        )
    text = draft.settings.string("timer_mode", quiet=True)
    if text is None or text.lower() != "unknown":  # a value that libxl's enum has for unset
        draft.sections["b"]["timer_mode"] = _mode(draft, "timer_mode", _TIMER_MODES)


def altp2m(draft: Draft) -> None:
    """The mode of alternate p2m; a number is as good as a name here."""
    settings = draft.settings
    number = settings.integer("altp2m", quiet=True)
    if number is None:
        _enum(draft, "altp2m", "b", "altp2m", _ALTP2M_MODES)
    elif 0 <= number < len(_ALTP2M_MODES):
        draft.sections["b"]["altp2m"] = _ALTP2M_MODES[number] if number else None
    else:
        raise settings.error(f"altp2m: unknown value {number}", "altp2m", one_of(_ALTP2M_MODES, ""))


def old_altp2m(draft: Draft) -> None:
    """``altp2mhvm``, from before there were modes."""
    value = draft.settings.boolean("altp2mhvm")
    if value is not None:
        draft.sections["hvm"]["altp2m"] = value
        draft.settings.warn("deprecated", "altp2mhvm is deprecated", "altp2mhvm", 'write altp2m = "mixed"')


def altp2m_count(draft: Draft) -> None:
    """The number of alternate p2m views, 16 bits."""
    value = draft.settings.integer("altp2m_count", quiet=True)
    if value is None:
        return
    if not 0 <= value <= 0xFFFF:
        raise draft.settings.error("altp2m_count must be a number from 0 to 65535", "altp2m_count")
    draft.sections["b"]["altp2m_count"] = value


def vmtrace_buffer(draft: Draft) -> None:
    """The trace buffer of each vcpu."""
    value = draft.settings.integer("vmtrace_buf_kb", quiet=True)
    if value:
        draft.sections["b"]["vmtrace_buf_kb"] = int32(value)


def passthrough(draft: Draft) -> None:
    """Whether devices of the host can be passed through, and how the IOMMU is then used."""
    _enum(draft, "passthrough", "c", "passthrough", _PASSTHROUGH)


def hdtype(draft: Draft) -> None:
    """What the emulated disk controller is."""
    _enum(draft, "hdtype", "hvm", "hdtype", ("ide", "ahci"))


def vendor_device(draft: Draft) -> None:
    """A PCI device by which a vendor's drivers find their platform."""
    _enum(draft, "vendor_device", "hvm", "vendor_device", ("none", "xenserver"), _LIBXL_ERROR_FAIL)


def viridian(draft: Draft) -> None:
    """Hyper-V enlightenments: groups, ``!group``, ``all`` and ``defaults``; in old files a number.

    As libxl's bitmap is longer than the list of groups, ``all`` sets bits that mean nothing yet.
    """
    settings, hvm = draft.settings, draft.sections["hvm"]
    sequence = settings.sequence("viridian", quiet=True)
    if sequence is None:
        hvm["viridian"] = settings.boolean("viridian", quiet=True)
        return
    enabled: set[int] = set()
    disabled: set[int] = set()
    for item in sequence.items:
        if not isinstance(item, Atom):
            raise settings.error("viridian: not a list of groups", item)
        if item.text == "all":
            enabled.update(range(VIRIDIAN_BITS))
        elif item.text == "defaults":
            hvm["viridian"] = True
        else:
            removes = item.text.startswith("!")
            group = item.text[removes:].lower()
            if group not in VIRIDIAN:
                hint = one_of(("all", "defaults", *VIRIDIAN), group)
                raise settings.error(f"viridian: unknown group '{group:.40}'", item, hint, _LIBXL_ERROR_FAIL)
            added, removed = (disabled, enabled) if removes else (enabled, disabled)
            added.add(VIRIDIAN.index(group))
            removed.discard(VIRIDIAN.index(group))
    hvm["viridian_enable"] = tuple(sorted(enabled))
    hvm["viridian_disable"] = tuple(sorted(disabled))


def mmio_hole(draft: Draft) -> None:
    """The hole for devices below 4 GiB."""
    value = draft.settings.integer("mmio_hole")
    if value is None:
        return
    size_kib = value * 1024 & ULONG_MAX
    if not _MMIO_HOLE_BYTES[0] <= (size_kib * 1024 & ULONG_MAX) <= _MMIO_HOLE_BYTES[1]:
        raise draft.settings.error("mmio_hole must be from 256 to 3840 (MiB)", "mmio_hole")
    draft.sections["hvm"]["mmio_hole_memkb"] = size_kib


def smbios(draft: Draft) -> None:
    """SMBIOS strings; unlike elsewhere a value that is no list is an error."""
    settings = draft.settings
    sequence = settings.sequence("smbios", quiet=True)
    if sequence is None:
        raise settings.error("smbios must be a list", "smbios", 'write smbios = [ "TYPE=VALUE" ]')
    found: list[Smbios] = []
    oem_strings = 0
    for item in sequence.items:
        if not isinstance(item, Atom):
            raise settings.error("smbios: not a list of strings", item)
        kind, equals, value = item.text.partition("=")
        if not equals or not value:
            raise settings.error(f"smbios: '{item.text:.60}' has no value", item, "write TYPE=VALUE")
        if kind.lower() not in _SMBIOS_TYPES:
            raise settings.error(f"smbios: unknown type '{kind:.40}'", item, one_of(_SMBIOS_TYPES, kind))
        found.append(Smbios(key=kind.lower(), value=value))
        oem_strings += kind.lower() == "oem"
        if oem_strings > _MOST_OEM_STRINGS:
            raise settings.error(f"smbios: more than {_MOST_OEM_STRINGS} oem strings", item)
    draft.sections["hvm"]["smbios"] = tuple(found)


def vm_generation_id(draft: Draft) -> None:
    """``generate`` makes a new identifier each time the config is read."""
    text = draft.settings.string("ms_vm_genid")
    if text is None or text == "none":
        return
    if text != "generate":
        raise draft.settings.unknown_value("ms_vm_genid", text, ("generate", "none"))
    from os import urandom

    draft.sections["hvm"]["ms_vm_genid"] = tuple(urandom(16))


def mca_capabilities(draft: Draft) -> None:
    """Machine check capabilities; ``lmce`` is the only one there is."""
    settings = draft.settings
    sequence = settings.sequence("mca_caps", quiet=True)
    if sequence is None:
        raise settings.error(
            "mca_caps must be a list", "mca_caps", 'write mca_caps = [ "lmce" ]', _LIBXL_ERROR_FAIL
        )
    for item in sequence.items:
        if not isinstance(item, Atom):
            raise settings.error("mca_caps: not a list of strings", item, 'write mca_caps = [ "lmce" ]')
        if item.text != "lmce":
            raise settings.error("mca_caps: unknown capability", item, 'write "lmce"', _LIBXL_ERROR_FAIL)
        draft.sections["hvm"]["mca_caps"] = _MCA_LMCE


def device_model_version(draft: Draft) -> None:
    """``device_model_version`` and the program to use instead of the usual one."""
    settings, build = draft.settings, draft.sections["b"]
    program = settings.string("device_model_override")
    if program is not None:
        build["device_model"] = program
    text = settings.string("device_model_version")
    if text is not None:
        if text not in _DEVICE_MODELS:
            raise settings.unknown_value("device_model_version", text, ("qemu-xen",))
        if text != "qemu-xen":
            settings.warn(
                "deprecated", f"{text} is gone since Xen 4.21", "device_model_version", 'write "qemu-xen"'
            )
        build["device_model_version"] = _DEVICE_MODELS[text]
    elif program is not None:
        settings.warn(
            "incomplete",
            "device_model_override without device_model_version",
            "device_model_override",
            'add device_model_version = "qemu-xen"',
        )


def msr_relaxed(draft: Draft) -> None:
    """A way out for guests that read model-specific registers Xen doesn't know."""
    value = draft.settings.boolean("msr_relaxed")
    if value is not None:
        draft.sections["b"]["arch_x86"] = X86Info(msr_relaxed=value)
        draft.settings.warn(
            "deprecated",
            "msr_relaxed will be removed from Xen",
            "msr_relaxed",
            "if the guest needs it, tell xen-devel@lists.xenproject.org",
        )


def vuart(draft: Draft) -> None:
    """A virtual UART."""
    _enum(draft, "vuart", "arm", "vuart", ("unknown", "sbsa_uart"))


def gic_version(draft: Draft) -> None:
    """The interrupt controller's version."""
    _enum(draft, "gic_version", "arm", "gic_version", ("default", "v2", "v3"), _LIBXL_ERROR_FAIL, quiet=True)


def tee(draft: Draft) -> None:
    """The trusted execution environment that the guest may talk to."""
    _enum(draft, "tee", "b", "tee", ("none", "optee", "ffa"), _LIBXL_ERROR_FAIL, quiet=True)


def sve(draft: Draft) -> None:
    """The length of vector registers."""
    _enum(draft, "sve", "arm", "sve_vl", SVE_LENGTHS, quiet=True)


def arm_sci(draft: Draft) -> None:
    """``type=``; xl ignores whatever else stands there."""
    text = draft.settings.string("arm_sci", quiet=True)
    kind = None
    for piece in (text or "").split(","):
        if piece.startswith("type="):
            kind = piece.removeprefix("type=").lower()
            if kind not in ("none", "scmi_smc"):
                raise draft.settings.unknown_value("arm_sci", kind, ("type=none", "type=scmi_smc"))
    if kind == "scmi_smc":
        draft.sections["arm"]["arm_sci"] = ArmSci(type=kind)
