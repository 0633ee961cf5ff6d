"""``xlpy wait``: until a domain is in a state, or its console has said something."""

from __future__ import annotations

from xlpy.errors import Aborted, DomainNotFound, InvalidState, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.model.domain import DomainInfo

_STATES: dict[str, Callable[[DomainInfo], bool]] = {
    "running": lambda domain: not (domain.paused or domain.shutdown or domain.dying or domain.activity),
    "paused": lambda domain: domain.paused,
    "shutdown": lambda domain: domain.shutdown,
    "gone": lambda domain: False,
}
_CONSOLE = "console"


def wait(session: Session, args: Arguments) -> None:
    """Return when it is so. Raises Aborted at ``--timeout``, InvalidState when it can't come to that any more.

    A domain that isn't there yet is waited for; one that has ended says nothing more.
    """
    from xlpy.cli.deadline import Deadline, DeadlineMissed
    from xlpy.cli.numbers import timeout_of

    reference, what, *texts = args.rest
    if what == _CONSOLE:
        if len(texts) != 1 or not texts[0]:
            raise UsageError("wait console takes one text", "such as: xlpy wait web console 'login:'")
    elif what not in _STATES or texts:
        raise UsageError(
            f"{' '.join(args.rest[1:])!r} is nothing to wait for", f"{', '.join(_STATES)}, or console TEXT"
        )
    timeout_s = timeout_of(args)
    try:
        with Deadline(timeout_s):
            if what == _CONSOLE:
                _wait_for_text(session, reference, texts[0].encode("utf-8", "surrogateescape"))
            else:
                _wait_for_state(session, reference, what)
    except DeadlineMissed:
        session.host.close()
        raise Aborted(
            f"{reference} is not {what} after {timeout_s:g} s"
            if what != _CONSOLE
            else f"the console of {reference} has not said {texts[0]!r} within {timeout_s:g} s",
            f"see: xlpy console --dump {reference}",
        ) from None


def _wait_for_state(session: Session, reference: str, what: str) -> None:
    host = session.host
    seen = 0
    while True:
        newest = host.list_events(limit=1)
        seen = max(seen, newest[-1].id if newest else 0)
        domain = _find(session, reference)
        if what == "gone" if domain is None else _STATES[what](domain):
            return
        host.wait_events(seen)


def _wait_for_text(session: Session, reference: str, text: bytes) -> None:
    """What has been said since the domain started counts."""
    import select

    from xlpy.client.console import ConsoleView

    if _find(session, reference) is None:
        _wait_for_state(session, reference, "running")
    tail = b""
    with ConsoleView(session.host, session.domid(reference)) as view:
        while True:
            poller = select.poll()
            poller.register(view, select.POLLIN)
            poller.poll()
            piece = view.read()
            if piece == b"" and not view.take_up():
                raise InvalidState(f"the console of {reference} has ended without saying that")
            tail += piece or b""
            if text in tail:
                return
            tail = tail[-len(text) :]


def _find(session: Session, reference: str) -> DomainInfo | None:
    try:
        return session.host.find_domain(reference)
    except DomainNotFound:
        return None
