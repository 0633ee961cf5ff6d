"""The life of a domain after its creation: pause, unpause, destroy, shutdown, reboot, rename (xl_vmcontrol.c)."""

from __future__ import annotations

from xlpy.cli.failure import report, worded_as_xl
from xlpy.cli.numbers import timeout_of
from xlpy.errors import Aborted, DomainNotFound, InvalidState, UsageError, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.model.domain import DomainEnd


def pause(session: Session, args: Arguments) -> int:
    """``xl pause``; unlike xl it fails when the host does."""
    return _for_each(session, _targets(session, args), session.host.pause_domain)


def unpause(session: Session, args: Arguments) -> int:
    """``xl unpause``; unlike xl it fails when the host does."""
    return _for_each(session, _targets(session, args), session.host.unpause_domain)


def destroy(session: Session, args: Arguments) -> int:
    """``xl destroy``."""

    def end(domid: int) -> None:
        if domid == 0 and not args.flag("f"):
            message = "Not destroying domain 0; use -f to force."
            detail = "This can only be done when using a disaggregated hardware domain and toolstack."
            raise (
                InvalidState(f"{message}\n{detail}\n") if session.xl else InvalidState(message, detail=detail)
            )
        session.host.destroy_domain(domid)

    return _for_each(session, _targets(session, args), end)


def rename(session: Session, args: Arguments) -> None:
    """``xl rename``."""
    domid = session.domid(args.rest[0])
    with worded_as_xl(session, f"Can't rename domain '{args.rest[0]}'."):
        session.host.rename_domain(domid, args.rest[1])


def shutdown(session: Session, args: Arguments) -> int:
    """``xl shutdown``."""
    return _ask_to_end(session, args, "shutdown", "Shutting down", session.host.shutdown_domain)


def reboot(session: Session, args: Arguments) -> int:
    """``xl reboot``; ``-w`` waits for the end of the old domain, not for the new one to be up."""
    return _ask_to_end(session, args, "reboot", "Rebooting", session.host.reboot_domain)


def _targets(session: Session, args: Arguments) -> Sequence[str]:
    """The domains that are meant: all that are named; xl looks at the first and ignores the others."""
    return args.rest[:1] if session.xl else args.rest


def _for_each(session: Session, references: Sequence[str], act: Callable[[int], None]) -> int:
    """Do it for every domain, going on after a failure; 1 if there was one."""
    status = 0
    for reference in references:
        try:
            act(session.domid(reference))
        except XlError as error:
            if len(references) == 1:
                raise
            report(error, session)
            status = 1
    return status


def _ask_to_end(
    session: Session, args: Arguments, what: str, doing: str, ask: Callable[[int, bool], None]
) -> int:
    """What shutdown and reboot have in common. One domain's failure doesn't spare the others, as it does in xl."""
    timeout_s = timeout_of(args)
    then = what_then(args, timeout_s)
    status = 0
    asked: list[int] = []
    domids = _ending_domids(session, args)
    for domid in domids:
        session.say(f"{doing} domain {domid}")
        try:
            with worded_as_xl(session, f"{what} failed (rc=-3)"):
                ask(domid, args.flag("F"))
            asked.append(domid)
        except XlError as error:
            if len(domids) == 1:
                raise
            report(error, session)
            status = 1
    if args.flag("wait") or then:
        _wait_for_ends(session, asked, args.count("wait") > 1, timeout_s, then)
    return status


def what_then(args: Arguments, timeout_s: float | None) -> str | None:
    """The value of ``--then``: what becomes of those that have not ended in time. Raises UsageError."""
    then = args.value("then") if args.knows("then") else None
    if then is not None and then != "destroy":
        raise UsageError(f"there is no --then {then}", "--then destroy")
    if then is not None and timeout_s is None:
        raise UsageError("--then needs --timeout", "such as: --timeout 60 --then destroy")
    return then


def _ending_domids(session: Session, args: Arguments) -> list[int]:
    if args.flag("all"):
        return [
            domain.domid for domain in session.host.list_domains() if domain.domid and not domain.shutdown
        ]
    if not args.rest:
        raise XlError("You must specify -a or a domain id." + ("\n" if session.xl else ""))
    return [session.domid(reference) for reference in _targets(session, args)]


def _wait_for_ends(
    session: Session, domids: list[int], destroyed: bool, timeout_s: float | None, then: str | None
) -> None:
    """Wait for all of them, saying what xl says of each (wait_for_domain_deaths); ``then`` is for those that don't end."""
    from xlpy.cli.deadline import Deadline, DeadlineMissed
    from xlpy.cli.waiting import wait_for_end

    session.say(f"Waiting for {len(domids)} domains")
    waiting = list(domids)
    try:
        with Deadline(timeout_s):
            while waiting:
                end = wait_for_end(session, tuple(waiting), destroyed)
                waiting.remove(end.domid)
                _tell_end(session, end)
    except DeadlineMissed:
        session.host.close()  # what it answers late is an answer to nothing
        if then is not None:
            _destroy_rest(session, waiting)
            return
        names = ", ".join(map(str, waiting))
        raise Aborted(
            f"after {timeout_s:g} s these domains have not ended: {names}",
            "destroy them, or look at what they say: xlpy console --dump",
        ) from None


def _destroy_rest(session: Session, domids: list[int]) -> None:
    """End those that didn't end by themselves; one that has meanwhile is fine."""
    for domid in domids:
        try:
            session.host.destroy_domain(domid)
        except (DomainNotFound, InvalidState):
            continue
        session.say(f"Domain {domid} did not end in time and has been destroyed")


def _tell_end(session: Session, end: DomainEnd) -> None:
    from xlpy.render.domain import reason_code

    if end.destroyed:
        session.say(f"Domain {end.domid} has been destroyed")
    else:
        session.say(f"Domain {end.domid} has been shut down, reason code {reason_code(end.reason)}")
