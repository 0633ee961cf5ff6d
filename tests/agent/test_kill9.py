"""kill -9 at random moments, with the fake engine (its domains are files) and with QEMU."""

from __future__ import annotations

from pathlib import Path

import pytest
from kill_rounds import KillRounds, measure


def play(place: Path, count: int, program: tuple[str, ...] | None = None) -> None:
    place.mkdir(exist_ok=True)
    rounds = KillRounds(place / "rounds", 2, measure(place / "measure", program), program)
    try:
        for number in range(count):
            rounds.play(number)
    finally:
        rounds.close()
    assert sum(rounds.reached.values()) == count
    assert len({step for _, step in rounds.reached}) > 2, "the moments differ"


def test_kill_at_random_moments(tmp_path: Path) -> None:
    play(tmp_path, 20)


@pytest.mark.qemu
def test_kill_at_random_moments_with_qemu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLPY_ACCEL", "tcg")
    play(tmp_path, 10, ("-m", "xlpy.agent.xlpyd"))
