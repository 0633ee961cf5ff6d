"""Help: xl's own text when called as xl, a page in our look otherwise. It never needs a host."""

from __future__ import annotations

from xlpy.cli.commands import (
    all_commands,
    find_command,
    find_xl_command,
    subcommands,
    xl_commands,
)
from xlpy.cli.usage import no_such_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from xlpy.cli.command import Command
    from xlpy.cli.options import Arguments, Option
    from xlpy.cli.session import Session


_XL_NAMES = 24


def help_command(session: Session, args: Arguments) -> int:
    """``xl help [CMD]``. xl answers an unknown command on stdout and exits 0; so does xl mode."""
    name = args.rest[0] if args.rest else "help"
    seconds = [] if session.xl else subcommands(name)
    if session.options.output is not None and session.structured:
        return _show_rows(session, args.rest)
    if seconds and not args.rest[1:]:
        from xlpy.cli.help_page import group_page

        print(group_page(name, seconds), end="")
        return 0
    if seconds:
        name = f"{name} {args.rest[1]}"
    every = not session.xl and args.flag("long")
    if name == "help":
        print_help(session, None, every)
        return 0
    found = find_xl_command(name) if session.xl else find_command(name)
    if found is not None:
        print_help(session, found, every)
    elif session.xl:
        print(f'command "{name}" not implemented')
    else:
        first, *rest = name.split(" ")
        raise no_such_command(first, rest)
    return 0


def _show_rows(session: Session, words: list[str]) -> int:
    """The command of this name, or all whose first word it is, or all, as rows."""
    from xlpy.render.text import command_kind

    name = " ".join(words[:2])
    rows = [row for row in all_commands() if not words or f"{row.name} ".startswith(f"{name} ")]
    if not rows:
        raise no_such_command(words[0], words[1:])
    session.show(command_kind(), rows)
    return 0


def print_help(session: Session, command: Command | None, every: bool = False) -> None:
    """Print the help of a command, or the list of commands, on stdout; ``every`` is ``--long``."""
    if session.xl:
        text = xl_command_help(command) if command else xl_overview()
    else:
        from xlpy.cli.help_page import command_page, short_list, whole_list

        text = command_page(command, every) if command else whole_list() if every else short_list()
    print(text, end="")


def xl_overview() -> str:
    """xl's list of subcommands; the first four lines and the columns are what its bash completion reads."""
    lines = ["Usage xl [-vfNtT] <subcommand> [args]", "", "xl full list of subcommands:", ""]
    for command in xl_commands():
        if len(command.name) > 19:
            lines.append(f" {command.name} ")
            lines.append(f" {'':19} {command.summary}")
        else:
            lines.append(f" {command.name:19} {command.summary}")
    return "\n".join(lines) + "\n"


def xl_command_help(command: Command) -> str:
    """xl's help of one command."""
    flags = f"{'f' if command.modifies else ''}{'N' if command.dry_run else ''}"
    from xlpy.cli.xl_help import RECORDED, USAGES

    usage = USAGES.get(command.name, command.usage)
    text = f"Usage: xl [-vtT{flags}] {command.name} {usage}\n\n{command.summary}.\n\n"
    if command.name in RECORDED:
        options = RECORDED[command.name]
    else:
        options = "\n".join(_xl_option_lines(command.options)) or None
    return text if options is None else f"{text}Options:\n\n{options}\n"


def _xl_option_lines(options: Iterable[Option]) -> Iterator[str]:
    """One line for each option, two if its names are too long."""
    for option in options:
        if option.hidden:
            continue
        names = option.spelled()
        if len(names) >= _XL_NAMES:
            yield names
            names = ""
        yield f"{names:{_XL_NAMES}}{option.help}".rstrip()
