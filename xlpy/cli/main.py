"""From words to a command to an exit status, in xl's order of things (xl.c, main)."""

from __future__ import annotations

import sys

from xlpy.cli.commands import (
    find_command,
    find_xl_command,
    require_command,
    subcommands,
)
from xlpy.cli.global_options import GLOBALS, XL_GLOBALS, GlobalOptions
from xlpy.cli.options import Arguments, OptionError, parse, parse_leading
from xlpy.cli.session import Session
from xlpy.cli.usage import no_such_command, require_arguments
from xlpy.errors import UsageError, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xlpy.cli.command import Command
    from xlpy.engine.base import Engine


def run(
    words: Sequence[str], program: str = "xlpy", open_host: Callable[[str | None], Engine] | None = None
) -> int:
    """Carry out one command line and return the exit status. ``program`` is ``xlpy``, or ``xl`` for xl's own ways.

    ``open_host`` makes the host of a ``--host`` value; without one, hosts are reached as the client does.
    """
    session = Session(program, open_host)
    try:
        status = _run(session, list(words))
        sys.stdout.flush()
        return status
    except XlError as error:
        from xlpy.cli.failure import report

        return report(error, session)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        from xlpy.cli.failure import mute_stdout

        mute_stdout()
        return 141
    except OSError as error:
        from errno import EDQUOT, EIO, ENOSPC

        from xlpy.cli.failure import mute_stdout, report, report_bug

        if error.errno not in (EDQUOT, EIO, ENOSPC):
            return report_bug(error, session)
        mute_stdout()
        return report(XlError(f"cannot write the output: {error.strerror}"), session)
    except Exception as error:  # noqa: BLE001 -- the edge of the process
        from xlpy.cli.failure import report_bug

        return report_bug(error, session)
    finally:
        session.close()


def _run(session: Session, words: list[str]) -> int:
    leading = _global_options(session, words)
    if leading.help_wanted or leading.flag("version"):
        return _answer(session, "version" if leading.flag("version") else "help")
    session.options = GlobalOptions(leading)
    if not leading.rest:
        _answer(session, "help")
        return 1
    command, words = _command(session, leading.rest)
    if session.xl:
        _require_dry_run(session, command)
    args = _command_arguments(session, command, words)
    if args.help_wanted:
        from xlpy.cli.help import print_help

        print_help(session, command)
        return 0
    session.options.add(args, {option.name for option in command.options})
    _require_dry_run(session, command)
    require_arguments(session, command, len(args.rest), command.needs)
    if session.options.dry_run or session.options.plan:
        from xlpy.cli.rehearsal import rehearse

        return rehearse(session, command, args, _carry_out)
    return _carry_out(session, command, args)


def _require_dry_run(session: Session, command: Command) -> None:
    """``-N`` is a plan where xl has none. Raises XlError for what has neither, UsageError for a plan of it."""
    options = session.options
    if options.dry_run and not command.dry_run:
        if session.xl or not command.changes:
            raise XlError("command does not implement -N (dryrun) option")
        options.plan = True
    if options.plan:
        if not command.changes:
            raise UsageError(f"{command.name} changes nothing", "--plan shows what would be changed")
        options.dry_run = False  # the command goes on to where it would change something


def _carry_out(session: Session, command: Command, args: Arguments) -> int:
    options = session.options
    if session.plural or options.plan or ("@" in "".join(args.rest) and not session.xl):
        from xlpy.cli.many_hosts import carry_out

        return carry_out(session, command, args)
    if session.host_names or options.timeout_s:
        from xlpy.cli.one_host import on_one_host

        return on_one_host(session, command, args)
    return command.carry_out(session, args)


def _global_options(session: Session, words: list[str]) -> Arguments:
    if not session.xl:
        return parse_leading(words, GLOBALS)
    try:
        found = parse_leading(words, XL_GLOBALS)
    except OptionError as error:
        # xl knows no long option here, not even --help: getopt trips over the second dash
        letter = "-" if error.optopt == "\0" else error.optopt
        raise UsageError(
            f"{sys.argv[0]}: invalid option -- '{letter}'\nunknown global option", exit_status=1
        ) from None
    for option in GLOBALS:
        found.declare(option)
    if found.help_wanted:
        raise UsageError(f"{sys.argv[0]}: invalid option -- 'h'\nunknown global option", exit_status=1)
    return found


def _command(session: Session, words: list[str]) -> tuple[Command, list[str]]:
    """The command that the first word names, or the first two, and the words behind."""
    name, *rest = words
    if session.xl:
        command = find_xl_command(name)
        if command is None:
            raise UsageError("command not implemented", exit_status=1)
        return command, rest
    command = find_command(name)
    if command is not None:
        return command, rest
    command = find_command(f"{name} {rest[0]}") if rest else None
    if command is not None:
        return command, rest[1:]
    if rest and rest[0] in ("-h", "--help") and subcommands(name):
        return require_command("help"), [name]
    raise no_such_command(name, rest)


def _command_arguments(session: Session, command: Command, words: list[str]) -> Arguments:
    if (
        session.xl and command.name == "help"
    ):  # the one command of xl that takes a word as it is, dashes and all
        found = Arguments(())
        found.rest = words
        return found
    try:
        return _arguments_as_xl(command, words) if session.xl else parse(words, command.options, GLOBALS)
    except OptionError as error:
        if session.xl:
            raise UsageError(f"option `{error.optopt}' not supported.") from None
        raise UsageError(
            f"{command.name}: {error.message}", error.hint or f"see: xlpy help {command.name}"
        ) from None


def _arguments_as_xl(command: Command, words: list[str]) -> Arguments:
    """xl finds no options behind the first argument: its getopt has stopped there once, at the command, and keeps to it.

    The domain of config-update, and a file that comes first, are out of the way before it begins.
    """
    ahead = {"create": 1, "config-update": 2}.get(command.name, 0)
    while ahead and (len(words) < ahead or words[ahead - 1].startswith("-") or "=" in words[ahead - 1]):
        ahead -= 1
    found = parse_leading(words[ahead:], command.options)
    found.rest[:0] = words[:ahead]
    return found


def _answer(session: Session, what: str) -> int:
    if what == "version":
        from xlpy import __version__

        print(f"xlpy {__version__}")
    else:
        from xlpy.cli.help import print_help

        print_help(session, None)
    return 0
