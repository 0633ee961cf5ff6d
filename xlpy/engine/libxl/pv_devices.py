"""Devices beyond disks and network cards: virtual TPMs, keyboards, displays, sound cards, USB, PCI, channels."""

from __future__ import annotations

import ctypes

from xlpy.engine.libxl import wire
from xlpy.engine.libxl.devices import LibxlDevices
from xlpy.errors import DeviceNotFound
from xlpy.model.device import (
    ChannelInfo,
    ConnectorInfo,
    UsbctrlInfo,
    UsbPort,
    VdisplInfo,
    VkbInfo,
    VtpmInfo,
)
from xlpy.model.device_config import (
    PciConfig,
    UsbctrlConfig,
    UsbdevConfig,
    VdisplConfig,
    VkbConfig,
    VsndConfig,
    VtpmConfig,
)
from xlpy.model.libxl_form import from_libxl
from xlpy.model.sound import StreamInfo, VsndInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xlpy.engine.libxl.devices import Facts

_PCI_ADDRESS = ("domain", "bus", "dev", "func")


class LibxlPvDevices(LibxlDevices):
    """What each kind has of its own; how they come and go is ``LibxlDevices``'."""

    # -- virtual TPMs

    def list_vtpms(self, domid: int) -> tuple[VtpmInfo, ...]:
        return tuple(
            VtpmInfo(uuid=vtpm.get("uuid", ""), **_place(info, "evtch", "rref"))
            for vtpm, info in self.devices(domid, "vtpm")
        )

    def attach_vtpm(self, domid: int, vtpm: VtpmConfig) -> None:
        self.add_device(domid, "vtpm", vtpm)

    def detach_vtpm(self, domid: int, device: str) -> None:
        wanted = device.lower()
        self.remove_device(
            domid, "vtpm", device, lambda vtpm: wanted in (str(vtpm["devid"]), vtpm.get("uuid"))
        )

    # -- virtual keyboards

    def list_vkbs(self, domid: int) -> tuple[VkbInfo, ...]:
        return tuple(
            VkbInfo(
                unique_id=vkb.get("unique_id"),
                backend_type=str(vkb.get("backend_type", "qemu")).lower(),
                **_place(info, "evtch", "rref"),
            )
            for vkb, info in self.devices(domid, "vkb")
        )

    def attach_vkb(self, domid: int, vkb: VkbConfig) -> None:
        self.add_device(domid, "vkb", vkb)

    def detach_vkb(self, domid: int, devid: int) -> None:
        self._remove_by_devid(domid, "vkb", devid)

    # -- virtual displays

    def list_vdispls(self, domid: int) -> tuple[VdisplInfo, ...]:
        return tuple(
            VdisplInfo(
                be_alloc=info.get("be_alloc", False),
                connectors=tuple(from_libxl(ConnectorInfo, each) for each in info.get("connectors", ())),
                frontend_domid=info.get("frontend_id", domid),
                frontend_path=info.get("frontend", ""),
                **_place(info),
            )
            for _, info in self.devices(domid, "vdispl")
        )

    def attach_vdispl(self, domid: int, vdispl: VdisplConfig) -> None:
        self.add_device(domid, "vdispl", vdispl)

    def detach_vdispl(self, domid: int, devid: int) -> None:
        self._remove_by_devid(domid, "vdispl", devid)

    # -- virtual sound cards

    def list_vsnds(self, domid: int) -> tuple[VsndInfo, ...]:
        return tuple(
            VsndInfo(
                card=from_libxl(VsndConfig, vsnd),
                rings=tuple(
                    tuple(from_libxl(StreamInfo, stream) for stream in pcm.get("streams", ()))
                    for pcm in info.get("pcms", ())
                ),
                frontend_domid=info.get("frontend_id", domid),
                frontend_path=info.get("frontend", ""),
                **_place(info),
            )
            for vsnd, info in self.devices(domid, "vsnd")
        )

    def attach_vsnd(self, domid: int, vsnd: VsndConfig) -> None:
        self.add_device(domid, "vsnd", vsnd)

    def detach_vsnd(self, domid: int, devid: int) -> None:
        self._remove_by_devid(domid, "vsnd", devid)

    # -- channels

    def list_channels(self, domid: int) -> tuple[ChannelInfo, ...]:
        """libxl_device_channel_list; the terminal of a pty is what libxl_device_channel_getinfo finds."""
        return tuple(
            ChannelInfo(
                devid=channel["devid"],
                name=channel.get("name"),
                connection=_variant(channel, "connection"),
                path=(info.get("connection.pty") or channel.get("connection.socket") or {}).get("path"),
                backend_domid=info.get("backend_id", 0),
                state=info["state"],
                evtch=info["evtch"],
                rref=info["rref"],
            )
            for channel, info in self.devices(domid, "channel")
        )

    # -- USB

    def list_usb(self, domid: int) -> tuple[UsbctrlInfo, ...]:
        plugged = {
            (device.get("ctrl", 0), device.get("port", 0)): device.get("type.hostdev", {})
            for device, _ in self.devices(domid, "usbdev")
        }
        return tuple(
            UsbctrlInfo(
                devid=info["devid"],
                type=str(info.get("type", "auto")).lower(),
                version=info.get("version", 0),
                ports=tuple(
                    _port(port, plugged.get((info["devid"], port)))
                    for port in range(1, info.get("ports", 0) + 1)
                ),
                backend_domid=info.get("backend_id", 0),
                state=info["state"],
            )
            for _, info in self.devices(domid, "usbctrl")
        )

    def attach_usb_controller(self, domid: int, controller: UsbctrlConfig) -> None:
        self.add_device(domid, "usbctrl", controller)

    def detach_usb_controller(self, domid: int, devid: int) -> None:
        self._remove_by_devid(domid, "usbctrl", devid)

    def attach_usb_device(self, domid: int, device: UsbdevConfig) -> None:
        self.add_device(domid, "usbdev", device)

    def detach_usb_device(self, domid: int, controller: int, port: int) -> None:
        self.remove_device(
            domid,
            "usbdev",
            f"at port {port} of controller {controller}",
            lambda device: (device.get("ctrl", 0), device.get("port", 0)) == (controller, port),
        )

    # -- PCI functions of the host

    def list_pci(self, domid: int) -> tuple[PciConfig, ...]:
        return tuple(from_libxl(PciConfig, pci) for pci, _ in self.devices(domid, "pci"))

    def attach_pci(self, domid: int, pci: PciConfig) -> None:
        self.add_device(domid, "pci", pci, _address(pci))

    def detach_pci(self, domid: int, pci: PciConfig, force: bool = False) -> None:
        def is_it(found: Facts) -> bool:
            return all(found.get(name, 0) == getattr(pci, name) for name in _PCI_ADDRESS)

        self.remove_device(domid, "pci", _address(pci), is_it, force)

    def list_assignable_pci(self) -> tuple[PciConfig, ...]:
        """libxl_device_pci_assignable_list."""
        count = ctypes.c_int()
        with self.contexts.borrow() as context:
            pointer = context.call("device_pci_assignable_list", ctypes.byref(count))
            found = context.listed("device_pci", pointer, count.value)
        return tuple(from_libxl(PciConfig, pci) for pci in found)

    def make_pci_assignable(self, pci: PciConfig) -> None:
        """libxl_device_pci_assignable_add, which remembers the driver."""
        self._change_assignable("device_pci_assignable_add", pci, 1, "cannot be made assignable")

    def make_pci_unassignable(self, pci: PciConfig, rebind: bool = False) -> None:
        """libxl_device_pci_assignable_remove."""
        if not any(_address(known) == _address(pci) for known in self.list_assignable_pci()):
            raise DeviceNotFound(f"the PCI device {_address(pci)} is not assignable")
        self._change_assignable(
            "device_pci_assignable_remove", pci, int(rebind), "cannot be taken back from pciback"
        )

    def _change_assignable(self, function: str, pci: PciConfig, rebind: int, cannot: str) -> None:
        with self.contexts.borrow() as context, wire.device(context, "device_pci", pci) as device:
            context.do(f"the PCI device {_address(pci)} {cannot}", function, device.memory, rebind)

    def _remove_by_devid(self, domid: int, kind: str, devid: int) -> None:
        self.remove_device(domid, kind, str(devid), lambda device: device["devid"] == devid)


def _place(info: Facts, *numbers: str) -> dict[str, Any]:
    """What all kinds of info have in common, with these numbers of their rings."""
    return {
        "devid": info["devid"],
        "backend_domid": info.get("backend_id", 0),
        "state": info["state"],
        "backend_path": info.get("backend", ""),
        **{name: info[name] for name in numbers},
    }


def _variant(facts: Facts, name: str) -> str:
    """Which member of a union is there: its key is NAME.VARIANT."""
    found = (key.partition(".")[2] for key in facts if key.startswith(f"{name}."))
    return next(found, "unknown")


def _port(port: int, hostdev: Facts | None) -> UsbPort:
    if hostdev is None:
        return UsbPort(port=port)
    return UsbPort(port=port, hostbus=hostdev.get("hostbus", 0), hostaddr=hostdev.get("hostaddr", 0))


def _address(pci: PciConfig) -> str:
    return pci.name or f"{pci.domain:04x}:{pci.bus:02x}:{pci.dev:02x}.{pci.func:x}"
