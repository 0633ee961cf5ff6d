"""The options that every command has."""

from __future__ import annotations

import os

from xlpy.cli.options import flag, value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments

_MOST_PARALLEL = 1000
_LONGEST_TIMEOUT_S = 86400.0

XL_GLOBALS = (
    flag("-v", "Say more of what is being done; twice, still more."),
    flag("-N", "Dry run: show what would be done."),
    flag("-f", "Accepted for xl's sake; xl has no use for it either."),
    flag("-t", "Show progress by rewriting the line, terminal or not."),
    flag("-T", "Put time and process id before every message."),
)
GLOBALS = (
    *XL_GLOBALS,
    value(
        "-H --host",
        "HOST",
        "Host to work on, @GROUP or all; several with commas between, or given repeatedly.",
    ),
    value("-o --output", "FORMAT", "table, plain, json, yaml or csv."),
    value("--columns", "NAMES", "Show these columns, names with commas between."),
    value(
        "--filter",
        "CONDITION",
        "Show the rows for which this holds, e.g. 'memory_kib > 1000000 and name =~ ^web'.",
    ),
    value("--sort", "NAMES", "Sort by these columns, -NAME for falling."),
    flag("--no-headers", "Leave the header line out."),
    flag("-q --quiet", "Say nothing but errors."),
    flag("--debug", "Show where an error comes from."),
    value("--parallel", "COUNT", "Ask this many hosts at a time."),
    value("--timeout", "SECONDS", "Wait no longer than this for each host's answer."),
    flag("--no-broker", "Make connections of its own to hosts behind SSH, and leave the broker alone."),
    flag("--yes", "Do it without asking."),
    flag("--plan", "Only show what would be done, and where."),
    flag("--version", "Print the version."),
)


class GlobalOptions:
    """What they say. The last one given counts; a command's own option of the same name hides one behind the command."""

    def __init__(self, leading: Arguments | None = None) -> None:
        self.verbose = 0
        self.dry_run = False
        self.progress_cr = False
        self.timestamps = False
        self.hosts: list[str] = []
        self.output: str | None = None
        self.columns: str | None = None
        self.filter: str | None = None
        self.sort: str | None = None
        self.headers = True
        self.quiet = False
        self.debug = False
        self.parallel: int | None = None
        self.timeout_s: float | None = None
        self.yes = False
        self.plan = False
        if leading is not None:
            self.add(leading, set())

    def add(self, args: Arguments, taken: set[str]) -> None:
        """Read what ``args`` has of them; the names in ``taken`` are the command's own options there."""

        def count(name: str) -> int:
            return 0 if name in taken or not args.knows(name) else args.count(name)

        def value(name: str) -> str | None:
            return args.value(name) if count(name) else None

        self.verbose += count("v")
        self.dry_run = self.dry_run or count("N") > 0
        self.progress_cr = self.progress_cr or count("t") > 0
        self.timestamps = self.timestamps or count("T") > 0
        if count("host"):
            self.hosts += [name for text in args.values("host") for name in text.split(",") if name]
        self.output = value("output") or self.output
        self.columns = value("columns") or self.columns
        self.filter = value("filter") or self.filter
        self.sort = value("sort") or self.sort
        self.headers = self.headers and not count("no-headers")
        self.quiet = self.quiet or count("quiet") > 0
        self.debug = self.debug or count("debug") > 0
        self.parallel = _count(value("parallel")) or self.parallel
        self.timeout_s = _seconds(value("timeout")) or self.timeout_s
        self.yes = self.yes or count("yes") > 0
        self.plan = self.plan or count("plan") > 0
        if count("no-broker"):
            os.environ["XLPY_BROKER"] = "no"  # for the programs that this one starts, too


def _count(text: str | None) -> int | None:
    if text is None:
        return None
    from xlpy.cli.numbers import whole_number

    return whole_number(text, "number of hosts", 1, _MOST_PARALLEL)


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    from xlpy.cli.numbers import seconds

    return seconds(
        text, "timeout", most=_LONGEST_TIMEOUT_S, hint="a number of seconds above 0, at most a day"
    )
