"""What the guest boots: command line, bootloader, firmware, and whether there is anything to boot at all."""

from __future__ import annotations

from xlpy.config.diagnostic import SettingError, one_of
from xlpy.config.draft import Draft
from xlpy.model.domain import DomainType

FIRMWARE_DIR = "/usr/lib/xen-4.20/boot"  # where Debian has it; each build of Xen has its own
_BIOSES = ("rombios", "seabios", "ovmf")
_BIOS_NAMES = (*_BIOSES, "unknown")  # libxl's enum has a value of this name


def command_line(draft: Draft) -> None:
    """``cmdline``, or else what ``root`` and ``extra`` come to."""
    settings = draft.settings
    whole, root, extra = settings.string("cmdline"), settings.string("root"), settings.string("extra")
    if whole is not None:
        for key, value in (("root", root), ("extra", extra)):
            if value is not None:
                settings.warn("overridden", f"{key} has no effect beside cmdline", key, "put it into cmdline")
    elif root is not None:
        whole = f"root={root}" if extra is None else f"root={root} {extra}"
    else:
        whole = extra
    if whole is not None:
        draft.sections["b"]["cmdline"] = whole


def bootloader_restrict(draft: Draft) -> None:
    """``bootloader_restrict``, or else xl.conf's."""
    value = draft.settings.boolean("bootloader_restrict")
    if value is None:
        value = draft.conf.bootloader_restrict
    if value is not None:
        draft.sections["b"]["bootloader_restrict"] = value


def bootloader_args(draft: Draft) -> None:
    """A list of arguments; in old files one string, split at blanks."""
    settings = draft.settings
    arguments = settings.texts("bootloader_args", quiet=True)
    if arguments is None:
        text = settings.string("bootloader_args")
        settings.warn(
            "deprecated",
            "bootloader_args as a string is deprecated",
            "bootloader_args",
            "write a list of strings",
        )
        arguments = tuple((text or "").replace("\t", " ").replace("\n", " ").split(" "))
        arguments = tuple([argument for argument in arguments if argument])
        if text is not None and not arguments:  # xl crashes
            raise settings.error("bootloader_args is empty", "bootloader_args", "leave it out")
    if arguments:
        draft.sections["b"]["bootloader_args"] = arguments


def bios(draft: Draft) -> None:
    """``bios`` and a file to take it from."""
    settings, hvm = draft.settings, draft.sections["hvm"]
    path = settings.string("bios_path_override")
    if path is not None:
        hvm["system_firmware"] = path
    text = settings.string("bios")
    if text is not None:
        if text.lower() not in _BIOS_NAMES:
            raise settings.unknown_value("bios", text, _BIOSES)
        _set_bios(draft, text.lower())
    elif path is not None:
        settings.warn(
            "incomplete", "bios_path_override without bios", "bios_path_override", 'add bios = "..."'
        )


def _set_bios(draft: Draft, name: str) -> None:
    draft.sections["hvm"]["bios"] = None if name == "unknown" else name


def firmware(draft: Draft) -> None:
    """``firmware``; and a PV or PVH guest must have something to boot, where an HVM guest has its firmware."""
    text = draft.settings.string("firmware")
    if draft.domain_type == DomainType.HVM:
        _ignore_hvmloader(draft)
        if text is not None:
            _hvm_firmware(draft, text)
        return
    settings, build = draft.settings, draft.sections["b"]
    if text is not None:
        if "kernel" in build:
            raise settings.error("both kernel and firmware are given", "firmware", "leave one of them out")
        if not ("pvgrub32".startswith(text) or "pvgrub64".startswith(text)):
            raise settings.error(
                f"firmware: unknown value '{text:.40}'", "firmware", one_of(("pvgrub32", "pvgrub64"), text)
            )
        build["kernel"] = f"{FIRMWARE_DIR}/{text}.bin"
    if "kernel" not in build and "bootloader" not in build:
        raise SettingError(
            "missing",
            "neither kernel nor bootloader is given",
            'add kernel = "...", or type = "hvm" for a guest that boots from its disk',
            where=settings.source.name,
        )


def _hvm_firmware(draft: Draft, text: str) -> None:
    """A name of a bios, ``uefi`` or ``bios`` (any beginning of them), or else a path."""
    if text.lower() in _BIOS_NAMES:
        _set_bios(draft, text.lower())
    elif "uefi".startswith(text):
        _set_bios(draft, "ovmf")
    elif not "bios".startswith(text):
        draft.sections["hvm"]["firmware"] = text


def _ignore_hvmloader(draft: Draft) -> None:
    """In xm's days ``kernel`` named the firmware of HVM guests."""
    build = draft.sections["b"]
    if build.get("kernel", "").rpartition("/")[2] == "hvmloader":
        draft.settings.warn(
            "ignored-key",
            "kernel names HVM firmware; this has no effect",
            "kernel",
            "leave it out, or use firmware_override",
        )
        del build["kernel"]
