"""Changing domains on several hosts: pause, unpause, destroy, shutdown and reboot, after a plan of what will happen.

The plan is shown and has to be agreed to, on a terminal or by ``--yes``, where more than one named domain is meant.
"""

from __future__ import annotations

import sys

from xlpy.cli.consent import ask, at_terminal, loss
from xlpy.cli.locate import Located, domains_of, locate_one
from xlpy.cli.many_hosts import ask_all, failures, look, open_parts, overall_status, report_failures
from xlpy.cli.numbers import timeout_of
from xlpy.client.many import Part
from xlpy.errors import Aborted, ConnectError, DomainNotFound, Interrupted, InvalidState, UsageError, XlError
from xlpy.render.changes import change_words
from xlpy.render.plan import Outcome, Step, outcome_kind, plan_kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlpy.cli.command import Command
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session

    Targets = dict[Part, list[Located]]

_LONGEST_ACT_S = 5.0  # what asking one more domain may add to a host's time


def change(session: Session, command: Command, args: Arguments) -> int:
    """Do it to every domain that is meant, on all hosts at the same time; a row says what came of each."""
    everything = args.knows("all") and args.flag("all")
    if not everything and not args.rest:
        raise UsageError(f"{command.name}: no domain is named", "name domains, or give -a for all of them")
    parts = open_parts(session)
    look(session, parts, domains_of)
    silent = failures(parts)
    meant = _guests(parts) if everything else [locate_one(parts, reference) for reference in args.rest]
    _refuse_domain_0(command, args, meant)
    lost = loss(session, command, args)
    steps = [_step(command, one, _then(args), lost) for one in meant]
    asks = session.plan is not None or everything or len(meant) > 1 or (lost is not None and at_terminal())
    if asks and not _agreed(session, steps, silent):
        return overall_status(
            [part.error.exit_status if isinstance(part.error, XlError) else 0 for part in parts]
        )
    targets: Targets = {}
    for one in meant:
        targets.setdefault(one.part, []).append(one)
    outcomes = _carry_out(session, command, args, targets)
    if everything or len(meant) > 1:
        session.show(outcome_kind(), outcomes)
        sys.stdout.flush()
    return _conclude(session, outcomes, silent if everything else [])


def _guests(parts: Sequence[Part]) -> list[Located]:
    """All domains but the hosts themselves and those that have ended already, as ``xl shutdown -a`` chooses them."""
    return [
        Located(part, domain, domain.name or str(domain.domid))
        for part in parts
        for domain in part.value or ()
        if domain.domid and not domain.shutdown
    ]


def _refuse_domain_0(command: Command, args: Arguments, meant: Sequence[Located]) -> None:
    for one in meant:
        if one.domain.domid == 0 and command.name == "destroy" and not args.flag("f"):
            raise InvalidState("Not destroying domain 0; use -f to force.", where=one.part.entry.name)


def _then(args: Arguments) -> str:
    """What is done about those that don't end. Raises UsageError."""
    from xlpy.cli.lifecycle import what_then

    timeout_s = timeout_of(args) if args.knows("timeout") else None
    then = what_then(args, timeout_s)
    return f", and {then} it if it has not ended after {timeout_s:g} s" if then else ""


def _step(command: Command, one: Located, then: str = "", lost: str | None = None) -> Step:
    called = {"domain": one.domain.name or f"domain {one.domain.domid}"}
    return Step(
        host=one.part.entry.name,
        name=one.domain.name,
        domid=one.domain.domid,
        action=command.name,
        memory_kib=one.domain.current_memory_kib,
        change=change_words(f"{command.name}_domain", called) + then,
        loses=lost,
    )


def _agreed(session: Session, steps: Sequence[Step], silent: Sequence[tuple[str, XlError]]) -> bool:
    """Show the plan; whether it shall be carried out. Raises UsageError where nobody can be asked, Aborted for a no."""
    options = session.options
    if session.plan is not None:
        report_failures(session, silent)
        session.plan.steps += steps
        return False
    if not steps:
        report_failures(session, silent)
        session.say("there is nothing to do")
        return False
    if options.yes:
        return True
    from xlpy.render.output import Wishes, show

    on_terminal = at_terminal()
    show(plan_kind(), steps, Wishes("table" if on_terminal else "plain"), sys.stderr)
    report_failures(session, silent)
    if not on_terminal:
        raise UsageError("this is a plan, nothing was done yet", "--yes carries it out, --plan shows it only")
    count = len(steps)
    if not ask(f"Do this to {count} domain{'s' if count > 1 else ''}?"):
        raise Aborted("nothing was done")
    return True


def _carry_out(session: Session, command: Command, args: Arguments, targets: Targets) -> list[Outcome]:
    """Every host at the same time, the domains of one host one after the other."""
    done: dict[Part, list[Outcome]] = {part: [] for part in targets}
    ends_late_ones = args.knows("then") and args.flag("then")
    waits = ends_late_ones or (args.knows("wait") and args.flag("wait"))
    for part in targets:
        if part.limit_s is not None and session.options.timeout_s is None:
            part.limit_s += _LONGEST_ACT_S * len(targets[part])

    def work(part: Part) -> None:
        for one in targets[part]:
            done[part].append(_act(command, args, one))
        if waits:
            _wait(part, args.count("wait") > 1, done[part])

    if waits:
        timeout_s = timeout_of(args)
        for part in targets:
            part.limit_s = timeout_s
    ask_all(session, list(targets), work, _unknown)
    if ends_late_ones:
        _destroy_rest(session, {part: done[part] for part in targets if part.lost})
    return [
        outcome
        for part, located in targets.items()
        for outcome in _all_of(command, part, located, list(done[part]))
    ]


def _destroy_rest(session: Session, late: dict[Part, list[Outcome]]) -> None:
    """End what has not ended on hosts whose time is over; a domain that has meanwhile is fine.

    Where a connection broke before that, nothing is done: nobody knows how long its domains had.
    """
    again = {_fresh(session, part): part for part in late}

    def work(fresh: Part) -> None:
        for outcome in late[again[fresh]]:
            if not outcome.pending:
                continue
            try:
                fresh.host.destroy_domain(outcome.step.domid or 0)
            except (DomainNotFound, InvalidState):
                pass
            except (ConnectError, Interrupted):
                raise
            except XlError as error:
                outcome.error = error
            else:
                outcome.step = outcome.step.replace(action="destroy")
            outcome.pending = False

    ask_all(session, list(again), work, _unknown)
    for fresh, part in again.items():
        if all(not outcome.pending for outcome in late[part]):
            part.error = None
        elif fresh.error is not None:
            part.error = fresh.error


def _fresh(session: Session, part: Part) -> Part:
    """The same host over a new connection: what the old one answers late is an answer to nothing."""
    return Part(part.entry, session.open(part.entry), _LONGEST_ACT_S + (part.entry.limit_s or 0))


def _unknown(part: Part) -> XlError:
    """What is said of a host that was asked to change something and ran out of time."""
    return Interrupted(
        f"no answer within {part.limit_s:g} s",
        "the outcome is unknown; 'xlpy events' shows what was done there",
    )


def _act(command: Command, args: Arguments, one: Located) -> Outcome:
    """One domain's turn; its failure doesn't spare the others."""
    host, domid = one.part.host, one.domain.domid
    error: XlError | None = None
    try:
        if command.name in ("shutdown", "reboot"):
            getattr(host, f"{command.name}_domain")(domid, args.flag("F"))
        else:
            getattr(host, f"{command.name}_domain")(domid)
    except XlError as failed:
        error = failed
    return Outcome(_step(command, one), error)


def _wait(part: Part, destroyed: bool, outcomes: list[Outcome]) -> None:
    """Until all of a host's domains that could be asked have ended (``-w``), or are gone (``-ww``)."""
    waiting = {outcome.step.domid or 0: outcome for outcome in outcomes if outcome.error is None}
    for outcome in waiting.values():
        outcome.pending = True
    while waiting:
        end = part.host.wait_domain_end(tuple(waiting), destroyed)
        waiting.pop(end.domid).pending = False


def _all_of(
    command: Command, part: Part, located: Sequence[Located], outcomes: list[Outcome]
) -> list[Outcome]:
    """An outcome for every domain, also when the host was lost on the way."""
    reached = {outcome.step.domid for outcome in outcomes}
    if isinstance(part.error, XlError):
        for outcome in outcomes:
            if outcome.pending:
                outcome.error = Aborted("it was asked and has not ended yet", detail=str(part.error))
        outcomes += [
            Outcome(_step(command, one), part.error) for one in located if one.domain.domid not in reached
        ]
    return outcomes


def _conclude(session: Session, outcomes: Sequence[Outcome], silent: Sequence[tuple[str, XlError]]) -> int:
    from xlpy.cli.failure import report_for

    report_failures(session, silent)
    for outcome in outcomes:
        if outcome.error is not None:
            report_for(
                f"{outcome.step.name or outcome.step.domid}@{outcome.step.host}", outcome.error, session
            )
    statuses = [outcome.error.exit_status if outcome.error else 0 for outcome in outcomes]
    return overall_status([*statuses, *(error.exit_status for _, error in silent)])
