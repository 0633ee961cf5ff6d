"""How each command treats several hosts, and which of its arguments are domains."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.command import Command
    from xlpy.cli.options import Arguments

NOWHERE = "nowhere"  # it needs no host
ONE = "one"  # it works on one host; with several, its domain says on which
EACH = "each"  # it shows what every host has
ITSELF = "itself"  # it asks all hosts by itself
BULK = "bulk"  # it changes domains, on as many hosts as they are


class Reach:
    """``hosts`` is one of the above; ``domains`` says where domains are named: ``first``, ``second`` or ``rest`` of the
    arguments, the name of an option, or nowhere. ``defined`` says that managed domains are meant, too, that don't run.
    """

    __slots__ = ("defined", "domains", "hosts")

    def __init__(self, hosts: str, domains: str = "", defined: bool = False) -> None:
        self.hosts = hosts
        self.domains = domains
        self.defined = defined

    def references(self, args: Arguments) -> list[str]:
        """The domains that are named."""
        if self.domains == "rest":
            return list(args.rest)
        if self.domains == "first":
            return args.rest[:1]
        if self.domains == "second":
            return args.rest[1:2]
        return args.values(self.domains)[-1:] if self.domains else []

    def with_references(self, args: Arguments, references: list[str]) -> Arguments:
        """The same arguments with other domains in their place, as many as there were unless they are the rest."""
        changed = args.copy()
        if self.domains == "rest":
            changed.rest = references
        elif self.domains == "first":
            changed.rest = [*references, *args.rest[1:]]
        elif self.domains == "second":
            changed.rest = [*args.rest[:1], *references, *args.rest[2:]]
        elif self.domains:
            changed.replace(self.domains, references)
        return changed


_REACH = {
    **dict.fromkeys(("pause", "unpause", "destroy", "shutdown", "reboot"), Reach(BULK, "rest")),
    **dict.fromkeys(("list", "uptime", "vcpu-list", "sharing"), Reach(EACH, "rest")),
    **dict.fromkeys(
        (
            *("block-list", "network-list", "channel-list", "vkb-list", "vdispl-list", "vsnd-list"),
            *("vtpm-list", "usb-list", "pci-list", "psr-cat-show", "psr-mba-show"),
        ),
        Reach(EACH, "rest"),
    ),
    **dict.fromkeys(("domid", "domname"), Reach(EACH, "first")),
    "psr-cmt-show": Reach(EACH, "second"),
    **dict.fromkeys(
        (
            "vm-list",
            "info",
            "dmesg",
            "claims",
            "cpupool-list",
            "events",
            "pci-assignable-list",
            "getenforce",
            "psr-hwinfo",
        ),
        Reach(EACH),
    ),
    **dict.fromkeys(("top", "host check", "host ping"), Reach(ITSELF)),
    **dict.fromkeys(("start", "edit", "config log", "config restore"), Reach(ONE, "first", defined=True)),
    "undefine": Reach(ONE, "rest", defined=True),
}
_SCHEDULERS = ("sched-credit", "sched-credit2", "sched-rtds")
_ASKING = frozenset(("domain", "cpupool", "schedparam", "vcpuid"))  # options that change nothing
_NO_HOST = ("help", "schema", "config", "host", "broker", "lab", "completion")
_NEEDS_HOST = ("config diff", "config export", "config log", "config restore")

# What a command asks of each host when it names no domain, and the options with which it asks for more.
_ONLY_QUESTION = {
    "list": ("list_domains", ("long", "numa", "all")),
    "vm-list": ("list_domains", ()),
    "uptime": ("list_domains", ()),
    "info": ("host_info", ("numa",)),
    "cpupool-list": ("list_cpupools", ()),
}


def only_question(command: Command, args: Arguments) -> str:
    """The one operation, without arguments, that the command needs of each host when called like this; or nothing."""
    question, more = _ONLY_QUESTION.get(command.name, ("", ()))
    return "" if any(args.knows(option) and args.flag(option) for option in more) else question


def reach_of(command: Command, args: Arguments) -> Reach:
    """How this command treats several hosts when it is called like this."""
    name = command.name
    if name == "events" and args.flag("follow"):
        return Reach(ITSELF)
    if name == "migrate" and args.flag("list"):
        return Reach(EACH)
    if name == "autostart":
        return Reach(ONE, "rest", defined=True) if args.rest else Reach(EACH)
    if name == "config diff":
        import os

        return Reach(ONE, "" if any(map(os.path.exists, args.rest[1:2])) else "second")
    found = _REACH.get(name)
    if found is not None:
        return found
    if name in _SCHEDULERS:
        changes = any(args.flag(option.name) for option in command.options if option.name not in _ASKING)
        return Reach(ONE if changes else EACH, "domain")
    if name.split()[0] in _NO_HOST and name not in _NEEDS_HOST:
        return Reach(NOWHERE)
    first = next((word for word in command.usage.split() if not word.startswith("[")), "")
    return Reach(ONE, "first" if first == "<Domain>" else "")
