"""What the tests exercise: commands, options, columns and error codes, each with a test that does.

``tests/data/exercised.txt`` names a test for every declared item. ``test_exercised`` fails for an item without one; and
whenever a test that is named there has run, it must have exercised what it is named for, or the run fails. So a part of
the suite checks its part, and the whole suite checks all. After adding an item and a test of it:

    pytest tests/cli/test_it.py --note-exercised

A command or an option counts when a command line with it has been carried out: in this process when its handler
returned or said that this cannot be done at all, in another one when it was started. A column counts when a row had a value for it, an error when our code made one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from xlpy.cli import bulk, main
from xlpy.cli.command import Command
from xlpy.cli.commands import all_commands, find_command, find_xl_command
from xlpy.cli.global_options import GLOBALS, XL_GLOBALS, GlobalOptions
from xlpy.cli.options import Arguments, Option, OptionError, parse, parse_leading
from xlpy.cli.session import Session
from xlpy.errors import ERRORS_BY_CODE, NotSupported, XlError
from xlpy.render.kind import Column, Kind

LEDGER = Path(__file__).parent / "data/exercised.txt"
_ROOT = str(Path(__file__).parents[1])
_PROGRAM_BEHIND = {"-m": 1, "-c": 2}  # python's option, and how many words later the module's name stands


def declared() -> set[str]:
    """All items that a test must exercise."""
    from xlpy.cli.schema import every_kind

    found = {f"error {code}" for code in ERRORS_BY_CODE}
    found |= {f"option {option.name}" for option in GLOBALS}
    for command in all_commands():
        found.add(f"command {command.name}")
        found |= {f"option {command.name} {option.name}" for option in command.options}
    for kind in every_kind():
        found |= {f"column {kind.name} {column.key}" for column in kind.columns}
    return found


def ledger() -> dict[str, str]:
    """The test that exercises it, by item."""
    lines = LEDGER.read_text().splitlines() if LEDGER.exists() else []
    return dict(line.split("\t") for line in lines if line)


class Observer:
    """Notes what is exercised into ``seen``, from ``install`` until ``remove``, while ``noting``."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.noting = False
        self._undo: list[Callable[[], None]] = []

    def note(self, *items: str) -> None:
        if self.noting:
            self.seen.update(items)

    def install(self) -> None:
        """Look over the shoulder of what is to be observed."""
        self._wrap(Command, "load", self._load)
        self._wrap(bulk, "change", self._change)
        self._wrap(GlobalOptions, "add", self._add_globals)
        self._wrap(main, "_answer", self._answer)
        self._wrap(Column, "__init__", self._column)
        self._wrap(Kind, "__init__", self._kind)
        self._wrap(XlError, "__init__", self._error)
        self._wrap(subprocess.Popen, "__init__", self._popen)
        self._wrap(os, "posix_spawn", self._spawn)

    def remove(self) -> None:
        for undo in reversed(self._undo):
            undo()
        self._undo = []

    def _wrap(self, owner: Any, name: str, wrapper: Callable[..., Any]) -> None:
        real = getattr(owner, name)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            return wrapper(real, *args, **kwargs)

        setattr(owner, name, wrapped)
        self._undo.append(lambda: setattr(owner, name, real))

    # -- command lines of this process

    def _load(self, real: Callable[[Command], Any], command: Command) -> Any:
        handler = real(command)

        def observed(session: Session, args: Arguments) -> int | None:
            try:
                status: int | None = handler(session, args)
            except NotSupported:  # some options are there to be refused
                self._done(session, command, args)
                raise
            self._done(session, command, args)
            return status

        observed.__doc__ = handler.__doc__
        return observed

    def _change(self, real: Callable[..., int], session: Session, command: Command, args: Arguments) -> int:
        status = real(session, command, args)
        self._done(session, command, args)
        return status

    def _done(self, session: Session, command: Command, args: Arguments) -> None:
        """The handler has returned. A plan exercises itself, and not what is planned."""
        self.note(*(f"option {name}" for name in getattr(session.options, "given", ())))
        if session.plan is None:
            self.note(*_items(command, args))

    def _add_globals(
        self, real: Callable[..., None], options: GlobalOptions, args: Arguments, taken: set[str]
    ) -> None:
        real(options, args, taken)
        given = {option.name for option in GLOBALS if option.name not in taken and args.knows(option.name)}
        options.given = getattr(options, "given", set()) | {  # type: ignore[attr-defined]
            name for name in given if args.count(name)
        }

    def _answer(self, real: Callable[..., int], session: Session, what: str) -> int:
        if what == "version":
            self.note("option version")
        return real(session, what)

    # -- rows and errors

    def _column(
        self, real: Callable[..., None], column: Column, key: str, title: str, value: Any, **more: Any
    ) -> None:
        real(column, key, title, _NotedValue(self, key, value), **more)

    def _kind(self, real: Callable[..., None], kind: Kind, *args: Any, **more: Any) -> None:
        real(kind, *args, **more)
        for column in kind.columns:
            if isinstance(column.value, _NotedValue):
                column.value.kind = kind.name

    def _error(self, real: Callable[..., None], error: XlError, *args: Any, **more: Any) -> None:
        real(error, *args, **more)
        if self.noting and _maker().startswith(f"{_ROOT}/xlpy/"):
            self.note(f"error {error.code}")

    # -- command lines of other processes

    def _popen(self, real: Callable[..., None], process: Any, args: Any, *more: Any, **options: Any) -> None:
        if self.noting and not isinstance(args, (str, bytes, os.PathLike)):
            self.note(*_items_of_process([os.fsdecode(word) for word in args]))
        real(process, args, *more, **options)

    def _spawn(
        self, real: Callable[..., int], path: Any, argv: Sequence[Any], *more: Any, **options: Any
    ) -> int:
        if self.noting:
            self.note(*_items_of_process([os.fsdecode(word) for word in argv]))
        return real(path, argv, *more, **options)


class _NotedValue:
    """A column's function; a value that is not None is noted."""

    def __init__(self, observer: Observer, key: str, value: Callable[[Any], object]) -> None:
        self._observer = observer
        self._key = key
        self._value = value
        self.kind = ""

    def __call__(self, row: Any) -> object:
        found = self._value(row)
        if found is not None:
            self._observer.note(f"column {self.kind} {self._key}")
        return found


def _maker() -> str:
    """The file of whoever makes an error, its own class's methods left out."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and (frame.f_code.co_name == "__init__" or frame.f_code.co_filename == __file__):
        frame = frame.f_back
    return "" if frame is None else frame.f_code.co_filename


def _items(command: Command, args: Arguments) -> list[str]:
    given = [option for option in command.options if args.knows(option.name) and args.count(option.name)]
    return [f"command {command.name}", *(f"option {command.name} {option.name}" for option in given)]


def _items_of_process(argv: list[str]) -> list[str]:
    """What a process with these words would exercise; nothing if it isn't one of ours."""
    found = _own_words(argv)
    if found is None:
        return []
    program, words = found
    return _items_of_line(words, program == "xl")


def _own_words(argv: list[str]) -> tuple[str, list[str]] | None:
    for place, word in enumerate(argv):
        name = os.path.basename(word)
        if name in ("xlpy", "xl") and place == 0:
            return name, argv[1:]
        if word in _PROGRAM_BEHIND:
            at = place + _PROGRAM_BEHIND[word] + (word == "-c")
            return ("xlpy", argv[at + 1 :]) if argv[at : at + 1] == ["xlpy"] else None
        if name in ("xlpy", "xl") and place <= 4:  # env, setsid, python before it
            return name, argv[place + 1 :]
    return None


def _items_of_line(words: list[str], as_xl: bool) -> list[str]:
    try:
        leading = parse_leading(words, XL_GLOBALS if as_xl else GLOBALS)
        options = _given(GLOBALS, leading)
        if not leading.rest:
            return options
        name, *rest = leading.rest
        command = find_xl_command(name) if as_xl else find_command(name)
        if command is None and rest:
            command = find_command(f"{name} {rest.pop(0)}")
        if command is None:
            return options
        args = parse(rest, command.options, () if as_xl else GLOBALS)
    except OptionError:
        return []
    own = {option.name for option in command.options}
    return [
        *options,
        *_given([option for option in GLOBALS if option.name not in own], args),
        *_items(command, args),
    ]


def _given(options: Sequence[Option], args: Arguments) -> list[str]:
    return [
        f"option {option.name}" for option in options if args.knows(option.name) and args.count(option.name)
    ]


class Exercised:
    """The plugin: it keeps which test exercised what, and compares with the ledger at the end of the run."""

    def __init__(self, writes: bool) -> None:
        self._writes = writes
        self._observer = Observer()
        self._found: dict[str, set[str]] = {}  # by test
        self._passed: set[str] = set()
        self._collected: set[str] = set()
        self._whole_files = False
        self.problems: list[str] = []

    def pytest_configure(self, config: pytest.Config) -> None:
        self._whole_files = not any("::" in arg for arg in config.args)
        self._observer.install()

    def pytest_unconfigure(self) -> None:
        self._observer.remove()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self._collected = {item.nodeid for item in items}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        self._observer.seen = set()
        self._observer.noting = True
        try:
            return (yield)  # type: ignore[return-value]
        finally:
            self._observer.noting = False
            self._found[item.nodeid] = self._observer.seen

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self._passed.add(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._writes:
            self._write()
        self.problems = [
            f"{test} does not exercise {item} any more"
            for item, test in ledger().items()
            if test in self._passed and item not in self._found[test]
        ]
        self.problems += [f"there is no {test} any more, for {item}" for item, test in self._gone()]
        if self.problems and session.exitstatus == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.problems:
            terminalreporter.section("exercised")
            for problem in self.problems:
                terminalreporter.line(problem)
            terminalreporter.line(f"(mend the tests, or name others: --note-exercised writes {LEDGER.name})")

    def _gone(self) -> list[tuple[str, str]]:
        """Rows whose test isn't in its file any more, if that file was collected as a whole."""
        files = {test.partition("::")[0] for test in self._collected} if self._whole_files else set()
        return [
            (item, test)
            for item, test in ledger().items()
            if test.partition("::")[0] in files and test not in self._collected
        ]

    def _write(self) -> None:
        """Keep what is still true, and name tests for what had none."""
        wanted = declared()
        gone = {item for item, _ in self._gone()}
        rows = {
            item: test
            for item, test in ledger().items()
            if item in wanted
            and item not in gone
            and not (test in self._passed and item not in self._found[test])
        }
        for test in sorted(self._passed):
            for item in self._found[test] & wanted:
                rows.setdefault(item, test)
        LEDGER.write_text("".join(f"{item}\t{rows[item]}\n" for item in sorted(rows)))
