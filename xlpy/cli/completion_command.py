"""``xlpy completion``: what a shell must read to complete xlpy's command lines."""

from __future__ import annotations

from xlpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session


def completion(session: Session, args: Arguments) -> None:
    """Print the shell's script. Raises UsageError for another shell."""
    from xlpy.cli.completion.scripts import SCRIPTS

    shell = args.rest[0]
    script = SCRIPTS.get(shell)
    if script is None:
        raise UsageError(f"there is no completion for {shell!r}", f"shells: {', '.join(SCRIPTS)}")
    print(script, end="")
