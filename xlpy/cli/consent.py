"""A question before something that cannot be undone: what it is and what is lost by it, in ``losses``."""

from __future__ import annotations

import sys

from xlpy.errors import Aborted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.command import Command
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session


def require_consent(session: Session, command: Command, args: Arguments) -> None:
    """Ask when somebody is there to answer; ``--yes``, a script and xl's ways are an answer. Raises Aborted.

    A plan needs none, and says what is lost.
    """
    if session.plan is not None:
        session.plan.loses = loss(session, command, args)
        return
    if session.xl or session.options.yes or not at_terminal():
        return
    lost = loss(session, command, args)
    if lost is not None and not ask(f"{lost}. Go on?"):
        raise Aborted("nothing was done")


def loss(session: Session, command: Command, args: Arguments) -> str | None:
    """What is lost when the command is carried out with these arguments, in a sentence; None for nothing."""
    if not command.loses:
        return None
    from xlpy.cli.losses import LOSSES

    return LOSSES[command.name](session, args)


def at_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str) -> bool:
    """Ask on the terminal; only a yes is one."""
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
