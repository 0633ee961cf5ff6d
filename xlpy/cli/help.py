"""Help: xl's own text when called as xl, a page in our look otherwise. It never needs a host."""

from __future__ import annotations

from xlpy.cli.commands import (
    TOPICS,
    find_command,
    find_xl_command,
    require_command,
    subcommands,
    table,
    xl_commands,
)
from xlpy.cli.usage import no_such_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from xlpy.cli.command import Command
    from xlpy.cli.options import Arguments, Option
    from xlpy.cli.session import Session


def help_command(session: Session, args: Arguments) -> int:
    """``xl help [CMD]``. xl answers an unknown command on stdout and exits 0; so does xl mode."""
    name = args.rest[0] if args.rest else "help"
    seconds = [] if session.xl else subcommands(name)
    if seconds and not args.rest[1:]:
        print(group_help(name, seconds), end="")
        return 0
    if seconds:
        name = f"{name} {args.rest[1]}"
    if name == "help":
        print_help(session, None)
        return 0
    found = find_xl_command(name) if session.xl else find_command(name)
    if found is not None:
        print_help(session, found)
    elif session.xl:
        print(f'command "{name}" not implemented')
    else:
        first, *rest = name.split(" ")
        raise no_such_command(first, rest)
    return 0


def print_help(session: Session, command: Command | None) -> None:
    """Print the help of a command, or the list of commands, on stdout."""
    if session.xl:
        text = xl_command_help(command) if command else xl_overview()
    else:
        text = command_help(command) if command else overview()
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
    text = f"Usage: xl [-vtT{flags}] {command.name} {command.usage}\n\n{command.summary}.\n\n"
    from xlpy.cli.xl_help import RECORDED

    options = RECORDED.get(command.name)
    if options is None and command.options:
        options = "\n".join(_option_lines(command.options, 24, indent=""))
    return text if options is None else f"{text}Options:\n\n{options}\n"


def command_help(command: Command) -> str:
    """Our own page about one command."""
    lines = [f"Usage: xlpy {command.name} {command.usage.strip()}".rstrip(), ""]
    summary, _, warning = command.summary.partition("\n")
    lines.append(f"{summary}.")
    if warning:
        lines.append(f"{warning}.")
    if command.handler is None:
        lines += ["", "This release of xlpy does not have this command."]
    if command.options:
        lines += ["", "Options:", *_option_lines(command.options, 28, indent="  ")]
    lines += ["", "Global options may stand here, too: see xlpy help."]
    return "\n".join(lines) + "\n"


def group_help(name: str, seconds: Iterable[str]) -> str:
    """Our own page about the commands that have the first word in common."""
    lines = [f"Usage: xlpy {name} COMMAND [options] [arguments]", "", "Commands:"]
    rows = [require_command(f"{name} {second}") for second in seconds]
    lines += [f"  {row.name:22} {row.summary.partition(chr(10))[0]}" for row in rows]
    lines += ["", f"xlpy help {name} COMMAND tells about one command."]
    return "\n".join(lines) + "\n"


def overview() -> str:
    """Our own list of commands and global options."""
    from xlpy.cli.global_options import GLOBALS

    lines = ["Usage: xlpy [global options] COMMAND [options] [arguments]"]
    for topic, title in TOPICS.items():
        lines += ["", f"{title}:"]
        lines += [f"  {row.name:22} {row.summary.partition(chr(10))[0]}" for row in table(topic).values()]
    lines += ["", "Global options:", *_option_lines(GLOBALS, 28, indent="  ")]
    lines += ["", "xlpy help COMMAND tells about one command."]
    return "\n".join(lines) + "\n"


def _option_lines(options: Iterable[Option], width: int, indent: str) -> Iterator[str]:
    """One line for each option, two if its names are too long."""
    for option in options:
        if option.hidden:
            continue
        names = option.spelled()
        if len(names) >= width:
            yield f"{indent}{names}"
            names = ""
        yield f"{indent}{names:{width}}{option.help}".rstrip()
