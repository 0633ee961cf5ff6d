"""Our own programs are ours, wherever they are started."""

from __future__ import annotations

import subprocess
from pathlib import Path

from source_tree import ROOT

from xlpy import __version__
from xlpy.client.own_program import own_program


def test_it_takes_nothing_from_the_working_directory(tmp_path: Path) -> None:
    for name in ("xlpy", "runpy", "os"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a trap')\n")
    ran = subprocess.run(
        own_program("xlpy", "--version"), cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert __version__ in ran.stdout
    assert str(ROOT) in own_program("xlpy")
