"""Finding the domains that a command names among several hosts: ``web``, ``web@xen1``, a domid or a uuid."""

from __future__ import annotations

from xlpy.errors import DomainNotFound, UsageError, XlError
from xlpy.model.domain import DomainInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xlpy.client.many import Part

NOT_RUNNING = -1
_MOST_NAMED = 5


class Located:
    """A domain that was meant, and the host that has it; there it is called ``name``."""

    __slots__ = ("domain", "name", "part")

    def __init__(self, part: Part, domain: DomainInfo, name: str) -> None:
        self.part = part
        self.domain = domain
        self.name = name

    @property
    def reference(self) -> str:
        """What to call it on any host."""
        return f"{self.domain.name or self.domain.domid}@{self.part.entry.name}"


def split_reference(reference: str) -> tuple[str, str | None]:
    """The domain and, if that is said, the host: the part behind the last ``@``."""
    domain, at, host = reference.rpartition("@")
    return (domain, host) if at and domain and host else (reference, None)


def hosts_named(references: Sequence[str], usual: Sequence[str]) -> list[str]:
    """The hosts of ``domain@host``, in their order; a domain without one is on one of the ``usual`` ones."""
    hosts: dict[str, None] = {}
    for reference in references:
        host = split_reference(reference)[1]
        hosts.update(dict.fromkeys(usual if host is None else [host]))
    return list(hosts)


def domains_of(part: Part) -> Sequence[DomainInfo]:
    """The domains of a host: the value that ``locate`` expects of each part."""
    return part.host.list_domains()


def all_domains_of(part: Part) -> Sequence[DomainInfo]:
    """The same with managed domains that don't run, nor one of their name; they have no domid."""
    running = part.host.list_domains()
    there = {domain.uuid for domain in running} | {domain.name for domain in running}
    defined = [
        DomainInfo(domid=NOT_RUNNING, uuid=domain.uuid, name=domain.name)
        for domain in part.host.list_definitions()
        if domain.uuid not in there and domain.name not in there
    ]
    return (*running, *defined)


def locate(parts: Sequence[Part], reference: str) -> list[Located]:
    """All domains that are called so; ``part.value`` has each host's list. Raises DomainNotFound, UsageError."""
    name, wanted_host = split_reference(reference)
    asked = [part for part in parts if wanted_host in (None, part.entry.name)]
    if not asked:  # no host of ours: an @ in the domain's own name
        asked, name = list(parts), reference
    fits = _test(name)
    found = [Located(part, domain, name) for part in asked for domain in part.value or () if fits(domain)]
    if not found:
        _refuse_unknown(reference, name, asked, wanted_host)
    return found


def locate_one(parts: Sequence[Part], reference: str) -> Located:
    """The one domain that is called so. Raises DomainNotFound, UsageError if it could be another one."""
    found = locate(parts, reference)
    if len(found) > 1:
        raise UsageError(
            f"there is a domain {reference!r} on {_enumeration([one.part.entry.name for one in found])}",
            f"say which one: {found[0].reference}",
        )
    silent = [part.entry.name for part in parts if part.error is not None]
    if silent and split_reference(reference)[1] is None:
        raise XlError(
            f"{_enumeration(silent)} did not answer, so {reference!r} may be there as well",
            f"say which one: {found[0].reference}",
        )
    return found[0]


def _test(name: str) -> Callable[[DomainInfo], bool]:
    """As ``Engine.find_domain``: digits are a domid, else it is a name or a uuid."""
    if name.isascii() and name.isdigit():
        domid = int(name)
        return lambda domain: domain.domid == domid
    uuid = name.lower()
    return lambda domain: name == domain.name or uuid == domain.uuid


def _refuse_unknown(reference: str, name: str, asked: Sequence[Part], wanted_host: str | None) -> None:
    from xlpy.model.nearest import nearest

    known = {
        domain.name: Located(part, domain, domain.name)
        for part in asked
        for domain in part.value or ()
        if domain.name
    }
    meant = nearest(name, tuple(known))
    silent = [part for part in asked if part.error is not None]
    if silent and len(asked) == 1 and isinstance(silent[0].error, XlError):
        raise silent[0].error
    where = _enumeration([part.entry.name for part in asked if part.error is None])
    also = f"; {_enumeration([part.entry.name for part in silent])} did not answer" if silent else ""
    hint = "see the domains: xlpy -H HOST list"
    if meant is not None:
        hint = f"did you mean {known[meant].reference}?"
    elif wanted_host is not None and name == reference:
        hint = f"{wanted_host} is none of the hosts that -H names"
    raise DomainNotFound(f"there is no domain {reference!r} on {where or 'any host'}{also}", hint)


def _enumeration(names: Sequence[str]) -> str:
    if len(names) <= _MOST_NAMED:
        return ", ".join(names)
    return f"{', '.join(names[: _MOST_NAMED - 1])} and {len(names) - _MOST_NAMED + 1} more"
