"""USB controllers and devices of the host: ``usbctrl=``, ``usbdev=`` and their attach commands."""

from __future__ import annotations

from xlpy.config.cnumber import atoi, strtoul, uint8
from xlpy.config.diagnostic import SpecError, one_of
from xlpy.config.draft import Draft
from xlpy.config.pieces import comma_pieces
from xlpy.model.device_config import UsbctrlConfig, UsbdevConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CONTROLLER_TYPES = ("auto", "pv", "devicemodel", "qusb")
_CONTROLLER_NAMES = ("type", "version", "ports")
_DEVICE_NAMES = ("type", "hostbus", "hostaddr", "controller", "port")


def controllers(draft: Draft) -> None:
    """The ``usbctrl`` setting."""
    found: list[UsbctrlConfig] = []
    for atom in draft.settings.atoms("usbctrl") or ():
        try:
            found.append(read_controller_spec(atom.text).replace(devid=len(found)))
        except SpecError as error:
            raise draft.settings.spec_error("usbctrl", atom, error) from error
    if found:
        draft.sections["config"]["usbctrls"] = tuple(found)


def devices(draft: Draft) -> None:
    """The ``usbdev`` setting."""
    found = []
    for atom in draft.settings.atoms("usbdev") or ():
        try:
            found.append(read_device_spec(atom.text))
        except SpecError as error:
            raise draft.settings.spec_error("usbdev", atom, error) from error
    if found:
        draft.sections["config"]["usbdevs"] = tuple(found)


def read_controller_spec(text: str) -> UsbctrlConfig:
    """The controller that ``type=...,version=...,ports=...`` describes. Raises SpecError."""
    controller: dict[str, Any] = {}
    for offset, piece in comma_pieces(text):
        key, equals, value = piece.partition("=")
        if equals and key == "type":
            if value.lower() not in _CONTROLLER_TYPES:
                hint = one_of(_CONTROLLER_TYPES, value)
                raise SpecError(f"unknown type '{value:.40}'", offset + 5, len(value), hint)
            controller["type"] = None if value.lower() == "auto" else value.lower()
        elif equals and key in ("version", "ports"):
            controller[key] = atoi(value)
        else:
            hint = one_of(_CONTROLLER_NAMES, key)
            raise SpecError(f"unknown parameter '{piece:.40}'", offset, len(piece), hint)
    return UsbctrlConfig(**controller)


def read_device_spec(text: str) -> UsbdevConfig:
    """The device that ``type=hostdev,hostbus=...,hostaddr=...`` describes. Raises SpecError."""
    device: dict[str, Any] = {}
    for offset, piece in comma_pieces(text):
        key, equals, value = piece.partition("=")
        if equals and key == "type":
            if value.lower() != "hostdev":
                raise SpecError(f"unknown type '{value:.40}'", offset + 5, len(value), "write type=hostdev")
            device["type"] = "hostdev"
        elif equals and key in ("hostbus", "hostaddr"):
            device[key] = uint8(strtoul(value)[0])
        elif equals and key == "controller":
            number = atoi(value)
            device["ctrl"] = None if number == -1 else number
        elif equals and key == "port":
            device["port"] = atoi(value)
        else:
            hint = one_of(_DEVICE_NAMES, key)
            raise SpecError(f"unknown parameter '{piece:.40}'", offset, len(piece), hint)
    return UsbdevConfig(**device)
