"""One command on one host that was named: it may be far away, so waiting for its answer has an end."""

from __future__ import annotations

from xlpy.cli.reach import BULK, EACH, ITSELF, NOWHERE, reach_of
from xlpy.errors import ConnectError, Interrupted, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.command import Command
    from xlpy.cli.options import Arguments
    from xlpy.cli.reach import Reach
    from xlpy.cli.session import Session


def on_one_host(session: Session, command: Command, args: Arguments) -> int:
    """Carry a command out within ``--timeout``; one that only looks has the host's own limit without it.

    Raises ConnectError when that is over, or Interrupted when something may have been changed.
    """
    from xlpy.cli.deadline import Deadline, DeadlineMissed

    reach = reach_of(command, args)
    refuse_useless_options(session, command, reach)
    if reach.hosts in (NOWHERE, ITSELF):
        return command.carry_out(session, args)
    command.ask(session, args)  # there is time for the answer
    looks = reach.hosts == EACH
    timeout_s = session.options.timeout_s
    if timeout_s is None and looks and session.host_names:
        timeout_s = session.entries[0].limit_s
    try:
        with Deadline(timeout_s) as session.deadline:
            return command.load()(session, args) or 0
    except DeadlineMissed:
        host = session.host_names[0] if session.host_names else "xlpyd"
        missed = f"{host}: no answer within {timeout_s:g} s"
        if looks:
            raise ConnectError(missed, "--timeout SECONDS waits longer, or shorter") from None
        raise Interrupted(missed, "the outcome is unknown; 'xlpy events' shows what was done") from None


def refuse_useless_options(session: Session, command: Command, reach: Reach) -> None:
    """An option that would do nothing is not taken. Raises UsageError."""
    if session.options.timeout_s and reach.hosts not in (BULK, EACH, ITSELF):
        raise UsageError(f"{command.name} takes no --timeout", "it is for commands that show what hosts have")
