"""xlpy's own help: a page for each command, and the lists of commands. No line is longer than 80 characters."""

from __future__ import annotations

from xlpy.cli.commands import TOPICS, require_command, table
from xlpy.cli.global_options import GLOBALS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from xlpy.cli.command import Command
    from xlpy.cli.options import Option

WIDTH = 80
_NAMES = 22  # the column of commands' names
_OPTIONS = 26  # at most that of options'
COMMON = {
    "Domains": (
        *(
            "create",
            "list",
            "console",
            "shutdown",
            "reboot",
            "destroy",
            "pause",
            "unpause",
            "save",
            "restore",
        ),
        *("migrate", "rename", "vncviewer", "wait", "events"),
    ),
    "Resources and devices": (
        *("mem-set", "vcpu-list", "vcpu-set", "vcpu-pin", "block-attach", "block-list", "block-detach"),
        *("network-attach", "network-list", "network-detach", "cd-insert"),
    ),
    "Domains that are remembered": ("define", "start", "autostart", "edit"),
    "Hosts": ("info", "top", "host list", "host add", "host check", "lab up"),
    "Files and help": ("config check", "config show", "config diff", "completion", "help"),
}
"""What the short help lists."""


def command_page(command: Command, every_option: bool = False) -> str:
    """The page about one command; with ``every_option`` the global ones, too."""
    from xlpy.cli.examples import EXAMPLES

    usage = f"Usage: xlpy {command.name} "
    lines = [*_wrapped(_pieces(command.usage, WIDTH - len(usage)), usage, len(usage)), ""]
    for sentence in command.summary.replace(";\n", "; ").split("\n"):
        lines += _wrapped(sentence.strip().rstrip(".;").split() or [""], end="." if sentence else "")
    if command.options:
        lines += ["", "Options:", *_option_lines(command.options)]
    examples = EXAMPLES.get(command.name, ())
    if examples:
        lines += ["", "Examples:"]
    for words, meaning in examples:
        lines += [f"  {words}", *_wrapped(meaning.split(), " " * 6, 6)]
    if every_option:
        lines += ["", "Global options:", *_option_lines(GLOBALS)]
    else:
        lines += ["", f"Global options may stand here, too: see xlpy help --long {command.name}."]
    return _text(lines)


def group_page(name: str, seconds: Iterable[str]) -> str:
    """The page about the commands that have the first word in common."""
    rows = [require_command(f"{name} {second}") for second in seconds]
    lines = [f"Usage: xlpy {name} COMMAND [options] [arguments]", "", "Commands:", *_command_lines(rows)]
    return _text([*lines, "", f"xlpy help {name} COMMAND tells about one command."])


def short_list() -> str:
    """The commands that most people need."""
    lines = ["Usage: xlpy [global options] COMMAND [options] [arguments]"]
    for title, names in COMMON.items():
        lines += ["", f"{title}:", *_command_lines(require_command(name) for name in names)]
    lines += ["", "xlpy help --long lists all commands and global options,"]
    return _text([*lines, "xlpy help COMMAND tells about one command."])


def whole_list() -> str:
    """All commands, by what they are for, and the global options."""
    lines = ["Usage: xlpy [global options] COMMAND [options] [arguments]"]
    for topic, title in TOPICS.items():
        lines += ["", f"{title}:", *_command_lines(table(topic).values())]
    lines += ["", "Global options:", *_option_lines(GLOBALS)]
    return _text([*lines, "", "xlpy help COMMAND tells about one command."])


def _text(lines: Iterable[str]) -> str:
    return "".join([f"{line}\n" for line in lines])


def _command_lines(rows: Iterable[Command]) -> Iterator[str]:
    for row in rows:
        summary = row.summary.partition("\n")[0].rstrip(";")
        yield from _wrapped(summary.split(), f"  {row.name:{_NAMES}} ", _NAMES + 3)


def _option_lines(options: Sequence[Option]) -> Iterator[str]:
    """What each option means beside its names, or below them where these are long."""
    shown = [option for option in options if not option.hidden]
    widest = max((len(option.spelled()) for option in shown if len(option.spelled()) <= _OPTIONS), default=0)
    for option in shown:
        names = option.spelled()
        if len(names) > widest:
            yield f"  {names}"
            names = ""
        yield from _wrapped(option.help.split(), f"  {names:{widest}}  ", widest + 4)


def _wrapped(words: Sequence[str], start: str = "", indent: int = 0, end: str = "") -> Iterator[str]:
    """Lines of these words, the first behind ``start`` and the others ``indent`` blanks in."""
    line = start
    fresh = True
    for number, word in enumerate(words):
        if number + 1 == len(words):
            word += end
        if not fresh and len(line) + 1 + len(word) > WIDTH:
            yield line.rstrip()
            line, fresh = " " * indent, True
        line += word if fresh else f" {word}"
        fresh = False
    yield line.rstrip()


def _pieces(usage: str, width: int) -> list[str]:
    """What of a usage belongs on one line: a word, or all that is in brackets if it is short enough."""
    pieces: list[str] = []
    depth = 0
    for word in usage.split():
        if depth and len(pieces[-1]) + 1 + len(word) <= width:
            pieces[-1] += f" {word}"
        else:
            pieces.append(word)
        depth += sum(map(word.count, "[<")) - sum(map(word.count, "]>"))
    return pieces
