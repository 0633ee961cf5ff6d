"""The link to a host cut in the middle of a migration over SSH; ``benchmarks/cut_link.py`` plays more rounds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from link_rounds import link_rounds

pytestmark = pytest.mark.qemu


def test_exactly_one_copy_runs_after_each_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLPY_ACCEL", "tcg")
    with link_rounds(tmp_path / "lab", 3, network=os.getuid() == 0) as rounds:
        for number in range(3):
            rounds.play(number)
        assert rounds.reached.total() == 3
