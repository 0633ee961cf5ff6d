"""A look before a migration: what the records have against it, beside what the engine has."""

from __future__ import annotations

from xlpy.agent.domain_record import DOING, Phase
from xlpy.errors import DomainNotFound, InvalidState, XlError
from xlpy.model.migration import Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlpy.agent.domain_record import DomainRecord
    from xlpy.agent.store import Store
    from xlpy.engine.base import Engine
    from xlpy.model.migration import SavedDomain


def outgoing_findings(store: Store, engine: Engine, domid: int, copy_disks: bool) -> tuple[Finding, ...]:
    """What keeps the domain from leaving. Raises DomainNotFound."""
    info = engine.domain_info(domid)
    record = store.by_domid(domid)
    found: list[Finding] = []
    if record is None and (domid == 0 or not engine.shared):
        found.append(_error(InvalidState.code, f"domain {domid} cannot be saved or migrated"))
        return tuple(found)
    name = info.name if record is None else record.name
    if record is not None and record.phase is not Phase.RUNNING:
        found.append(
            _error(
                InvalidState.code,
                f"domain {record.name!r} {DOING[record.phase]}",
                f"'xlpy migrate --resume {record.name}' or '--abort' settles what is left of a migration",
            )
        )
    if info.ended:
        found.append(
            _error(
                InvalidState.code,
                f"domain {name!r} has shut down",
                "there is nothing to move; destroy it",
            )
        )
        return tuple(found)
    return (*found, *engine.check_outgoing(domid, copy_disks))


def incoming_findings(
    store: Store, engine: Engine, saved: SavedDomain, copy_disks: bool
) -> tuple[Finding, ...]:
    """What keeps this host from taking it in."""
    return (*_taken(store, engine, saved), *engine.check_incoming(saved, copy_disks))


def _taken(store: Store, engine: Engine, saved: SavedDomain) -> Iterator[Finding]:
    c_info = saved.config.c_info
    if not c_info.name:
        yield _error("config", "the domain has no name")
    for record in store.records():
        if c_info.uuid and record.uuid == c_info.uuid.lower():
            yield _exists(f"a domain with the uuid {record.uuid} exists already: {record.name!r}", record)
        elif record.name == c_info.name:
            yield _exists(f"a domain named {record.name!r} exists already (domain {record.domid})", record)
    if c_info.domid is not None and _is_there(engine, c_info.domid):
        yield _error("domain-exists", f"the domid {c_info.domid} is in use", "leave -D out")


def _is_there(engine: Engine, domid: int) -> bool:
    try:
        engine.domain_info(domid)
    except DomainNotFound:
        return False
    except XlError:
        pass  # it is there, in whatever state
    return True


def _exists(text: str, record: DomainRecord) -> Finding:
    hint = "rename that one (xlpy rename), or destroy it"
    if record.phase in (Phase.SENT, Phase.INCOMING):
        hint = f"it is left of another migration; 'xlpy migrate --resume {record.name}' or '--abort' settles that"
    return _error("domain-exists", text, hint)


def _error(code: str, text: str, hint: str | None = None) -> Finding:
    return Finding(severity="error", code=code, text=text, hint=hint)
