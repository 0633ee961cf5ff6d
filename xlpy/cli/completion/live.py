"""What only a host or the inventory can tell, such as the names of domains.

A process of its own asks. If it takes longer than a user at the keyboard waits, what was known last is offered
instead, and the answer is kept for the next time.
"""

from __future__ import annotations

from xlpy.cli.completion.candidate import Candidate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from xlpy.cli.completion.place import Place
    from xlpy.client.host import Host
    from xlpy.inventory.entry import Inventory
    from xlpy.model.domain import DomainInfo

    Values = Iterable[tuple[str, object]]

_NOT_DOMAIN_0 = frozenset(
    (
        *("destroy", "shutdown", "reboot", "pause", "unpause", "console", "vncviewer", "save", "migrate", "suspend"),
        *("resume", "dump-core", "rename", "trigger", "button-press", "cd-insert", "cd-eject", "config-update"),
    )
)  # fmt: skip

ABOUT_HOSTS: dict[str, Callable[[Host], Values]] = {
    "domain": lambda host: [(row.name or "", f"domid {row.domid}") for row in host.list_domains()],
    "managed": lambda host: [(row.name, "") for row in host.list_definitions()],
    "domid": lambda host: [(str(row.domid), row.name) for row in host.list_domains()],
    "pool": lambda host: [(row.name, f"{len(row.cpus)} pcpus") for row in host.list_cpupools()],
    "assignable": lambda host: [(row.name or _address(row), _address(row)) for row in host.list_assignable_pci()],
}  # fmt: skip
"""Values of a host, each with a word about it."""

ABOUT_DOMAINS: dict[str, Callable[[Host, int], Values]] = {
    "disk": lambda host, domid: [(row.vdev, row.target) for row in host.list_disks(domid)],
    "cdrom": lambda host, domid: [(row.vdev, row.target) for row in host.list_disks(domid) if row.cdrom],
    "card": lambda host, domid: [(str(row.devid), row.mac) for row in host.list_nics(domid)],
    "vcpu": lambda host, domid: [(str(row.vcpuid), f"pcpu {row.cpu}") for row in host.list_vcpus(domid)],
    "function": lambda host, domid: [(_address(row), "") for row in host.list_pci(domid)],
    "controller": lambda host, domid: [(str(row.devid), row.type) for row in host.list_usb(domid)],
    "vtpm": lambda host, domid: [(str(row.devid), row.uuid) for row in host.list_vtpms(domid)],
    "keyboard": lambda host, domid: [(str(row.devid), row.backend_type) for row in host.list_vkbs(domid)],
    "screen": lambda host, domid: [(str(row.devid), "") for row in host.list_vdispls(domid)],
    "sound": lambda host, domid: [(str(row.devid), "") for row in host.list_vsnds(domid)],
}
"""Values of the domain that stands before them."""

ABOUT_INVENTORY: dict[str, Callable[[Inventory], Values]] = {
    "known_host": lambda inventory: [(entry.name, entry.address) for entry in inventory.hosts],
    "group": lambda inventory: [(name, ", ".join(members)) for name, members in inventory.groups.items()],
    "hosts": lambda inventory: [*_names(inventory), *_groups(inventory), ("all", "all of the inventory")],
    "host_list": lambda inventory: [
        *_names(inventory),
        *_groups(inventory),
        ("all", "all of the inventory"),
        ("local", "this machine"),
    ],
    "target": lambda inventory: [*_names(inventory), ("local", "this machine")],
}
"""Values of hosts.yaml."""

KINDS = frozenset((*ABOUT_HOSTS, *ABOUT_DOMAINS, *ABOUT_INVENTORY))


def live_candidates(kind: str, place: Place) -> list[Candidate]:
    """The values of this kind, at most a moment old or as long as the host doesn't answer."""
    from xlpy.cli.completion.memory import recalled

    hosts = list(place.hosts) or ([] if place.xl else _hosts_of_environment())
    domain = place.arguments[0] if kind in ABOUT_DOMAINS and place.arguments else ""
    rows = recalled((kind, domain, *hosts), lambda: _ask(kind, hosts, domain))
    if kind == "domain":
        command = place.command.name if place.command is not None else ""
        given = set(place.arguments)
        rows = [
            row
            for row in rows
            if row[0] not in given and not (row[1] == "domid 0" and command in _NOT_DOMAIN_0)
        ]
    found = [Candidate(value, text) for value, text in rows]
    if kind != "host_list":
        return found
    front, comma, _ = place.word.rpartition(",")
    return [candidate.behind(front + comma) for candidate in found]


def _hosts_of_environment() -> list[str]:
    import os

    return [name for name in os.environ.get("XLPY_HOST", "").replace(",", " ").split() if name]


def _ask(kind: str, hosts: list[str], domain: str) -> list[tuple[str, str]]:
    """The values, each once, from the hosts that answer. Raises XlError when none does."""
    if kind in ABOUT_INVENTORY:
        from xlpy.inventory.file import read_inventory

        return _texts(ABOUT_INVENTORY[kind](read_inventory()))
    from xlpy.client.glance import running_hosts
    from xlpy.errors import XlError

    found: dict[str, str] = {}
    failures: list[XlError] = []
    answered = False
    for host in running_hosts(hosts):
        try:
            found.update(_texts(_of_host(kind, host, domain)))
            answered = True
        except XlError as error:
            failures.append(error)
        finally:
            host.close()
    if failures and not answered:
        raise failures[0]
    return list(found.items())


def _of_host(kind: str, host: Host, domain: str) -> Values:
    if kind in ABOUT_HOSTS:
        return ABOUT_HOSTS[kind](host)
    info: DomainInfo = host.find_domain(domain)
    return ABOUT_DOMAINS[kind](host, info.domid)


def _texts(values: Values) -> list[tuple[str, str]]:
    return [(value, str(text or "")) for value, text in values if value]


def _names(inventory: Inventory) -> list[tuple[str, object]]:
    return [(entry.name, entry.address) for entry in inventory.hosts]


def _groups(inventory: Inventory) -> list[tuple[str, object]]:
    return [(f"@{name}", ", ".join(members)) for name, members in inventory.groups.items()]


def _address(function: object) -> str:
    from xlpy.model.device_config import PciConfig

    assert isinstance(function, PciConfig)
    return f"{function.domain:04x}:{function.bus:02x}:{function.dev:02x}.{function.func:x}"
