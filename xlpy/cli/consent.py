"""A question before something that cannot be undone."""

from __future__ import annotations

import sys

from xlpy.errors import Aborted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.session import Session


def require_consent(session: Session, question: str) -> None:
    """Ask when somebody is there to answer; ``--yes``, a script and xl's ways are an answer. Raises Aborted."""
    if session.xl or session.options.yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    if not ask(question):
        raise Aborted("nothing was done")


def ask(question: str) -> bool:
    """Ask on the terminal; only a yes is one."""
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
