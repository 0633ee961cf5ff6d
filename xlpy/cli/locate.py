"""Finding the domains that a command names among several hosts: ``web``, ``web@xen1``, a domid or a uuid."""

from __future__ import annotations

from xlpy.errors import DomainNotFound, UsageError, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xlpy.client.many import Part
    from xlpy.model.domain import DomainInfo

_MOST_NAMED = 5


class Located:
    """A domain that was meant, and the host that has it."""

    __slots__ = ("domain", "part")

    def __init__(self, part: Part, domain: DomainInfo) -> None:
        self.part = part
        self.domain = domain

    @property
    def reference(self) -> str:
        """What to call it on any host."""
        return f"{self.domain.name or self.domain.domid}@{self.part.entry.name}"


def split_reference(reference: str) -> tuple[str, str | None]:
    """The domain and, if that is said, the host: the part behind the last ``@``."""
    domain, at, host = reference.rpartition("@")
    return (domain, host) if at and domain and host else (reference, None)


def hosts_named(references: Sequence[str]) -> list[str]:
    """The hosts of ``domain@host``, in their order; a domain without one is on this machine."""
    return list(dict.fromkeys(split_reference(reference)[1] or "local" for reference in references))


def locate(parts: Sequence[Part], reference: str) -> list[Located]:
    """All domains that are called so; ``part.value`` has each host's list. Raises DomainNotFound, UsageError."""
    name, wanted_host = split_reference(reference)
    if wanted_host is not None and all(part.entry.name != wanted_host for part in parts):
        wanted_host, name = None, reference  # no host of ours: an @ in the domain's own name
    asked = [part for part in parts if wanted_host in (None, part.entry.name)]
    fits = _test(name)
    found = [Located(part, domain) for part in asked for domain in part.value or () if fits(domain)]
    if not found:
        _refuse_unknown(reference, name, asked)
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


def _refuse_unknown(reference: str, name: str, asked: Sequence[Part]) -> None:
    from xlpy.model.nearest import nearest

    known = {
        domain.name: Located(part, domain) for part in asked for domain in part.value or () if domain.name
    }
    meant = nearest(name, tuple(known))
    silent = [part for part in asked if part.error is not None]
    if silent and len(asked) == 1 and isinstance(silent[0].error, XlError):
        raise silent[0].error
    where = _enumeration([part.entry.name for part in asked if part.error is None])
    also = f"; {_enumeration([part.entry.name for part in silent])} did not answer" if silent else ""
    raise DomainNotFound(
        f"there is no domain {reference!r} on {where or 'any host'}{also}",
        f"did you mean {known[meant].reference}?"
        if meant is not None
        else "see the domains: xlpy -H HOST list",
    )


def _enumeration(names: Sequence[str]) -> str:
    if len(names) <= _MOST_NAMED:
        return ", ".join(names)
    return f"{', '.join(names[: _MOST_NAMED - 1])} and {len(names) - _MOST_NAMED + 1} more"
