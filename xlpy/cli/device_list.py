"""Listing devices of several domains: one that isn't there is reported, and the others are shown."""

from __future__ import annotations

from xlpy.errors import DomainNotFound, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from xlpy.cli.session import Session
    from xlpy.render.kind import Kind


def show_devices(
    session: Session, references: Sequence[str], kind: Kind, list_devices: Callable[[int], Iterable[object]]
) -> int:
    """Show rows of (domid, device) of all these domains; the exit status tells whether all were there.

    To xl that is no failure, as scripts know it; and it leaves out what it adds elsewhere to the same message.
    """
    rows: list[tuple[int, object]] = []
    status = 0
    for reference in references:
        try:
            domid = session.domid(reference)
            rows += [(domid, device) for device in list_devices(domid)]
        except DomainNotFound as error:
            if session.xl:
                session.warn(str(error))
                continue
            from xlpy.cli.failure import report

            status = report(error, session)
    session.show(kind, rows)
    return status


def attach_target(session: Session, reference: str) -> int:
    """The domid to attach a device to. xl says of a domain that isn't there the same as its lists."""
    try:
        return session.domid(reference)
    except DomainNotFound as error:
        raise XlError(str(error)) if session.xl else error from error
