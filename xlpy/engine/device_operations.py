"""The operations of Engine on devices other than disks and network cards.

Each kind has its list, attach and detach, after libxl_device_<kind>_list, _add and _remove; what an engine lacks it refuses.
"""

from __future__ import annotations

from xlpy.engine.operation import Refusing, operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.model.device import ChannelInfo, UsbctrlInfo, VdisplInfo, VkbInfo, VtpmInfo
    from xlpy.model.device_config import (
        PciConfig,
        UsbctrlConfig,
        UsbdevConfig,
        VdisplConfig,
        VkbConfig,
        VsndConfig,
        VtpmConfig,
    )
    from xlpy.model.sound import VsndInfo


class DeviceOperations(Refusing):
    """Operations on devices. A ``devid`` that the domain doesn't have is DeviceNotFound."""

    # -- PCI functions of the host

    @operation
    def list_pci(self, domid: int) -> tuple[PciConfig, ...]:
        """The functions that were passed to a domain, each with its slot there (``vdevfn``)."""
        raise self._refuse("list PCI devices")

    @operation
    def attach_pci(self, domid: int, pci: PciConfig) -> None:
        """Pass a function of the host to a domain."""
        raise self._refuse("attach a PCI device")

    @operation
    def detach_pci(self, domid: int, pci: PciConfig, force: bool = False) -> None:
        """Take a function back; ``force`` doesn't wait for the guest (libxl_device_pci_destroy)."""
        raise self._refuse("detach a PCI device")

    @operation
    def list_assignable_pci(self) -> tuple[PciConfig, ...]:
        """The functions that may be passed to domains, with their names if they have any."""
        raise self._refuse("list assignable PCI devices")

    @operation
    def make_pci_assignable(self, pci: PciConfig) -> None:
        """Take a function from its driver so that it may be passed on; the driver is remembered."""
        raise self._refuse("make a PCI device assignable")

    @operation
    def make_pci_unassignable(self, pci: PciConfig, rebind: bool = False) -> None:
        """Undo it; ``rebind`` gives the function back to the driver it had. Raises DeviceNotFound."""
        raise self._refuse("make a PCI device unassignable")

    # -- USB

    @operation
    def list_usb(self, domid: int) -> tuple[UsbctrlInfo, ...]:
        """The virtual USB controllers of a domain with what is plugged into their ports."""
        raise self._refuse("list USB controllers")

    @operation
    def attach_usb_controller(self, domid: int, controller: UsbctrlConfig) -> None:
        """Hot-plug a USB controller."""
        raise self._refuse("attach a USB controller")

    @operation
    def detach_usb_controller(self, domid: int, devid: int) -> None:
        """Remove a USB controller and all that is plugged into it."""
        raise self._refuse("detach a USB controller")

    @operation
    def attach_usb_device(self, domid: int, device: UsbdevConfig) -> None:
        """Pass a USB device of the host to a domain; without ``ctrl`` the first free port takes it."""
        raise self._refuse("attach a USB device")

    @operation
    def detach_usb_device(self, domid: int, controller: int, port: int) -> None:
        """Take the USB device at this port back."""
        raise self._refuse("detach a USB device")

    # -- paravirtual devices

    @operation
    def list_vtpms(self, domid: int) -> tuple[VtpmInfo, ...]:
        """The virtual TPMs of a domain."""
        raise self._refuse("list virtual TPMs")

    @operation
    def attach_vtpm(self, domid: int, vtpm: VtpmConfig) -> None:
        """Hot-plug a virtual TPM."""
        raise self._refuse("attach a virtual TPM")

    @operation
    def detach_vtpm(self, domid: int, device: str) -> None:
        """Remove the virtual TPM of this uuid or devid."""
        raise self._refuse("detach a virtual TPM")

    @operation
    def list_vkbs(self, domid: int) -> tuple[VkbInfo, ...]:
        """The virtual keyboards of a domain."""
        raise self._refuse("list virtual keyboards")

    @operation
    def attach_vkb(self, domid: int, vkb: VkbConfig) -> None:
        """Hot-plug a virtual keyboard."""
        raise self._refuse("attach a virtual keyboard")

    @operation
    def detach_vkb(self, domid: int, devid: int) -> None:
        """Remove a virtual keyboard."""
        raise self._refuse("detach a virtual keyboard")

    @operation
    def list_vdispls(self, domid: int) -> tuple[VdisplInfo, ...]:
        """The virtual displays of a domain."""
        raise self._refuse("list virtual displays")

    @operation
    def attach_vdispl(self, domid: int, vdispl: VdisplConfig) -> None:
        """Hot-plug a virtual display."""
        raise self._refuse("attach a virtual display")

    @operation
    def detach_vdispl(self, domid: int, devid: int) -> None:
        """Remove a virtual display."""
        raise self._refuse("detach a virtual display")

    @operation
    def list_vsnds(self, domid: int) -> tuple[VsndInfo, ...]:
        """The virtual sound cards of a domain."""
        raise self._refuse("list virtual sound cards")

    @operation
    def attach_vsnd(self, domid: int, vsnd: VsndConfig) -> None:
        """Hot-plug a virtual sound card."""
        raise self._refuse("attach a virtual sound card")

    @operation
    def detach_vsnd(self, domid: int, devid: int) -> None:
        """Remove a virtual sound card."""
        raise self._refuse("detach a virtual sound card")

    @operation
    def list_channels(self, domid: int) -> tuple[ChannelInfo, ...]:
        """The channels of a domain, and where their host's ends are."""
        raise self._refuse("list channels")
