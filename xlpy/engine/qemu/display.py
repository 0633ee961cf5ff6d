"""What a user sees, hears and types on: graphics card, VNC, keyboard map, USB devices, sound.

The defaults are libxl's: an hvm guest has a Cirrus card and VNC on the loopback address, at the first free display; a pv
or pvh guest has neither unless ``vfb=`` asks for it.
"""

from __future__ import annotations

import json
import os
import stat

from xlpy.engine.qemu.pci_slots import SOUND_SLOT, USB_SLOT, VGA_SLOT, slot_properties
from xlpy.engine.qemu.qmp import QmpError
from xlpy.errors import ConfigError, EngineError, NotSupported
from xlpy.model.device import VncAddress
from xlpy.model.domain_config import VncInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.engine.qemu.domain import QemuDomain
    from xlpy.engine.qemu.files import DomainFiles
    from xlpy.model.domain_config import DomainConfig, HvmInfo


_LAST_DISPLAY = 99
_DEFAULT_LISTEN = "127.0.0.1"
_DEFAULT_CARD = "cirrus"
_CARDS = {"cirrus": "cirrus-vga", "std": "VGA", "qxl": "qxl-vga"}
_LEAST_VIDEO_MIB, _MOST_VIDEO_MIB = 4, 256
_USB_CONTROLLERS = {1: "piix3-usb-uhci", 2: "usb-ehci", 3: "qemu-xhci"}
_USB_DEVICES = {"tablet": "usb-tablet", "mouse": "usb-mouse", "keyboard": "usb-kbd"}
_SOUND_CARDS = {
    "ac97": ["AC97"],
    "es1370": ["ES1370"],
    "hda": ["intel-hda", "hda-duplex"],
    "sb16": ["sb16"],
}


def check_display(config: DomainConfig) -> None:
    """Raises ConfigError or NotSupported for what can't be shown."""
    hvm = config.b_info.hvm
    if len(config.vfbs) > 1:
        raise NotSupported("the qemu engine gives a domain one framebuffer", "leave one entry in vfb=")
    if (hvm is not None and hvm.sdl.enable) or any(vfb.sdl.enable for vfb in config.vfbs):
        raise NotSupported("the qemu engine shows no SDL windows: xlpyd has no desktop", "use vnc=1")
    vnc = vnc_settings(config)
    if vnc is not None and vnc.display > _LAST_DISPLAY and vnc.findunused is not False:
        raise ConfigError(f"vncdisplay {vnc.display} is too high", f"0 to {_LAST_DISPLAY}")
    if hvm is not None:
        _graphics_card(hvm)
        _usb_arguments(hvm)
        _sound_card(hvm)


def vnc_settings(config: DomainConfig) -> VncInfo | None:
    """How the domain is shown by VNC; None if it isn't."""
    if config.b_info.hvm is not None:
        vnc = config.b_info.hvm.vnc
        return None if vnc.enable is False or config.b_info.hvm.nographic else vnc
    for vfb in config.vfbs:
        return None if vfb.vnc.enable is False else vfb.vnc
    return None


def display_arguments(config: DomainConfig, files: DomainFiles) -> list[str]:
    """QEMU's arguments for all of it. A VNC password is left in a file of the domain's directory."""
    arguments = ["-display", "none", "-vga", "none", *_vnc_arguments(config, files)]
    hvm = config.b_info.hvm
    if hvm is None:
        return arguments + (_framebuffer_arguments() if config.vfbs else [])
    card = _graphics_card(hvm)
    if card is not None:
        properties: dict[str, object] = {"driver": card, **slot_properties(VGA_SLOT)}
        if config.b_info.video_memkb:
            properties["vgamem_mb"] = _video_mib(config.b_info.video_memkb)
        arguments += ["-device", json.dumps(properties)]
    return arguments + _usb_arguments(hvm) + _sound_arguments(hvm)


def vnc_address(domain: QemuDomain) -> VncAddress:
    """Where the domain's VNC server listens. Raises EngineError if it has none."""
    vnc = vnc_settings(domain.record.config)
    answer = domain.qmp.execute("query-vnc") if vnc is not None else {}
    if vnc is None or not answer.get("enabled"):
        raise EngineError(
            f"domain {domain.domid} has no VNC server", "vnc=1 (hvm) or vfb=['type=vnc'] gives it one"
        )
    return VncAddress(host=answer["host"], port=int(answer["service"]), password=vnc.passwd or None)


def add_viewer(domain: QemuDomain, stream: int) -> None:
    """Let QEMU serve a copy of ``stream`` as a VNC connection (QMP ``add_client``). Raises EngineError."""
    if not stat.S_ISSOCK(os.fstat(stream).st_mode):
        raise EngineError("a VNC connection needs a socket to talk through")
    vnc_address(domain)  # says so if there is no server
    name = f"vnc-{stream}"
    domain.qmp.execute("getfd", {"fdname": name}, fds=(stream,))
    try:
        domain.qmp.execute("add_client", {"protocol": "vnc", "fdname": name, "skipauth": False})
    except QmpError:
        domain.qmp.execute("closefd", {"fdname": name})
        raise


def _vnc_arguments(config: DomainConfig, files: DomainFiles) -> list[str]:
    vnc = vnc_settings(config)
    if vnc is None:
        return []
    listen = vnc.listen or _DEFAULT_LISTEN
    address = listen if ":" in listen else f"{listen}:{vnc.display}"
    arguments: list[str] = []
    if vnc.findunused is not False:
        address += f",to={_LAST_DISPLAY}"
    if vnc.passwd:
        _write_password(files.vnc_password, vnc.passwd)
        arguments += [
            "-object",
            json.dumps({"qom-type": "secret", "id": "vnc-password", "file": files.vnc_password}),
        ]
        address += ",password-secret=vnc-password"
    arguments += ["-vnc", address]
    keymap = _keymap(config)
    return arguments + (["-k", keymap] if keymap else [])


def _write_password(path: str, password: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(password)


def _keymap(config: DomainConfig) -> str | None:
    if config.b_info.hvm is not None:
        return config.b_info.hvm.keymap
    return config.vfbs[0].keymap if config.vfbs else None


def _framebuffer_arguments() -> list[str]:
    """A card that every Linux has a driver for, and a pointer that follows the viewer's."""
    card = {"driver": "VGA", **slot_properties(VGA_SLOT)}
    return ["-device", json.dumps(card), *_usb_controller(1), *_usb_device("usb-tablet")]


def _graphics_card(hvm: HvmInfo) -> str | None:
    kind = hvm.vga.kind or _DEFAULT_CARD
    if kind == "none":
        return None
    if kind not in _CARDS:
        raise ConfigError(f"vga={kind}: unknown graphics card", f"cards are {', '.join(_CARDS)}, none")
    return _CARDS[kind]


def _video_mib(video_memkb: int) -> int:
    """A power of two, as the cards want it."""
    mib = max(_LEAST_VIDEO_MIB, min(_MOST_VIDEO_MIB, video_memkb // 1024))
    return 1 << (mib - 1).bit_length()


def _usb_devices(hvm: HvmInfo) -> list[str]:
    names = ([hvm.usbdevice] if hvm.usbdevice else []) + list(hvm.usbdevice_list)
    for name in names:
        if name not in _USB_DEVICES:
            raise NotSupported(
                f"usbdevice='{name}': the qemu engine has no such USB device",
                f"it has {', '.join(_USB_DEVICES)}",
            )
    return [_USB_DEVICES[name] for name in names]


def _usb_arguments(hvm: HvmInfo) -> list[str]:
    devices = _usb_devices(hvm)
    if not (hvm.usb or hvm.usbversion or devices):
        return []
    arguments = _usb_controller(hvm.usbversion or 1)
    for device in devices:
        arguments += _usb_device(device)
    return arguments


def _usb_device(driver: str) -> list[str]:
    return ["-device", json.dumps({"driver": driver, "bus": "usb.0"})]


def _usb_controller(version: int) -> list[str]:
    if version not in _USB_CONTROLLERS:
        raise ConfigError(f"usbversion={version}: there are 1, 2 and 3")
    return [
        "-device",
        json.dumps({"driver": _USB_CONTROLLERS[version], "id": "usb", **slot_properties(USB_SLOT)}),
    ]


def _sound_card(hvm: HvmInfo) -> list[str]:
    if not hvm.soundhw:
        return []
    if hvm.soundhw not in _SOUND_CARDS:
        raise ConfigError(
            f"soundhw='{hvm.soundhw}': unknown sound card", f"cards are {', '.join(_SOUND_CARDS)}"
        )
    return _SOUND_CARDS[hvm.soundhw]


def _sound_arguments(hvm: HvmInfo) -> list[str]:
    """The guest's sound goes to the VNC viewer, or nowhere."""
    cards = _sound_card(hvm)
    if not cards:
        return []
    arguments = ["-audiodev", "none,id=sound"]
    place = {} if cards[0] == "sb16" else slot_properties(SOUND_SLOT)
    for number, card in enumerate(cards):
        device: dict[str, object] = {"driver": card, **(place if number == 0 else {})}
        if card != "intel-hda":
            device["audiodev"] = "sound"
        arguments += ["-device", json.dumps(device)]
    return arguments
