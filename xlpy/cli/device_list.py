"""Listing devices of several domains: one that isn't there is reported, and the others are shown."""

from __future__ import annotations

from xlpy.errors import DomainNotFound, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from xlpy.cli.session import Session
    from xlpy.render.kind import Kind


def show_devices(
    session: Session,
    references: Sequence[str],
    kind: Kind,
    list_devices: Callable[[int], Iterable[object]],
    *,
    xl_goes_on: bool = False,
) -> int:
    """Show rows of (domid, device) of all these domains; the exit status tells whether all were there.

    Some of xl's lists go on behind a name that nobody has (``xl_goes_on``): to those that is no failure, and they leave
    out what is added elsewhere to the same message. The others end there, with what they have shown so far: raises
    DomainNotFound.
    """
    rows: list[tuple[int, object]] = []
    status = 0
    for reference in references:
        found = _devices(session, reference, list_devices)
        if not isinstance(found, DomainNotFound):
            rows += found
        elif not session.xl:
            from xlpy.cli.failure import report

            status = report(found, session)
        elif xl_goes_on or reference.isdigit():
            session.warn(str(found))
        else:
            session.show(kind, rows)
            raise found
    session.show(kind, rows)
    return status


def _devices(
    session: Session, reference: str, list_devices: Callable[[int], Iterable[object]]
) -> list[tuple[int, object]] | DomainNotFound:
    try:
        domid = session.domid(reference)
        return [(domid, device) for device in list_devices(domid)]
    except DomainNotFound as error:
        return error


def attach_target(session: Session, reference: str) -> int:
    """The domid to attach a device to. xl says of a domain that isn't there the same as its lists."""
    try:
        return session.domid(reference)
    except DomainNotFound as error:
        raise XlError(str(error)) if session.xl else error from error
