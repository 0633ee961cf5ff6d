"""How a transfer is told about."""

from __future__ import annotations

import io

import pytest

from xlpy.model.migration import TransferProgress
from xlpy.render.progress import Bar, Lines, Silence, bytes_text, fraction, moment_text


def moment(elapsed_ms: int, transferred: int, remaining: int, phase: str = "active") -> TransferProgress:
    return TransferProgress(
        phase=phase,
        transferred_bytes=transferred << 20,
        remaining_bytes=remaining << 20,
        total_bytes=128 << 20,
        rate_bytes_per_s=100 << 20,
        dirty_rate_bytes_per_s=3 << 20,
        downtime_ms=7 if phase == "completed" else 0,
        elapsed_ms=elapsed_ms,
    )


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (1 << 20, "1.0 MiB"),
        (3 << 29, "1.5 GiB"),
        (1 << 60, "1048576.0 TiB"),
    ],
)
def test_bytes(count: int, text: str) -> None:
    assert bytes_text(count) == text


def test_all_that_is_known_in_one_line() -> None:
    assert moment_text(moment(100, 32, 96)) == (
        "32.0 MiB transferred, 100.0 MiB/s, 96.0 MiB left, 3.0 MiB/s dirtied"
    )
    assert moment_text(moment(100, 128, 0, "completed")).endswith("downtime 7 ms")


@pytest.mark.parametrize(
    ("remaining", "phase", "expected"),
    [(128, "active", 0.0), (32, "active", 0.75), (200, "active", 0.0), (9, "completed", 1.0)],
)
def test_what_is_dirtied_again_is_not_over(remaining: int, phase: str, expected: float) -> None:
    assert fraction(moment(0, 500, remaining, phase)) == expected


def test_nothing_is_known_of_a_pipe() -> None:
    assert fraction(TransferProgress(phase="active")) == 0.0


def test_a_line_now_and_then() -> None:
    out = io.StringIO()
    with Lines("migrate web", out) as report:
        for elapsed_ms in range(0, 12_000, 500):
            report(moment(elapsed_ms, 1, 127))
        report(moment(12_100, 128, 0, "completed"))
    lines = out.getvalue().splitlines()
    assert len(lines) == 4  # at 0, 5 and 10 s, and the end
    assert lines[-1].startswith("migrate web: 100% 128.0 MiB transferred")


def test_one_line_written_over() -> None:
    out = io.StringIO()
    with Lines("save web", out, rewrite=True) as report:
        report(moment(0, 100, 28))
        report(moment(10, 128, 0, "completed"))
    first, second = out.getvalue().strip("\r\n").split("\r")
    assert len(second) >= len(first)  # nothing of the longer line is left
    assert out.getvalue().endswith("\n")


def test_a_bar_ends_full() -> None:
    out = io.StringIO()
    with Bar("restore", out) as report:
        report(moment(0, 64, 64))
        report(moment(10, 128, 0, "completed"))
    assert "restore" in out.getvalue()
    assert "100%" in out.getvalue()


def test_silence_asks_for_nothing() -> None:
    with Silence() as report:
        assert report is None


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_the_bar_stays_in_narrow_terminals(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    out = io.StringIO()
    with Bar("migrate a-domain-with-a-long-name-1", out) as report:
        report(moment(100, 32, 96))
    (line,) = out.getvalue().split("\n")[:1]
    assert len(line) <= width
    assert "me-1 " in line
    assert "━" in line
    assert " 25% 32.0" in line
    assert ("MiB/s" in line) is (width == 120)
