"""From what stands behind ``-H`` to hosts."""

from __future__ import annotations

from xlpy.errors import UsageError
from xlpy.inventory.address import parse_address
from xlpy.inventory.entry import LOCAL, HostEntry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xlpy.inventory.address import Address
    from xlpy.inventory.entry import Inventory

ALL = "all"


def choose(inventory: Inventory, names: Iterable[str]) -> list[HostEntry]:
    """The hosts that these names mean, in their order, each once.

    A name is one of the inventory, ``@group``, ``all``, ``local``, an address (``ssh://…``, ``unix://…``, ``/path``),
    ``user@name``, or else a host as ssh(1) takes it. Raises UsageError, also for a name that is likely a slip of the
    keyboard: it is only a letter away from one of the inventory.
    """
    chosen: dict[str, HostEntry] = {}
    for name in names:
        for entry in _meant(inventory, name):
            chosen.setdefault(entry.name, entry)
    return [with_way(inventory, entry) for entry in chosen.values()]


def with_way(inventory: Inventory, entry: HostEntry, passed: tuple[str, ...] = ()) -> HostEntry:
    """With the entries of the hosts on the way; one that is in its own way, by the defaults say, is reached without."""
    if entry.proxy_jump is None:
        return entry
    hops = [hop.strip() for hop in entry.proxy_jump.split(",")]
    if entry.name in hops:
        return entry.replace(proxy_jump=None)
    passed = (*passed, entry.name)
    known = [inventory.find(hop) for hop in hops if hop not in passed]
    return entry.replace(via=tuple(with_way(inventory, hop, passed) for hop in known if hop is not None))


def explicit(names: Sequence[str]) -> list[HostEntry] | None:
    """The hosts, if these names mean the same whatever the inventory says: sockets and ``local``. Raises UsageError."""
    if not all(name == LOCAL or name.startswith(("/", "unix://")) for name in names):
        return None
    return list({name: _at(name, parse_address(name), None) for name in names}.values())


def _meant(inventory: Inventory, name: str) -> Iterable[HostEntry]:
    if name == ALL:
        if not inventory.hosts:
            raise UsageError(f"there are no hosts in {inventory.path}", "add one: xlpy host add NAME")
        return inventory.hosts
    if name.startswith("@"):
        return _members(inventory, name[1:])
    known = inventory.find(name)
    if known is not None:
        return (known,)
    address = parse_address(name)
    if name != LOCAL and "://" not in name and not name.startswith("/"):
        known = inventory.find(address.place)
        if known is not None:
            return (known.replace(name=name, user=address.user),)
        _refuse_slip(inventory, name, address)
    return (_at(name, address, inventory),)


def _members(inventory: Inventory, group: str) -> list[HostEntry]:
    members = inventory.groups.get(group)
    if members is None:
        from xlpy.model.nearest import nearest

        meant = nearest(group, tuple(inventory.groups))
        known = ", ".join(f"@{name}" for name in inventory.groups)
        hint = f"did you mean @{meant}?" if meant else f"groups: {known}" if known else None
        raise UsageError(
            f"there is no group {group!r} in {inventory.path}",
            hint or "groups are written down there: 'groups:' of a host, or of the whole file",
        )
    if not members:
        raise UsageError(
            f"there are no hosts in the group {group!r} of {inventory.path}", "write some down there"
        )
    return [entry for entry in inventory.hosts if entry.name in members]


def _refuse_slip(inventory: Inventory, name: str, address: Address) -> None:
    from xlpy.model.nearest import nearest

    if name in inventory.groups:
        raise UsageError(
            f"{name!r} is a group in {inventory.path}, no host",
            f"write @{name}; ssh://{name} is taken as it is",
        )
    meant = nearest(address.place, tuple(entry.name for entry in inventory.hosts))
    if meant is not None:
        raise UsageError(
            f"there is no host {address.place!r} in {inventory.path}",
            f"did you mean {meant}? ssh://{name} is taken as it is",
        )


def _at(name: str, address: Address, inventory: Inventory | None) -> HostEntry:
    """A host that the inventory doesn't know; one behind SSH has its defaults all the same."""
    if inventory is None or address.place == LOCAL or address.place.startswith("unix://"):
        return HostEntry(name=name, address=address.place)
    base = inventory.base
    return base.replace(
        name=name, address=address.place, user=address.user or base.user, port=address.port or base.port
    )
