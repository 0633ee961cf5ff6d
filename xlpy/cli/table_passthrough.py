"""Commands on devices that are passed through, and on Xen's rarer paravirtual ones."""

from __future__ import annotations

from xlpy.cli.command import Command
from xlpy.cli.options import flag, value

ROWS = (
    Command(
        "pci-attach", "pci:pci_attach", "<Domain> <PCI_SPEC_STRING>",
        "Insert a new pass-through pci device",
        needs=2, modifies=True,
    ),
    Command(
        "pci-detach", "pci:pci_detach", "<Domain> <PCI_SPEC_STRING>",
        "Remove a domain's pass-through pci device",
        flag("-f", "Don't wait for the guest to let go of it.", hidden=True),
        needs=2, modifies=True,
    ),
    Command(
        "pci-list", "pci:pci_list", "<Domain>",
        "List pass-through pci devices for a domain",
        needs=1,
    ),
    Command(
        "pci-assignable-add", "pci:pci_assignable_add", "[options] <BDF>",
        "Make a device assignable for pci-passthru",
        value("-n --name", "NAME", "Name to know the device by."),
        needs=1, modifies=True,
    ),
    Command(
        "pci-assignable-remove", "pci:pci_assignable_remove", "[options] <BDF>|NAME",
        "Remove a device from being assignable",
        flag("-r", "Give the device back to the driver it had."),
        needs=1, modifies=True,
    ),
    Command(
        "pci-assignable-list", "pci:pci_assignable_list", "[options]",
        "List all the assignable pci devices",
        flag("-n --show-names", "Show the names of the devices."),
    ),
    Command(
        "channel-list", "pv_device:channel_list", "<Domain(s)>",
        "List virtual channel devices for a domain",
        needs=1,
    ),
    Command(
        "vtpm-attach", "pv_device:vtpm_attach", "<Domain> [uuid=<uuid>] [backend=<BackDomain>]",
        "Create a new virtual TPM device",
        needs=1, modifies=True, dry_run=True,
    ),
    Command(
        "vtpm-list", "pv_device:vtpm_list", "<Domain(s)>",
        "List virtual TPM devices for a domain",
        needs=1,
    ),
    Command(
        "vtpm-detach", "pv_device:vtpm_detach", "<Domain> <DevId|uuid>",
        "Destroy a domain's virtual TPM device",
        needs=2, modifies=True,
    ),
    Command(
        "vkb-attach", "pv_device:vkb_attach", "<Domain> <vkb-spec-component(s)>...",
        "Create a new virtual keyboard device",
        needs=2, modifies=True, dry_run=True,
    ),
    Command(
        "vkb-list", "pv_device:vkb_list", "<Domain(s)>",
        "List virtual keyboard devices for a domain",
        needs=1,
    ),
    Command(
        "vkb-detach", "pv_device:vkb_detach", "<Domain> <DevId>",
        "Destroy a domain's virtual keyboard device",
        needs=2, modifies=True,
    ),
    Command(
        "vdispl-attach", "pv_device:vdispl_attach", "<Domain> [backend=<BackDomain>] [be-alloc=<BackAlloc>] [connectors='<Connectors>']",
        "Create a new virtual display device",
        needs=1, modifies=True, dry_run=True,
    ),
    Command(
        "vdispl-list", "pv_device:vdispl_list", "<Domain(s)>",
        "List virtual display devices for a domain",
        needs=1,
    ),
    Command(
        "vdispl-detach", "pv_device:vdispl_detach", "<Domain> <DevId>",
        "Destroy a domain's virtual display device",
        needs=2, modifies=True,
    ),
    Command(
        "vsnd-attach", "pv_device:vsnd_attach", "<Domain> <vsnd-spec-component(s)>...",
        "Create a new virtual sound device",
        needs=2, modifies=True, dry_run=True,
    ),
    Command(
        "vsnd-list", "pv_device:vsnd_list", "<Domain(s)>",
        "List virtual sound devices for a domain",
        needs=1,
    ),
    Command(
        "vsnd-detach", "pv_device:vsnd_detach", "<Domain> <DevId>",
        "Destroy a domain's virtual sound device",
        needs=2, modifies=True,
    ),
    Command(
        "usbctrl-attach", "usb:usbctrl_attach", "<Domain> [type=pv] [version=<version>] [ports=<number>]",
        "Create a virtual USB controller for a domain",
        needs=1, modifies=True,
    ),
    Command(
        "usbctrl-detach", "usb:usbctrl_detach", "<Domain> <DevId>",
        "Remove the virtual USB controller specified by <DevId> for a domain",
        needs=2, modifies=True,
    ),
    Command(
        "usbdev-attach", "usb:usbdev_attach", "<Domain> hostbus=<busnum> hostaddr=<devnum> [controller=<DevId> [port=<port>]]",
        "Attach a USB device to a domain",
        needs=2, modifies=True,
    ),
    Command(
        "usbdev-detach", "usb:usbdev_detach", "<Domain> <controller> <port>",
        "Detach a USB device from a domain",
        needs=3, modifies=True,
    ),
    Command(
        "usb-list", "usb:usb_list", "<Domain>",
        "List information about all USB controllers and devices for a domain",
        needs=1,
    ),
)  # fmt: skip
