"""The launcher that script/install and the Debian package put into place."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from xlpy import __version__

ROOT = Path(__file__).parents[2]
TEMPLATE = (ROOT / "script/launcher.in").read_text()


def launcher(path: Path, module: str, function: str, library: Path = ROOT) -> Path:
    """It for this checkout, or for other modules."""
    values = {"PYTHON": sys.executable, "LIBRARY": str(library), "MODULE": module, "FUNCTION": function}
    path.write_text(re.sub("@([A-Z]+)@", lambda found: values[found[1]], TEMPLATE))
    path.chmod(0o755)
    return path


def run(program: Path, *words: str) -> str:
    """What it prints, run in a directory whose modules are not xlpy's and without any help by the environment."""
    (program.parent / "json.py").write_text("raise SystemExit('somebody else\\'s module')")
    return subprocess.run(
        [program, *words], cwd=program.parent, env={}, capture_output=True, text=True, timeout=60, check=True
    ).stdout


def test_it_starts_the_command_line(tmp_path: Path) -> None:
    program = launcher(tmp_path / "xlpy", "xlpy.__main__", "run_and_exit")
    assert run(program, "--version") == f"xlpy {__version__}\n"
    assert '"name": "minimal"' in run(program, "-N", "create", str(ROOT / "configs/minimal.cfg"))


def test_it_starts_the_daemon(tmp_path: Path) -> None:
    assert "xlpyd" in run(launcher(tmp_path / "xlpyd", "xlpy.agent.xlpyd", "main"), "--version")


def test_it_begins_without_what_python_looks_for(tmp_path: Path) -> None:
    (tmp_path / "shown.py").write_text("def main():\n    import sys\n    print('site' in sys.modules)")
    program = launcher(tmp_path / "shown", "shown", "main", tmp_path)
    assert run(program) == "False\n"


@pytest.mark.parametrize("installer", ["script/install", "debian/rules"])
def test_installers_fill_all_of_it_in(installer: str) -> None:
    filled = set(re.findall("@[A-Z]+@", (ROOT / installer).read_text()))
    assert filled == set(re.findall("@[A-Z]+@", TEMPLATE))
