"""xl's commands that this release lacks.

They are known by name, so that a script hears which command is missing rather than that there is no such command;
usage, summary and number of arguments are xl's (xl_cmdtable.c).
"""

from __future__ import annotations

from xlpy.cli.command import Command


def _row(name: str, needs: int, mode: str, usage: str, summary: str) -> Command:
    """``mode`` is ``r`` for a command that only looks, ``m`` for one that modifies, ``n`` if it has a dry run."""
    return Command(name, None, usage, summary, needs=needs, modifies=mode != "r", dry_run=mode == "n")


ROWS = (
    _row("pci-attach", 2, "m", "<Domain> <PCI_SPEC_STRING>", "Insert a new pass-through pci device"),
    _row("pci-detach", 2, "m", "<Domain> <PCI_SPEC_STRING>", "Remove a domain's pass-through pci device"),
    _row("pci-list", 1, "r", "<Domain>", "List pass-through pci devices for a domain"),
    _row("pci-assignable-add", 1, "m", "[options] <BDF>", "Make a device assignable for pci-passthru"),
    _row("pci-assignable-remove", 1, "m", "[options] <BDF>|NAME", "Remove a device from being assignable"),
    _row("pci-assignable-list", 0, "r", "[options]", "List all the assignable pci devices"),
    _row("migrate-receive", 0, "m", "- for internal use only", "Restore a domain from a saved state"),
    _row("suspend", 1, "m", "<Domain>", "Suspend a domain to RAM"),
    _row("resume", 1, "m", "<Domain>", "Resume a domain from RAM"),
    _row("debug-keys", 1, "m", "<Keys>", "Send debug keys to Xen"),
    _row("set-parameters", 1, "m", "<Params>", "Set hypervisor parameters"),
    _row("channel-list", 1, "r", "<Domain(s)>", "List virtual channel devices for a domain"),
    _row("vtpm-attach", 1, "n", "<Domain> [uuid=<uuid>] [backend=<BackDomain>]", "Create a new virtual TPM device"),
    _row("vtpm-list", 1, "r", "<Domain(s)>", "List virtual TPM devices for a domain"),
    _row("vtpm-detach", 2, "m", "<Domain> <DevId|uuid>", "Destroy a domain's virtual TPM device"),
    _row("vkb-attach", 2, "n", "<Domain> <vkb-spec-component(s)>...", "Create a new virtual keyboard device"),
    _row("vkb-list", 1, "r", "<Domain(s)>", "List virtual keyboard devices for a domain"),
    _row("vkb-detach", 2, "m", "<Domain> <DevId>", "Destroy a domain's virtual keyboard device"),
    _row("vdispl-attach", 1, "n", "<Domain> [backend=<BackDomain>] [be-alloc=<BackAlloc>] [connectors='<Connectors>']", "Create a new virtual display device"),
    _row("vdispl-list", 1, "r", "<Domain(s)>", "List virtual display devices for a domain"),
    _row("vdispl-detach", 2, "m", "<Domain> <DevId>", "Destroy a domain's virtual display device"),
    _row("vsnd-attach", 2, "n", "<Domain> <vsnd-spec-component(s)>...", "Create a new virtual sound device"),
    _row("vsnd-list", 1, "r", "<Domain(s)>", "List virtual sound devices for a domain"),
    _row("vsnd-detach", 2, "m", "<Domain> <DevId>", "Destroy a domain's virtual sound device"),
    _row("cpupool-destroy", 1, "m", "<CPU Pool>", "Deactivates a CPU pool"),
    _row("cpupool-rename", 2, "m", "<CPU Pool> <new name>", "Renames a CPU pool"),
    _row("cpupool-cpu-add", 2, "m", "<CPU Pool> <CPU nr>|node:<node nr>", "Adds a CPU to a CPU pool"),
    _row("cpupool-cpu-remove", 2, "m", "<CPU Pool> <CPU nr>|node:<node nr>", "Removes a CPU from a CPU pool"),
    _row("cpupool-migrate", 2, "m", "<Domain> <CPU Pool>", "Moves a domain into a CPU pool"),
    _row("cpupool-numa-split", 0, "m", "", "Splits up the machine into one CPU pool per NUMA node"),
    _row("getenforce", 0, "r", "", "Returns the current enforcing mode of the Flask Xen security module"),
    _row("setenforce", 0, "m", "<1|0|Enforcing|Permissive>", "Sets the current enforcing mode of the Flask Xen security module"),
    _row("loadpolicy", 0, "m", "<policy file>", "Loads a new policy into the Flask Xen security module"),
    _row("remus", 2, "m", "[options] <Domain> [<host>]", "Enable Remus HA for domain"),
    _row("devd", 0, "m", "[options]", "Daemon that listens for devices and launches backends"),
    _row("psr-hwinfo", 0, "m", "[options]", "Show hardware information for Platform Shared Resource"),
    _row("psr-cmt-attach", 1, "m", "<Domain>", "Attach Cache Monitoring Technology service to a domain"),
    _row("psr-cmt-detach", 1, "m", "<Domain>", "Detach Cache Monitoring Technology service from a domain"),
    _row("psr-cmt-show", 1, "m", "<PSR-CMT-Type> <Domain>", "Show Cache Monitoring Technology information"),
    _row("psr-cat-set", 2, "m", "[options] <Domain> <CBM>", "Set cache capacity bitmasks(CBM) for a domain"),
    _row("psr-cat-show", 0, "m", "[options] <Domain>", "Show Cache Allocation Technology information"),
    _row("psr-mba-set", 2, "m", "[options] <Domain> <THRTL>", "Set throttling value (THRTL) for a domain"),
    _row("psr-mba-show", 0, "m", "<Domain>", "Show Memory Bandwidth Allocation information"),
    _row("usbctrl-attach", 1, "m", "<Domain> [type=pv] [version=<version>] [ports=<number>]", "Create a virtual USB controller for a domain"),
    _row("usbctrl-detach", 2, "m", "<Domain> <DevId>", "Remove the virtual USB controller specified by <DevId> for a domain"),
    _row("usbdev-attach", 2, "m", "<Domain> hostbus=<busnum> hostaddr=<devnum> [controller=<DevId> [port=<port>]]", "Attach a USB device to a domain"),
    _row("usbdev-detach", 3, "m", "<Domain> <controller> <port>", "Detach a USB device from a domain"),
    _row("usb-list", 1, "r", "<Domain>", "List information about all USB controllers and devices for a domain"),
    _row("xenstore-quota-get", 0, "r", "<Domain>|-g", "List global or domain specific Xenstore quotas"),
    _row("xenstore-quota-set", 0, "m", "<Domain>|-g <quota>=<val>...", "Set global or domain specific Xenstore quotas"),
    _row("dt-overlay", 0, "m", "<operation=add|remove> <.dtbo> OR <operation=attach> <.dtbo> <Domain>", "Add a device tree overlay to Xen's device tree or remove it, or attach its devices to a domain"),
)  # fmt: skip
