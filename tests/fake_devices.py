"""The fake engine's devices other than disks and network cards: lists that things are put into and taken out of."""

from __future__ import annotations

from typing import TypeVar

from xlpy.engine.base import Engine
from xlpy.errors import DeviceNotFound, DomainExists, InvalidState
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
from xlpy.model.sound import StreamInfo, VsndInfo

T = TypeVar("T")


class FakeDevices(Engine):
    """Tests may look at, and put things into, ``plugged`` (by kind and domid) and ``assignable``."""

    def __init__(self) -> None:
        self.plugged: dict[tuple[str, int], list[object]] = {}
        self.assignable: list[PciConfig] = []
        self.pciback = True

    def _of(self, kind: type[T], domid: int) -> list[T]:
        self.domain_info(domid)
        return self.plugged.setdefault((kind.__name__, domid), [])  # type: ignore[return-value]

    def _plug(self, kind: type[T], domid: int, **fields: object) -> None:
        found = self._of(kind, domid)
        devid = max((device.devid for device in found), default=-1) + 1  # type: ignore[attr-defined]
        found.append(kind(devid=devid, **fields))

    def _pull(self, kind: type[T], domid: int, devid: object) -> None:
        found = self._of(kind, domid)
        for device in found:
            if devid in (device.devid, getattr(device, "uuid", None)):  # type: ignore[attr-defined]
                found.remove(device)
                return
        raise DeviceNotFound(f"domain {domid} has no device {devid}")

    def list_pci(self, domid: int) -> tuple[PciConfig, ...]:
        return tuple(self._of(PciConfig, domid))

    def attach_pci(self, domid: int, pci: PciConfig) -> None:
        self._of(PciConfig, domid).append(pci.replace(vdevfn=pci.vdevfn or 5 << 3))

    def detach_pci(self, domid: int, pci: PciConfig, force: bool = False) -> None:
        found = self._of(PciConfig, domid)
        for other in found:
            if _address(other) == _address(pci):
                found.remove(other)
                return
        raise DeviceNotFound("the PCI device is not attached to the domain")

    def list_assignable_pci(self) -> tuple[PciConfig, ...]:
        if not self.pciback:
            raise DeviceNotFound("Looks like pciback driver not loaded")
        return tuple(self.assignable)

    def make_pci_assignable(self, pci: PciConfig) -> None:
        if any(_address(other) == _address(pci) for other in self.assignable):
            raise DomainExists("the PCI device is assignable already")
        self.assignable.append(pci)

    def make_pci_unassignable(self, pci: PciConfig, rebind: bool = False) -> None:
        for other in self.assignable:
            if other.name == pci.name if pci.name else _address(other) == _address(pci):
                self.assignable.remove(other)
                return
        raise DeviceNotFound("the PCI device is not assignable")

    def list_usb(self, domid: int) -> tuple[UsbctrlInfo, ...]:
        return tuple(self._of(UsbctrlInfo, domid))

    def attach_usb_controller(self, domid: int, controller: UsbctrlConfig) -> None:
        ports = tuple(UsbPort(port=number) for number in range(1, (controller.ports or 8) + 1))
        self._plug(
            UsbctrlInfo, domid, type=controller.type or "qusb", version=controller.version or 2, ports=ports
        )

    def detach_usb_controller(self, domid: int, devid: int) -> None:
        self._pull(UsbctrlInfo, domid, devid)

    def attach_usb_device(self, domid: int, device: UsbdevConfig) -> None:
        found = self._of(UsbctrlInfo, domid)
        for index, controller in enumerate(found):
            if device.ctrl not in (None, controller.devid):
                continue
            for port in controller.ports:
                if port.hostbus is None and device.port in (0, port.port):
                    used = port.replace(hostbus=device.hostbus, hostaddr=device.hostaddr)
                    ports = tuple(used if other is port else other for other in controller.ports)
                    found[index] = controller.replace(ports=ports)
                    return
        raise InvalidState("there is no free USB port")

    def detach_usb_device(self, domid: int, controller: int, port: int) -> None:
        found = self._of(UsbctrlInfo, domid)
        for index, candidate in enumerate(found):
            for place in candidate.ports:
                if (candidate.devid, place.port) == (controller, port) and place.hostbus is not None:
                    ports = tuple(
                        UsbPort(port=port) if other is place else other for other in candidate.ports
                    )
                    found[index] = candidate.replace(ports=ports)
                    return
        raise DeviceNotFound(f"there is no USB device at controller {controller} port {port}")

    def list_vtpms(self, domid: int) -> tuple[VtpmInfo, ...]:
        return tuple(self._of(VtpmInfo, domid))

    def attach_vtpm(self, domid: int, vtpm: VtpmConfig) -> None:
        uuid = vtpm.uuid or "00000000-0000-0000-0000-000000000000"
        self._plug(VtpmInfo, domid, uuid=uuid, backend_path=f"/local/domain/0/backend/vtpm/{domid}/0")

    def detach_vtpm(self, domid: int, device: str) -> None:
        self._pull(VtpmInfo, domid, int(device) if device.isdigit() else device)

    def list_vkbs(self, domid: int) -> tuple[VkbInfo, ...]:
        return tuple(self._of(VkbInfo, domid))

    def attach_vkb(self, domid: int, vkb: VkbConfig) -> None:
        self._plug(VkbInfo, domid, unique_id=vkb.unique_id, backend_type=vkb.backend_type or "qemu")

    def detach_vkb(self, domid: int, devid: int) -> None:
        self._pull(VkbInfo, domid, devid)

    def list_vdispls(self, domid: int) -> tuple[VdisplInfo, ...]:
        return tuple(self._of(VdisplInfo, domid))

    def attach_vdispl(self, domid: int, vdispl: VdisplConfig) -> None:
        connectors = tuple(
            ConnectorInfo(unique_id=each.unique_id, width=each.width, height=each.height)
            for each in vdispl.connectors
        )
        self._plug(VdisplInfo, domid, be_alloc=vdispl.be_alloc, connectors=connectors, frontend_domid=domid)

    def detach_vdispl(self, domid: int, devid: int) -> None:
        self._pull(VdisplInfo, domid, devid)

    def list_vsnds(self, domid: int) -> tuple[VsndInfo, ...]:
        return tuple(self._of(VsndInfo, domid))

    def attach_vsnd(self, domid: int, vsnd: VsndConfig) -> None:
        rings = tuple(tuple(StreamInfo() for _ in pcm.streams) for pcm in vsnd.pcms)
        self._plug(VsndInfo, domid, card=vsnd, rings=rings, frontend_domid=domid)

    def detach_vsnd(self, domid: int, devid: int) -> None:
        self._pull(VsndInfo, domid, devid)

    def list_channels(self, domid: int) -> tuple[ChannelInfo, ...]:
        return tuple(self._of(ChannelInfo, domid))


def _address(pci: PciConfig) -> tuple[int, int, int, int]:
    return pci.domain, pci.bus, pci.dev, pci.func
