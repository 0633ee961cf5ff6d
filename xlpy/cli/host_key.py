"""Asking the user about the key of a host that is new."""

from __future__ import annotations

import sys

from xlpy.cli.consent import at_terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.session import Session
    from xlpy.errors import UnknownHostKey


def ask(session: Session, error: UnknownHostKey) -> bool:
    """Whether the user at the terminal agrees to a host key, by ``yes`` or by its fingerprint; no terminal, no yes."""
    if not at_terminal() or session.options.quiet:
        return False
    session.warn(f"{error}\n  {error.detail}")
    while True:
        sys.stderr.write("Is this the key of the host itself (yes/no/its fingerprint)? ")
        sys.stderr.flush()
        answer = sys.stdin.readline().strip()
        if answer == error.fingerprint or answer.lower() == "yes":
            return True
        if answer.lower() in ("no", ""):
            return False
