"""Devices: all kinds have the same functions in libxl, so there is one way to list, add and remove them."""

from __future__ import annotations

import ctypes
import os

from xlpy.engine.libxl import wire
from xlpy.engine.libxl.life import LibxlLife
from xlpy.errors import DeviceNotFound, EngineError, InvalidState
from xlpy.model.device import DiskInfo, NicInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from xlpy.engine.libxl.context import Context
    from xlpy.model.device_config import DiskConfig, NicConfig
    from xlpy.model.record import Record

    Facts = dict[str, Any]
    Matches = Callable[[Facts], bool]

# How errors call a kind.
NAMES = {
    "disk": "disk",
    "nic": "network card",
    "vtpm": "virtual TPM",
    "vkb": "virtual keyboard",
    "vdispl": "virtual display",
    "vsnd": "virtual sound card",
    "usbctrl": "USB controller",
    "usbdev": "USB device",
    "pci": "PCI device",
    "channel": "channel",
}


class LibxlDevices(LibxlLife):
    """Disks and network cards, and what they have in common with all other devices."""

    # -- disks

    def list_disks(self, domid: int) -> tuple[DiskInfo, ...]:
        """libxl_device_disk_list with libxl_device_disk_getinfo."""
        disks = [_disk_info(domid, disk, info) for disk, info in self.devices(domid, "disk")]
        return tuple(sorted(disks, key=lambda disk: disk.devid))

    def attach_disk(self, domid: int, disk: DiskConfig) -> None:
        """libxl_device_disk_add."""
        if any(known.vdev == disk.vdev for known in self.list_disks(domid)):
            raise InvalidState(f"domain {domid} has a disk {disk.vdev} already", "see: xlpy block-list")
        self.add_device(domid, "disk", disk, disk.vdev)

    def detach_disk(self, domid: int, vdev: str, force: bool = False) -> None:
        """libxl_device_disk_safe_remove, before Xen 4.15 libxl_device_disk_remove; with force libxl_device_disk_destroy."""
        gently = "safe_remove" if self.library.has("device_disk_safe_remove") else "remove"
        with self.contexts.borrow() as context, context.new("device_disk") as disk:
            self.require(context, domid)
            if context.call("vdev_to_device_disk", domid, vdev.encode(), disk.memory) < 0:
                raise DeviceNotFound(f"domain {domid} has no disk {vdev}", "see its disks: xlpy block-list")
            function = f"device_disk_{'destroy' if force else gently}"
            context.do(f"disk {vdev} cannot be removed", function, domid, disk.memory)

    def insert_cdrom(self, domid: int, disk: DiskConfig) -> None:
        """libxl_cdrom_insert."""
        if not any(known.vdev == disk.vdev for known in self.list_disks(domid)):
            raise DeviceNotFound(f"domain {domid} has no CD drive {disk.vdev}", "see: xlpy block-list")
        if disk.pdev_path and not os.path.exists(
            disk.pdev_path
        ):  # libxl doesn't look, nor says when QEMU fails
            raise EngineError(f"Cannot stat file: {disk.pdev_path}")
        with self.contexts.borrow() as context, wire.device(context, "device_disk", disk) as medium:
            what = f"the medium in {disk.vdev} cannot be changed"
            context.do(what, "cdrom_insert", domid, medium.memory)

    # -- network cards

    def list_nics(self, domid: int) -> tuple[NicInfo, ...]:
        """libxl_device_nic_list with libxl_device_nic_getinfo."""
        nics = [_nic_info(nic, info) for nic, info in self.devices(domid, "nic")]
        return tuple(sorted(nics, key=lambda nic: nic.devid))

    def attach_nic(self, domid: int, nic: NicConfig) -> None:
        """libxl_device_nic_add."""
        self.add_device(domid, "nic", nic)

    def detach_nic(self, domid: int, device: str) -> None:
        """libxl_device_nic_remove for the card of this devid or MAC address."""
        self.remove_device(
            domid, "nic", device, lambda nic: device.lower() in (str(nic["devid"]), nic["mac"])
        )

    # -- all kinds

    def devices(self, domid: int, kind: str) -> list[tuple[Facts, Facts]]:
        """What there is of a kind: as configured, and as libxl_device_KIND_getinfo sees it now."""
        with self.contexts.borrow() as context:
            self.require(context, domid)
            count = ctypes.c_int()
            pointer = context.call(f"device_{kind}_list", domid, ctypes.byref(count))
            with context.array(f"device_{kind}", pointer, count.value) as array:
                return [
                    (_device(context, kind, address), _getinfo(context, kind, domid, address))
                    for address in array.addresses
                ]

    def add_device(self, domid: int, kind: str, config: Record, called: str | None = None) -> None:
        """libxl_device_KIND_add."""
        name = f"{NAMES[kind]} {called}" if called else f"the {NAMES[kind]}"
        with self.contexts.borrow() as context:
            self.require(context, domid)
            with wire.device(context, f"device_{kind}", config) as device:
                what = f"{name} cannot be attached to domain {domid}"
                context.do(what, f"device_{kind}_add", domid, device.memory)

    def remove_device(
        self, domid: int, kind: str, called: str, matches: Matches, force: bool = False
    ) -> None:
        """libxl_device_KIND_remove, or _destroy with ``force``, of the first that matches. Raises DeviceNotFound."""
        function = f"device_{kind}_{'destroy' if force else 'remove'}"
        with self.contexts.borrow() as context:
            self.require(context, domid)
            count = ctypes.c_int()
            pointer = context.call(f"device_{kind}_list", domid, ctypes.byref(count))
            with context.array(f"device_{kind}", pointer, count.value) as array:
                for address in array.addresses:
                    if matches(_device(context, kind, address)):
                        what = f"{NAMES[kind]} {called} cannot be removed from domain {domid}"
                        context.do(what, function, domid, address)
                        return
        raise DeviceNotFound(f"domain {domid} has no {NAMES[kind]} {called}")


def _device(context: Context, kind: str, address: int) -> Facts:
    """A device's JSON, with the devid that is left out when it is 0."""
    return {"devid": 0, **context.json_at(f"device_{kind}", address)}


def _getinfo(context: Context, kind: str, domid: int, address: int) -> Facts:
    if not context.library.has(f"device_{kind}_getinfo"):
        return {}
    with context.new(f"{kind}info") as info:
        context.do(
            f"a {NAMES[kind]} of domain {domid}", f"device_{kind}_getinfo", domid, address, info.memory
        )
        return {"devid": 0, "state": 0, "evtch": 0, "rref": 0, **info.json()}


def _disk_info(domid: int, disk: Facts, info: Facts) -> DiskInfo:
    return DiskInfo(
        devid=info["devid"],
        vdev=disk.get("vdev", ""),
        backend_domid=info.get("backend_id", 0),
        frontend_domid=info.get("frontend_id", domid),
        state=info["state"],
        evtch=info["evtch"],
        rref=info["rref"],
        backend_path=info.get("backend", ""),
        target=disk.get("pdev_path"),
        format=disk.get("format"),
        readonly=not disk.get("readwrite"),
        cdrom=bool(disk.get("is_cdrom")),
    )


def _nic_info(nic: Facts, info: Facts) -> NicInfo:
    return NicInfo(
        devid=info["devid"],
        mac=nic.get("mac", ""),
        backend_domid=info.get("backend_id", 0),
        state=info["state"],
        evtch=info["evtch"],
        rref_tx=info.get("rref_tx", 0),
        rref_rx=info.get("rref_rx", 0),
        backend_path=info.get("backend", ""),
        bridge=nic.get("bridge"),
        model=nic.get("model"),
        ifname=nic.get("ifname"),
    )
