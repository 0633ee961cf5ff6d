"""Command lines that can't be carried out: no such command, too few arguments, too many."""

from __future__ import annotations

from xlpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.command import Command
    from xlpy.cli.session import Session


def require_arguments(session: Session, command: Command, given: int, needs: int) -> None:
    """Raises UsageError when there are fewer arguments than the command needs; xl prints help, too (def_getopt)."""
    if given >= needs:
        return
    plural = "s" if needs > 1 else ""
    if session.xl:
        from xlpy.cli.help import print_help

        print_help(session, command)
        raise UsageError(f"'xl {command.name}' requires at least {needs} argument{plural}.\n")
    raise UsageError(f"{command.name} needs at least {needs} argument{plural}", f"usage: {_usage(command)}")


def too_many(session: Session, name: str, surplus: str, status: int) -> int:
    """What xl does about arguments it has no use for, where it doesn't ignore them: help, and this exit status.

    Raises UsageError when not called as xl.
    """
    from xlpy.cli.commands import require_command

    row = require_command(name)

    if not session.xl:
        raise UsageError(f"{surplus!r} is one argument too many", f"usage: {_usage(row)}")
    from xlpy.cli.help import print_help

    print_help(session, row)
    return status


def no_such_command(name: str, rest: list[str]) -> UsageError:
    """What to say of a command that isn't there, or only half of one; what stands behind is ``rest``."""
    from difflib import get_close_matches

    from xlpy.cli.commands import all_commands, subcommands

    seconds = subcommands(name)
    if seconds:
        problem = f"there is no command {name + ' ' + rest[0]!r}" if rest else f"{name} needs a second word"
        near = get_close_matches(rest[0], seconds, n=2) if rest else []
        hint = f"did you mean {_either(name, near)}?" if near else f"one of: {_list(name, seconds)}"
        return UsageError(problem, hint)
    near = get_close_matches(
        name, {word for row in all_commands() for word in (row.name, row.name.split()[0])}, n=3
    )
    hint = f"did you mean {' or '.join(near)}?" if near else "see the commands: xlpy help"
    return UsageError(f"there is no command {name!r}", hint)


def _either(name: str, seconds: list[str]) -> str:
    return " or ".join([f"{name} {second}" for second in seconds])


def _list(name: str, seconds: list[str]) -> str:
    return ", ".join([f"{name} {second}" for second in seconds])


def _usage(command: Command) -> str:
    return f"xlpy {command.name} {command.usage}".strip()
