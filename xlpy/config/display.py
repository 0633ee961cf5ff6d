"""Screens, keyboards and the lines that come with them: vnc, sdl, vfb, vkb, vdispl, vga, serial, usbdevice."""

from __future__ import annotations

from xlpy.config.cnumber import atoi, int32, strtoul, uint32
from xlpy.config.diagnostic import SpecError, one_of
from xlpy.config.draft import Draft
from xlpy.config.pieces import comma_pieces
from xlpy.model.device_config import ConnectorParam, SdlInfo, VdisplConfig, VfbConfig, VkbConfig, VncInfo
from xlpy.model.domain import DomainType
from xlpy.model.domain_config import VgaInterfaceInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_VNC = (
    ("vnc", "enable", "bool"),
    ("vnclisten", "listen", "string"),
    ("vncpasswd", "passwd", "string"),
    ("vncdisplay", "display", "int"),
    ("vncunused", "findunused", "bool"),
)
_SDL = (
    ("sdl", "enable", "bool"),
    ("opengl", "opengl", "bool"),
    ("display", "display", "string"),
    ("xauthority", "xauthority", "string"),
)
_CARDS = {"stdvga": "std", "cirrus": "cirrus", "none": "none", "qxl": "qxl"}
_VKB_BACKENDS = ("qemu", "linux")
_VKB_FLAGS = (
    "feature-disable-keyboard",
    "feature-disable-pointer",
    "feature-abs-pointer",
    "feature-raw-pointer",
    "feature-multi-touch",
)
_VKB_NUMBERS = ("multi-touch-width", "multi-touch-height", "multi-touch-num-contacts", "width", "height")
NO_CONNECTOR = "no connector is given"


def screens(draft: Draft) -> None:
    """The ``vnc*`` and SDL settings: of an HVM guest's screen, or for PV guests a framebuffer of its own.

    A PV guest with a ``vfb`` ignores them. PVH guests have no place for them.
    """
    if draft.domain_type != DomainType.PV:
        _top_level(draft, _VNC, draft.sections["vnc"])
        _top_level(draft, _SDL, draft.sections["sdl"])
        return
    config = draft.sections["config"]
    if config.get("vfbs") or not draft.settings.integer("vnc"):
        return
    vnc: dict[str, Any] = {}
    sdl: dict[str, Any] = {}
    _top_level(draft, _VNC, vnc)
    _top_level(draft, _SDL, sdl)
    keymap = draft.settings.string("keymap")
    config["vfbs"] = (VfbConfig(devid=0, vnc=VncInfo(**vnc), sdl=SdlInfo(**sdl), keymap=keymap),)
    _add_keyboards(draft, (VkbConfig(),))


def _top_level(draft: Draft, table: tuple[tuple[str, str, str], ...], into: dict[str, Any]) -> None:
    settings = draft.settings
    for key, field, kind in table:
        value: object
        if kind == "bool":
            value = settings.boolean(key)
        elif kind == "string":
            value = settings.string(key)
        else:
            number = settings.integer(key)
            value = None if number is None else int32(number)
        if value is not None:
            into[field] = value


def _add_keyboards(draft: Draft, keyboards: tuple[VkbConfig, ...]) -> None:
    config = draft.sections["config"]
    present: tuple[VkbConfig, ...] = config.get("vkbs", ())
    config["vkbs"] = present + tuple(
        [keyboard.replace(devid=devid) for devid, keyboard in enumerate(keyboards, len(present))]
    )


def one_display_number(draft: Draft) -> None:
    """The VNC display can be part of ``vnclisten`` or stand in ``vncdisplay``, not both."""
    vnc = draft.sections["vnc"]
    if vnc.get("display") and ":" in vnc.get("listen", ""):
        raise draft.settings.error(
            "the display number is given in vnclisten and in vncdisplay",
            "vncdisplay",
            "leave one of them out",
        )


def graphics_card(draft: Draft) -> None:
    """``vga``, or ``stdvga`` in old files."""
    settings, hvm = draft.settings, draft.sections["hvm"]
    text = settings.string("vga")
    if text is not None:
        if text not in _CARDS:
            raise settings.unknown_value("vga", text, tuple(_CARDS))
        hvm["vga"] = VgaInterfaceInfo(kind=_CARDS[text])
        return
    standard = settings.integer("stdvga")
    if standard is not None:
        hvm["vga"] = VgaInterfaceInfo(kind="std" if standard else "cirrus")


def gfx_passthru(draft: Draft) -> None:
    """A number, or the kind of card, which also turns it on."""
    settings, hvm = draft.settings, draft.sections["hvm"]
    flag = settings.boolean("gfx_passthru", quiet=True)
    if flag is not None:
        hvm["gfx_passthru"] = flag
        return
    text = settings.string("gfx_passthru")
    if text is None:
        return
    if text.lower() not in ("default", "igd"):
        raise settings.unknown_value("gfx_passthru", text, ("default", "igd"))
    hvm["gfx_passthru"] = True
    if text.lower() == "igd":
        hvm["gfx_passthru_kind"] = "igd"


def serial(draft: Draft) -> None:
    """One serial port, or a list of them."""
    _one_or_list(draft, "serial", "serial_list")


def usbdevice(draft: Draft) -> None:
    """One emulated USB device, or a list of them."""
    _one_or_list(draft, "usbdevice", "usbdevice_list")


def _one_or_list(draft: Draft, key: str, list_field: str) -> None:
    texts = draft.settings.texts(key, quiet=True)
    if texts is not None:
        draft.sections["hvm"][list_field] = texts
    else:
        draft.sections["hvm"][key] = draft.settings.string(key)


def vfb(draft: Draft) -> None:
    """Framebuffers, each with a keyboard. xl ignores what it does not know in a spec, so that only warns."""
    fields = {
        key: (section, field, kind)
        for section, table in (("vnc", _VNC), ("sdl", _SDL))
        for key, field, kind in table
    }
    found: list[VfbConfig] = []
    for atom in draft.settings.atoms("vfb") or ():
        parts: dict[str, dict[str, Any]] = {"vnc": {}, "sdl": {}}
        keymap = None
        for offset, piece in comma_pieces(atom.text):
            key, equals, value = piece.partition("=")
            if not equals:
                draft.settings.warn_in(
                    "vfb-piece", f"vfb: '{piece:.40}' ends the spec", atom, offset, len(piece)
                )
                break
            if key == "keymap":
                keymap = value
            elif key in fields:
                section, field, kind = fields[key]
                parts[section][field] = value if kind == "string" else atoi(value)
                if kind == "bool":
                    parts[section][field] = atoi(value) != 0
            elif key != "type":  # xm's configs have type=vnc everywhere
                hint = one_of((*fields, "keymap"), key)
                draft.settings.warn_in(
                    "vfb-piece",
                    f"vfb: unknown parameter '{key:.40}' has no effect",
                    atom,
                    offset,
                    len(key),
                    hint,
                )
        vnc, sdl = VncInfo(**parts["vnc"]), SdlInfo(**parts["sdl"])
        found.append(VfbConfig(devid=len(found), vnc=vnc, sdl=sdl, keymap=keymap))
    if found:
        draft.sections["config"]["vfbs"] = tuple(found)
        _add_keyboards(draft, (VkbConfig(),) * len(found))


def vkb(draft: Draft) -> None:
    """Keyboards and pointers."""
    found = []
    for atom in draft.settings.atoms("vkb") or ():
        try:
            found.append(read_vkb_spec(atom.text))
        except SpecError as error:
            raise draft.settings.spec_error("vkb", atom, error) from error
    if found:
        _add_keyboards(draft, tuple(found))


def read_vkb_spec(text: str) -> VkbConfig:
    """The keyboard that a spec describes. Raises SpecError."""
    vkb: dict[str, Any] = {}
    for offset, piece in comma_pieces(text):
        key, equals, value = piece.partition("=")
        if equals and key in _VKB_FLAGS:
            vkb[key.replace("-", "_")] = strtoul(value)[0] != 0
        elif equals and key in _VKB_NUMBERS:
            vkb[key.replace("-", "_")] = uint32(strtoul(value)[0])
        elif equals and key == "backend":
            vkb["backend_domname"] = value
        elif equals and key == "unique-id":
            vkb["unique_id"] = value
        elif equals and key == "backend-type":
            if value.lower() not in (*_VKB_BACKENDS, "unknown"):
                hint = one_of(_VKB_BACKENDS, value)
                raise SpecError(f"unknown backend-type '{value:.40}'", offset, len(piece), hint)
            vkb["backend_type"] = value.lower()
        else:
            known = ("backend", "backend-type", "unique-id", *_VKB_FLAGS, *_VKB_NUMBERS)
            raise SpecError(f"unknown parameter '{piece:.40}'", offset, len(piece), one_of(known, key))
    if vkb.get("backend_type", "unknown") == "unknown":
        raise SpecError("no backend-type is given", 0, 1, "add backend-type=qemu or backend-type=linux")
    sized = any(vkb.get(name.replace("-", "_")) for name in _VKB_NUMBERS[:3])
    if sized:
        vkb["feature_multi_touch"] = True
    elif vkb.get("feature_multi_touch"):
        raise SpecError("feature-multi-touch needs " + ", ".join(_VKB_NUMBERS[:3]))
    return VkbConfig(**vkb)


def vdispl(draft: Draft) -> None:
    """Virtual displays, each with its connectors."""
    found: list[VdisplConfig] = []
    for atom in draft.settings.atoms("vdispl") or ():
        try:
            found.append(read_vdispl_spec(atom.text).replace(devid=len(found)))
        except SpecError as error:
            raise draft.settings.spec_error("vdispl", atom, error) from error
    if found:
        draft.sections["config"]["vdispls"] = tuple(found)


def read_vdispl_spec(text: str) -> VdisplConfig:
    """The display that a spec describes. Raises SpecError."""
    display: dict[str, Any] = {}
    for offset, piece in comma_pieces(text):
        key, equals, value = piece.partition("=")
        if equals and key == "backend":
            display["backend_domname"] = value
        elif equals and key == "be-alloc":
            display["be_alloc"] = strtoul(value)[0] != 0
        elif equals and key == "connectors":
            display["connectors"] = _connectors(value, offset + len(key) + 1)
        else:
            known = ("backend", "be-alloc", "connectors")
            raise SpecError(f"unknown parameter '{piece:.40}'", offset, len(piece), one_of(known, key))
    if not display.get("connectors"):
        raise SpecError(NO_CONNECTOR, 0, 1, "add connectors=ID:WIDTHxHEIGHT")
    return VdisplConfig(**display)


def _connectors(text: str, offset: int) -> tuple[ConnectorParam, ...]:
    """``ID:WIDTHxHEIGHT;...``. A resolution without any number passes in xl, but nothing behind it is read."""
    parts = [part for part in text.split(";") if part]
    found: list[ConnectorParam] = []
    for part in parts:
        connector = _connector(part, offset, len(text))
        found.append(connector)
        if ":" in part and not strtoul(part.partition(":")[2], 10)[1]:
            break
    return (*found, *[ConnectorParam()] * (len(parts) - len(found)))


def _connector(text: str, offset: int, length: int) -> ConnectorParam:
    unique_id, colon, resolution = text.partition(":")
    width, end = strtoul(resolution, 10)
    height, height_end = strtoul(resolution[end + 1 :], 10) if resolution[end : end + 1] == "x" else (0, 0)
    if not colon or not resolution or (end and not height_end):
        raise SpecError(f"'{text:.40}' is no connector", offset, length, "write it as ID:WIDTHxHEIGHT")
    if not end:
        return ConnectorParam(unique_id=unique_id)
    return ConnectorParam(unique_id=unique_id, width=uint32(width), height=uint32(height))
