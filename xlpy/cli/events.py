"""What happened on a host: ``xlpy events``."""

from __future__ import annotations

from xlpy.cli.numbers import number_of
from xlpy.errors import DomainNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.engine.base import Engine
    from xlpy.model.event import EventRecord

PAGE = 1000


def events(session: Session, args: Arguments) -> int:
    """The record, oldest first: of one domain, after an event, the last few, or on and on."""
    from xlpy.render.event import event_kind

    after_id = number_of(args, "after", "number of an event") or 0
    last = number_of(args, "lines", "number of events")
    reference = args.rest[0] if args.rest else None
    if args.flag("follow"):
        from xlpy.cli.events_follow import follow

        return follow(
            session,
            lambda host: list(_all_after(host, after_id)),
            lambda host: _wanted(host, reference),
            last,
        )
    wanted = _wanted(session.host, reference)
    found: list[EventRecord] = []
    for event in _all_after(session.host, after_id):
        if wanted(event):
            found.append(event)
            if last is not None and len(found) > 2 * last + PAGE:
                del found[: len(found) - last]
    session.show(
        event_kind(), found if last is None else found[len(found) - last :] if last < len(found) else found
    )
    return 0


def _all_after(host: Engine, after_id: int) -> Iterator[EventRecord]:
    """Every event after this one, asked for page by page."""
    while True:
        page = host.list_events(after_id, PAGE)
        yield from page
        if len(page) < PAGE:
            return
        after_id = page[-1].id


def _wanted(host: Engine, reference: str | None) -> Callable[[EventRecord], bool]:
    """Which events belong to a domain: those of its name, and of its domid; it may be long gone.

    A domid is reused only after 32751 others.
    """
    if reference is None:
        return lambda event: True
    names, domids = {reference}, set[int]()
    try:
        domain = host.find_domain(reference)
        domids.add(domain.domid)
        if domain.name is not None:
            names.add(domain.name)
    except DomainNotFound:
        if reference.isascii() and reference.isdigit():
            domids.add(int(reference))
    return lambda event: event.name in names or event.domid in domids
