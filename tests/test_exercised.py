"""Everything that is declared has a test that exercises it (``exercised``)."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import exercised
import pytest
from exercised import _items_of_process, declared, ledger

ROOT = Path(__file__).parents[1]


def test_everything_declared_is_exercised_by_a_test() -> None:
    missing = sorted(declared() - ledger().keys())
    assert not missing, "test them, and run the tests with --note-exercised"


def test_nothing_else_is_named() -> None:
    assert sorted(ledger().keys() - declared()) == []


def test_the_tests_that_are_named_are_there() -> None:
    """Whether they do what they are named for is seen when they run."""
    gone = set()
    texts: dict[str, str] = {}
    for test in ledger().values():
        function = test.partition("[")[0]
        file, name = function.partition("::")[0], function.rpartition("::")[2]
        path = ROOT / file
        text = texts.setdefault(file, path.read_text() if path.exists() else "")
        if f"def {name}(" not in text:
            gone.add(function)
    assert not gone, "run what has taken their place with --note-exercised"


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger of which one row has become false, one is true, and one couldn't be looked at."""
    path = tmp_path / "ledger"
    path.write_text("command list\tt.py::a\ncommand info\tt.py::a\ncommand top\tu.py::b\n")
    monkeypatch.setattr(exercised, "LEDGER", path)
    return path


def finished(writes: bool, files: bool = True) -> tuple[int, list[str]]:
    """A run in which ``a`` and ``c`` have passed."""
    plugin = exercised.Exercised(writes)
    plugin._collected = {"t.py::a", "t.py::c", "u.py::d"}
    plugin._whole_files = files
    plugin._passed = {"t.py::a", "t.py::c"}
    plugin._found = {"t.py::a": {"command info"}, "t.py::c": {"command list", "command uptime", "nothing"}}
    session = SimpleNamespace(exitstatus=0)
    plugin.pytest_sessionfinish(session)  # type: ignore[arg-type]
    return session.exitstatus, plugin.problems


def test_a_run_fails_when_a_test_does_less_than_it_is_named_for(rows: Path) -> None:
    assert finished(writes=False) == (
        1,
        ["t.py::a does not exercise command list any more", "there is no u.py::b any more, for command top"],
    )
    assert finished(writes=False, files=False)[1] == ["t.py::a does not exercise command list any more"]


def test_what_is_still_true_is_kept_when_it_is_written_anew(rows: Path) -> None:
    assert finished(writes=True) == (0, [])
    assert rows.read_text() == "command info\tt.py::a\ncommand list\tt.py::c\ncommand uptime\tt.py::c\n"


@pytest.mark.parametrize(
    ("argv", "items"),
    [
        (
            ["/usr/bin/python3", "-m", "xlpy", "-H", "a", "destroy", "-f", "web", "--yes"],
            {"command destroy", "option destroy f", "option host", "option yes"},
        ),
        (["setsid", "--ctty", "python3", "-m", "xlpy", "config", "check", "x.cfg"], {"command config check"}),
        (["python3", "-c", "run", "/parent", "xlpy", "list"], {"command list"}),
        (["/tmp/bin/xl", "li", "-l"], {"command list", "option list long"}),
        (["/bin/sh", "/tmp/bin/xl", "nosuch"], set()),
        (["python3", "-m", "pytest", "list"], set()),
        (["ssh", "host", "xl", "list"], {"command list"}),
        (["xlpy", "list", "--nosuch"], set()),
        (["xlpy", "-v"], {"option v"}),
    ],
)
def test_command_lines_of_processes_are_read(argv: list[str], items: set[str]) -> None:
    assert set(_items_of_process(argv)) == items
