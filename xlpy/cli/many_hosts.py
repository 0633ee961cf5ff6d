"""One command on several hosts: each does its part at the same time, and what they show becomes one table.

A host that fails is a line on stderr and doesn't keep the rows of the others from being shown; the exit status says
whether all of them failed or only some.
"""

from __future__ import annotations

import sys

from xlpy.cli.host_session import HostSession
from xlpy.cli.locate import (
    all_domains_of,
    domains_of,
    hosts_named,
    locate,
    locate_one,
    split_reference,
)
from xlpy.cli.one_host import on_one_host, refuse_useless_options
from xlpy.cli.reach import BULK, ITSELF, NOWHERE, ONE, only_question, reach_of
from xlpy.client.many import PARALLEL, Part, no_answer, on_each
from xlpy.errors import DomainNotFound, Interrupted, UsageError, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from xlpy.cli.command import Command
    from xlpy.cli.options import Arguments
    from xlpy.cli.reach import Reach
    from xlpy.cli.session import Session
    from xlpy.inventory.entry import HostEntry

PARTIAL = 4
"""The exit status when some hosts have done their part and others have not."""


def carry_out(session: Session, command: Command, args: Arguments) -> int:
    """Carry a command out whose hosts are several, or whose domains may say on which host they are."""
    reach = reach_of(command, args)
    refuse_useless_options(session, command, reach)
    references = reach.references(args)
    by_host = any(split_reference(reference)[1] is not None for reference in references)
    if reach.hosts in (NOWHERE, ITSELF):
        return command.carry_out(session, args)
    if not session.plural and not by_host and not (session.options.plan and reach.hosts == BULK):
        return on_one_host(session, command, args)
    if by_host and not session.options.hosts:
        session.options.hosts = hosts_named(references, session.host_names or ["local"])
    if reach.hosts == BULK:
        from xlpy.cli.bulk import change

        return change(session, command, args)
    if reach.hosts == ONE:
        return _on_its_host(session, command, args, reach)
    return _on_each(session, command, args, reach)


def open_parts(session: Session, entries: Sequence[HostEntry] | None = None) -> list[Part]:
    """A part for each of these hosts, else for every host to work on; nothing is asked of it yet."""
    timeout_s = session.options.timeout_s
    chosen = session.entries if entries is None else entries
    return [Part(entry, session.open(entry), timeout_s or entry.limit_s) for entry in chosen]


def ask_all(
    session: Session,
    parts: Sequence[Part],
    work: Callable[[Part], Any],
    late: Callable[[Part], XlError] = no_answer,
) -> None:
    """Do it on every host; values and errors are in the parts afterwards, each an XlError."""
    on_each(parts, work, session.options.parallel or PARALLEL, late)
    for part in parts:
        if part.error is not None and not isinstance(part.error, XlError):
            part.error = _unforeseen(part.error)


def look(
    session: Session,
    parts: Sequence[Part],
    work: Callable[[Part], Any],
    again: bool = True,
    question: str = "",
) -> None:
    """Ask all of them for what changes nothing: a connection that broke, since it was an old one, is made anew once.

    ``question`` is the operation that ``work`` calls first, without arguments, and usually the only one: hosts are asked
    that all together where this can be done, and need no thread then.
    """
    left = list(parts)
    if question and session.reaches_hosts and not session.options.parallel:
        from xlpy.client.ask import ask_ahead

        for part in ask_ahead(left, question):
            left.remove(part)
            if part.error is None:
                _do_here(part, work)

    def asked(part: Part) -> Any:
        try:
            return work(part)
        except Interrupted:
            if part.lost or not again:
                raise
        return work(part)

    if left:
        ask_all(session, left, asked)


def _do_here(part: Part, work: Callable[[Part], Any]) -> None:
    """The same without a thread: the answer is there already."""
    try:
        part.value = work(part)
    except XlError as error:
        part.error = error
    except Exception as error:  # noqa: BLE001 -- as in a thread of its own: the other hosts shall not suffer
        part.error = _unforeseen(error)


def _unforeseen(error: BaseException) -> XlError:
    """A bug of ours that one host has brought to light; the others shall not suffer."""
    from xlpy.cli.failure import unforeseen

    return unforeseen(error)


def failures(parts: Sequence[Part]) -> list[tuple[str, XlError]]:
    """What went wrong, and where."""
    return [(part.entry.name, part.error) for part in parts if isinstance(part.error, XlError)]


def report_failures(session: Session, failed: Sequence[tuple[str, XlError]]) -> None:
    """A line on stderr for every host that failed, with its hint."""
    from xlpy.cli.failure import report_for

    for host, error in failed:
        report_for(host, error, session)


def overall_status(statuses: Sequence[int]) -> int:
    """0 if all are, PARTIAL if some are; else what they have in common, or 1."""
    if 0 in statuses:
        return PARTIAL if any(statuses) else 0
    return statuses[0] if len(set(statuses)) == 1 else 1


def _on_its_host(session: Session, command: Command, args: Arguments, reach: Reach) -> int:
    """A command for one host: the one that has the domain it names."""
    references = reach.references(args)
    if len(references) != 1:
        raise UsageError(f"{command.name} works on one host at a time", "name one: -H HOST")
    parts = open_parts(session)
    if reach.defined:
        look(session, parts, all_domains_of)
    else:
        look(session, parts, domains_of, question="list_domains")
    one = locate_one(parts, references[0])
    session.work_on(one.part.host)
    session.options.hosts = [one.part.entry.name]
    return command.carry_out(session, reach.with_references(args, [one.name]))


def _on_each(session: Session, command: Command, args: Arguments, reach: Reach) -> int:
    """A command that shows something: of all hosts, or of those that have the domains it names."""
    parts = open_parts(session)
    handler = command.load()
    if session.plan is not None:
        from xlpy.cli.rehearsal import until_over

        handler = until_over(handler)
    arguments = dict.fromkeys(parts, args)
    if reach.references(args):
        arguments = _arguments_by_host(session, parts, args, reach)

    def work(part: Part) -> tuple[HostSession, int]:
        own = HostSession(session, part)
        return own, handler(own, arguments[part]) or 0

    clears = args.knows("clear") and args.flag("clear")
    question = "" if reach.references(args) else only_question(command, args)
    look(session, list(arguments), work, again=not clears, question=question)
    return _conclude(session, [part for part in parts if part in arguments or part.error is not None])


def _arguments_by_host(
    session: Session, parts: Sequence[Part], args: Arguments, reach: Reach
) -> dict[Part, Arguments]:
    """For each host that has some of the named domains, the arguments with only those. Raises DomainNotFound."""
    look(session, parts, domains_of, question="list_domains")
    names: dict[Part, list[str]] = {part: [] for part in parts}
    for reference in reach.references(args):
        for one in locate(parts, reference):
            names[one.part].append(one.name)
    return {part: reach.with_references(args, names[part]) for part in parts if names[part]}


def _conclude(session: Session, parts: Sequence[Part]) -> int:
    """Show what came together, then what went wrong."""
    from xlpy.render.many import HostRows, show_documents, show_many

    failed = failures(parts)
    _raise_common(parts)
    shown: list[HostRows] = []
    documents: list[tuple[str, str, Sequence[dict[str, object]]]] = []
    statuses = [error.exit_status for _, error in failed]
    for part in parts:
        if part.error is None:
            own, status = part.value
            statuses.append(status)
            shown += [HostRows(part.entry.name, kind, rows) for kind, rows in own.shown]
            documents += [(part.entry.name, schema, rows) for schema, rows in own.documents]
    if documents:
        by_host = [(host, rows) for host, _, rows in documents]
        show_documents(documents[0][1], by_host, failed, session.wishes, sys.stdout)
    elif shown or session.structured:
        show_many(shown, failed, session.wishes, sys.stdout)
    sys.stdout.flush()
    report_failures(session, failed)
    return overall_status(statuses)


def _raise_common(parts: Sequence[Part]) -> None:
    """What is wrong with the command line itself every host has said in the same words; once is enough."""
    first = parts[0].error
    if isinstance(first, (UsageError, DomainNotFound)) and all(
        type(part.error) is type(first) and str(part.error) == str(first) for part in parts
    ):
        raise first
