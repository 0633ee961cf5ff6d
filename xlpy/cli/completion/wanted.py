"""Tables: what kind of value each argument of a command and each option takes.

A kind is the name of a function in ``values`` (which knows without asking) or of a row in ``live``. ``...`` behind the
last kind means any number of them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.completion.place import Place

_DOMAIN_AND = {
    "config-update": ("domain", "config", "setting", "..."),
    "save": ("domain", "file", "config"),
    "migrate": ("domain", "target"),
    "dump-core": ("domain", "file"),
    "button-press": ("domain", "button"),
    "rename": ("domain",),
    "trigger": ("domain", "trigger"),
    "sysrq": ("domain", "sysrq_letter"),
    "qemu-monitor-command": ("domain",),
    "cd-insert": ("domain", "cdrom", "file"),
    "cd-eject": ("domain", "cdrom"),
    "network-attach": ("domain", "card_setting", "..."),
    "network-detach": ("domain", "card"),
    "block-attach": ("domain", "disk_setting", "..."),
    "block-detach": ("domain", "disk"),
    "mem-max": ("domain",),
    "mem-set": ("domain",),
    "vcpu-pin": ("domain", "vcpu", "all_or_none", "all_or_none"),
    "vcpu-set": ("domain",),
    "pci-attach": ("domain", "assignable"),
    "pci-detach": ("domain", "function"),
    "vtpm-attach": ("domain", "vtpm_setting", "..."),
    "vtpm-detach": ("domain", "vtpm"),
    "vkb-attach": ("domain", "keyboard_setting", "..."),
    "vkb-detach": ("domain", "keyboard"),
    "vdispl-attach": ("domain", "display_setting", "..."),
    "vdispl-detach": ("domain", "screen"),
    "vsnd-attach": ("domain",),
    "vsnd-detach": ("domain", "sound"),
    "usbctrl-attach": ("domain", "controller_setting", "..."),
    "usbctrl-detach": ("domain", "controller"),
    "usbdev-attach": ("domain", "usb_setting", "..."),
    "usbdev-detach": ("domain", "controller"),
    "cpupool-migrate": ("domain", "pool"),
    "psr-cat-set": ("domain",),
    "psr-mba-set": ("domain",),
    "xenstore-quota-set": ("domain",),
    "wait": ("domain", "state"),
    "config export": ("domain", "file"),
}
_ONE_DOMAIN = (
    "list", "destroy", "shutdown", "reboot", "pause", "unpause", "console", "vncviewer", "suspend", "resume", "domid",
    "uptime", "sharing", "pci-list", "usb-list", "psr-cmt-attach", "psr-cmt-detach", "psr-cat-show", "psr-mba-show",
    "xenstore-quota-get", "events",
)  # fmt: skip
_DOMAINS = (
    *("network-list", "block-list", "vcpu-list", "channel-list", "vtpm-list", "vkb-list", "vdispl-list"),
    "vsnd-list",
)

_ONE_MANAGED = ("start", "edit", "config log", "config restore")
_LAB_HOSTS = ("lab down", "lab status", "lab ssh", "lab snapshot", "lab reset")

ARGUMENTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_ONE_DOMAIN, ("domain",)),
    **dict.fromkeys(_DOMAINS, ("domain", "...")),
    **_DOMAIN_AND,
    **dict.fromkeys(_ONE_MANAGED, ("managed",)),
    **dict.fromkeys(_LAB_HOSTS, ("known_host",)),
    "create": ("config", "setting", "..."),
    "define": ("config", "setting", "..."),
    "undefine": ("managed", "..."),
    "autostart": ("managed", "..."),
    "restore": ("file", "file"),
    "domname": ("domid",),
    "cpupool-create": ("config", "pool_setting", "..."),
    "cpupool-list": ("pool",),
    "cpupool-destroy": ("pool",),
    "cpupool-rename": ("pool",),
    "cpupool-cpu-add": ("pool",),
    "cpupool-cpu-remove": ("pool",),
    "pci-assignable-remove": ("assignable",),
    "psr-cmt-show": ("monitoring", "domain"),
    "setenforce": ("enforcing",),
    "loadpolicy": ("file",),
    "dt-overlay": ("overlay", "file", "domain"),
    "help": ("command", "command"),
    "host list": ("hosts", "..."),
    "host show": ("known_host", "..."),
    "host remove": ("known_host", "..."),
    "host check": ("hosts", "..."),
    "host ping": ("hosts", "..."),
    "host install": ("hosts", "..."),
    "host restart": ("hosts", "..."),
    "host uninstall": ("hosts", "..."),
    "config check": ("config", "..."),
    "config fmt": ("config", "..."),
    "config show": ("config", "setting", "..."),
    "config diff": ("config", "domain_or_config"),
    "config convert": ("file",),
    "completion": ("shell",),
    "schema": ("row_kind",),
}
"""By command. One that isn't here takes no arguments, or such as nobody can know beforehand."""

OPTIONS: dict[str, str] = {
    "host": "host_list",
    "output": "form",
    "columns": "column_list",
    "sort": "sort_list",
    "filter": "condition",
    "domain": "domain",
    "cpupool": "pool",
    "type": "console",
    "defconfig": "config",
    "C": "config",
    "identity-file": "file",
    "known-hosts-file": "file",
    "socket": "file",
    "state-dir": "file",
    "guest": "file",
    "pidfile": "file",
    "python": "file",
    "proxy-jump": "known_host",
    "group": "group",
    "then": "then",
    "xen": "xen",
}
"""By the name of the option; another option's value is anybody's guess."""


def wanted_kind(place: Place) -> str | None:
    """The kind of what is wanted at this place, if that is the value of an option or an argument of a command."""
    if place.option is not None:
        return OPTIONS.get(place.option.name)
    if place.command is None:
        return None
    kinds = ARGUMENTS.get(place.command.name, ())
    repeats = kinds[-1:] == ("...",)
    last = len(kinds) - 2 if repeats else len(kinds) - 1
    position = len(place.arguments)
    if position <= last:
        return kinds[position]
    return kinds[last] if repeats else None
