"""Looking commands up, in tables that are imported no sooner than needed."""

from __future__ import annotations

from xlpy.model.late_import import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlpy.cli.command import Command

TOPICS = {
    "domain": "Domains",
    "device": "Devices",
    "host": "Resources and hosts",
    "passthrough": "Devices passed through, and rare ones",
    "hypervisor": "The hypervisor itself",
    "own": "Beyond xl",
    "managed": "Managed domains",
    "lab": "Xen hosts to try things on",
}
"""The tables of what this release can do, the most used first, and their titles in the help."""

ORDER: tuple[str, ...] = (
    "create", "config-update", "list", "destroy", "shutdown", "reboot", "pci-attach", "pci-detach",
    "pci-list", "pci-assignable-add", "pci-assignable-remove", "pci-assignable-list", "pause", "unpause",
    "console", "vncviewer", "save", "migrate", "restore", "migrate-receive", "suspend", "resume", "dump-core",
    "cd-insert", "cd-eject", "mem-max", "mem-set", "button-press", "vcpu-list", "vcpu-pin", "vcpu-set",
    "vm-list", "info", "sharing", "sched-credit", "sched-credit2", "sched-rtds", "domid", "domname", "rename",
    "trigger", "sysrq", "debug-keys", "set-parameters", "dmesg", "top", "network-attach", "network-list",
    "network-detach", "channel-list", "block-attach", "block-list", "block-detach", "vtpm-attach",
    "vtpm-list", "vtpm-detach", "vkb-attach", "vkb-list", "vkb-detach", "vdispl-attach", "vdispl-list",
    "vdispl-detach", "vsnd-attach", "vsnd-list", "vsnd-detach", "uptime", "claims", "cpupool-create",
    "cpupool-list", "cpupool-destroy", "cpupool-rename", "cpupool-cpu-add", "cpupool-cpu-remove",
    "cpupool-migrate", "cpupool-numa-split", "getenforce", "setenforce", "loadpolicy", "remus", "devd",
    "psr-hwinfo", "psr-cmt-attach", "psr-cmt-detach", "psr-cmt-show", "psr-cat-set", "psr-cat-show",
    "psr-mba-set", "psr-mba-show", "usbctrl-attach", "usbctrl-detach", "usbdev-attach", "usbdev-detach",
    "usb-list", "qemu-monitor-command", "xenstore-quota-get", "xenstore-quota-set",
)  # fmt: skip
"""All commands of xl on x86, as its help lists them."""

_found: dict[str, dict[str, Command]] = {}


def table(topic: str) -> dict[str, Command]:
    """The commands of one table, by name."""
    found = _found.get(topic)
    if found is None:
        rows = import_module(f"xlpy.cli.table_{topic}").ROWS
        found = _found[topic] = {row.name: row for row in rows}
    return found


def all_commands() -> Iterator[Command]:
    """What this release can do."""
    for topic in TOPICS:
        yield from table(topic).values()


def find_command(name: str) -> Command | None:
    """The command of exactly this name; None if there is none."""
    for topic in TOPICS:
        command = table(topic).get(name)
        if command is not None:
            return command
    return None


def require_command(name: str) -> Command:
    """The command of this name, which is known to be one. Raises LookupError."""
    found = find_command(name)
    if found is None:
        raise LookupError(name)
    return found


def subcommands(name: str) -> list[str]:
    """The second words of the commands whose first word this is."""
    return [row.name.split()[1] for row in all_commands() if row.name.startswith(f"{name} ")]


def find_xl_command(beginning: str) -> Command | None:
    """xl's lookup: a command's name or an unambiguous beginning of one; None for no or several (cmdtable_lookup)."""
    exact = find_command(beginning)
    if exact is not None:
        return exact
    matching = [row for row in xl_commands() if row.name.startswith(beginning)]
    return matching[0] if len(matching) == 1 else None


def xl_commands() -> list[Command]:
    """All commands that xl has on x86, in the order of its help."""
    return [require_command(name) for name in ORDER]
