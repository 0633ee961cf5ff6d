"""What happened on a host: ``xlpy events``."""

from __future__ import annotations

from xlpy.cli.numbers import number_of
from xlpy.errors import DomainNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.engine.base import Engine
    from xlpy.model.event import EventRecord

PAGE = 1000


def events(session: Session, args: Arguments) -> None:
    """The record, oldest first: of one domain, after an event, the last few, or on and on."""
    from xlpy.render.event import event_kind

    after_id = number_of(args, "after", "number of an event") or 0
    last = number_of(args, "lines", "number of events")
    wanted = _Wanted(session, args.rest[0]) if args.rest else None
    found: list[EventRecord] = []
    for event in _all_after(session.host, after_id):
        after_id = event.id
        if wanted is None or wanted.includes(event):
            found.append(event)
            if last is not None and len(found) > 2 * last + PAGE:
                del found[: len(found) - last]
    session.show(
        event_kind(), found if last is None else found[len(found) - last :] if last < len(found) else found
    )
    while args.flag("follow"):
        for event in session.host.wait_events(after_id):
            after_id = event.id
            if wanted is None or wanted.includes(event):
                _show_one(session, event)


def _all_after(host: Engine, after_id: int) -> Iterator[EventRecord]:
    """Every event after this one, asked for page by page."""
    while True:
        page = host.list_events(after_id, PAGE)
        yield from page
        if len(page) < PAGE:
            return
        after_id = page[-1].id


def _show_one(session: Session, event: EventRecord) -> None:
    """A new event on a line of its own; headers came with the first ones."""
    import sys

    from xlpy.render.event import event_kind
    from xlpy.render.output import Wishes, show

    form = "plain" if session.form == "table" else session.form
    show(
        event_kind(),
        [event],
        Wishes(form, session.options.columns, None, False, session.options.filter),
        sys.stdout,
    )
    sys.stdout.flush()


class _Wanted:
    """Which events belong to a domain: those of its name, and of its domid; it may be long gone."""

    def __init__(self, session: Session, reference: str) -> None:
        self.names = {reference}
        self.domids: set[int] = set()
        try:
            domain = session.domain(reference)
        except DomainNotFound:
            if reference.isascii() and reference.isdigit():
                self.domids.add(int(reference))
            return
        self.domids.add(domain.domid)
        if domain.name is not None:
            self.names.add(domain.name)

    def includes(self, event: EventRecord) -> bool:
        """Whether the event is about this domain. A domid is reused only after 32751 others."""
        return event.name in self.names or event.domid in self.domids
