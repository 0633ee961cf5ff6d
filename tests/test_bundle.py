"""The bundle of compiled modules: what it holds is used, and never in place of what it isn't any more."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from xlpy import __version__, bundle

ROOT = Path(__file__).parent.parent
PROBE = """
import sys
sys.path.insert(0, sys.argv.pop(1))
import xlpy.__main__ as start
start.os._exit = lambda status: print(status, *(
    name for name, module in sys.modules.items()
    if name.startswith("xlpy") and type(module.__spec__.loader).__name__ == "BundleImporter"
))
start.run_and_exit()
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """An xlpy that is installed, with its bundle."""
    place = tmp_path / "site" / "xlpy"
    shutil.copytree(ROOT / "xlpy", place, ignore=shutil.ignore_patterns("__pycache__"))
    assert Path(bundle.write(str(place))).is_file()
    return place


def run(package: Path, *words: str) -> tuple[str, set[str]]:
    """What a command prints, and which modules came from the bundle."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", PROBE, str(package.parent), *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    *said, last = done.stdout.splitlines()
    status, *modules = last.split()
    assert status == "0", done.stderr
    return "\n".join(said), set(modules)


def test_a_command_takes_all_its_modules_from_it(package: Path) -> None:
    _, modules = run(package, "config", "check", str(ROOT / "configs/minimal.cfg"))
    assert modules >= {"xlpy.cli", "xlpy.cli.main", "xlpy.config", "xlpy.config.domain"}
    _, without = run(ROOT / "xlpy", "config", "check", str(ROOT / "configs/minimal.cfg"))
    assert without == set()


def test_a_source_that_was_changed_is_imported_itself(package: Path) -> None:
    changed = package / "cli" / "main.py"
    changed.write_text(changed.read_text().replace('print(f"xlpy {__version__}")', 'print("changed")'))
    said, modules = run(package, "-v", "--version")
    assert said == "changed"
    assert "xlpy.cli.main" not in modules
    assert "xlpy.cli.options" in modules


def test_a_source_that_is_gone_is_not_imported(package: Path) -> None:
    (package / "cli" / "config_check.py").unlink()
    with pytest.raises(AssertionError, match="config_check"):
        run(package, "config", "check", str(ROOT / "configs/minimal.cfg"))


@pytest.mark.parametrize("begin", [b"\0\0\r\n", b""])
def test_one_of_another_python_is_left_alone(package: Path, begin: bytes) -> None:
    path = Path(bundle.path_in(str(package)))
    path.write_bytes(begin + path.read_bytes()[4:] * bool(begin))
    said, modules = run(package, "-v", "--version")
    assert said == f"xlpy {__version__}"
    assert modules == set()


@pytest.mark.parametrize(
    "then", ["pass", "os.open(os.devnull, os.O_RDONLY)", "os.open(sys.executable, os.O_RDONLY)"]
)
def test_a_process_that_closes_all_its_files_goes_on(package: Path, then: str) -> None:
    code = (
        f"import os, sys; sys.path.insert(0, {str(package.parent)!r}); from xlpy import bundle; bundle.use();"
        f"import xlpy.cli; os.closerange(3, 64); {then}; import xlpy.cli.main as main;"
        "print(type(xlpy.cli.__spec__.loader).__name__, type(main.__spec__.loader).__name__)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["BundleImporter", "SourceFileLoader"]


def test_a_closed_stream_stays_closed(package: Path) -> None:
    code = (
        f"import os, sys; sys.path.insert(0, {str(package.parent)!r}); from xlpy import bundle; bundle.use();"
        "import xlpy.cli; os.fstat(0)"
    )
    command = ["sh", "-c", 'exec "$@" <&-', "sh", sys.executable, "-I", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Bad file descriptor" in done.stderr


def test_tracebacks_and_paths_are_those_of_the_sources(package: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(package.parent)!r}); from xlpy import bundle; bundle.use();"
        "import xlpy.cli, xlpy.client.own_program as own;"
        "print(own.__file__, own.own_program.__code__.co_filename, *xlpy.cli.__path__)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    own = str(package / "client/own_program.py")
    assert done.stdout.split() == [own, own, str(package / "cli")]


def test_it_is_written_anew_in_one_step(package: Path) -> None:
    os.utime(package / "errors.py")
    _, before = run(package, "help", "list")
    assert Path(bundle.write(str(package))).is_file()
    _, after = run(package, "help", "list")
    assert after - before == {"xlpy.errors"}
