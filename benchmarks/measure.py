"""Timing that stands noise: both sides of a comparison take turns in one run, and medians are compared.

A row of the report is a measured thing, its peers, the ratio to each and the most that ratio may be.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

Timed = Callable[[], float]


class MeasurementFailed(Exception):
    """A step that has to work for the number to mean anything did not."""


@dataclass
class Series:
    """Repeated measurements of one thing, in one unit."""

    values: list[float] = field(default_factory=list)
    unit: str = "ms"

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def __str__(self) -> str:
        digits = 1 if self.median < 100 else 0
        low, high = min(self.values), max(self.values)
        text = f"{self.median:.{digits}f} {self.unit}"
        return text if len(self.values) == 1 else f"{text} ({low:.{digits}f}..{high:.{digits}f})"


@dataclass
class Row:
    """One line of the report: ``ours`` against ``theirs`` must not exceed ``limit``."""

    what: str
    ours: str
    peer: str
    theirs: str
    ratio: float | None
    limit: float | None

    @property
    def verdict(self) -> str:
        if self.limit is None or self.ratio is None:
            return ""
        return "holds" if self.ratio <= self.limit else "OVER"


class Report:
    """Prints rows as they come, as a Markdown table, and keeps them."""

    HEAD = "| what | xlpy | against | peer | ratio | at most | |\n|---|---|---|---|---|---|---|"

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.failures: list[str] = []

    def begin(self) -> None:
        load = os.getloadavg()[0]
        print(
            f"{os.cpu_count()} cores, load {load:.2f} at the start; median (min..max)\n\n{self.HEAD}",
            flush=True,
        )

    def compare(self, what: str, ours: Series, peer: str, theirs: Series, limit: float | None = None) -> None:
        """Add the ratio of two medians."""
        self._add(Row(what, str(ours), peer, str(theirs), ours.median / theirs.median, limit))

    def bound(self, what: str, ours: Series, bound: float) -> None:
        """Add a number that has a limit of its own, in its unit."""
        self._add(Row(what, str(ours), "limit", f"{bound:g} {ours.unit}", ours.median / bound, 1.0))

    def note(self, what: str, ours: str) -> None:
        """Add a number without a peer."""
        self._add(Row(what, ours, "", "", None, None))

    def fail(self, what: str, error: Exception) -> None:
        """Say that something couldn't be measured."""
        self.failures.append(what)
        print(f"| {what} | not measured: {' '.join(str(error).split())[:300]} | | | | | FAILED |", flush=True)

    def _add(self, row: Row) -> None:
        self.rows.append(row)
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        limit = "" if row.limit is None else f"{row.limit:g}"
        print(
            f"| {row.what} | {row.ours} | {row.peer} | {row.theirs} | {ratio} | {limit} | {row.verdict} |",
            flush=True,
        )

    @property
    def over(self) -> list[Row]:
        """Rows that miss their limit."""
        return [row for row in self.rows if row.verdict == "OVER"]

    def write(self, path: Path) -> None:
        """Keep all rows as JSON."""
        rows = [{**asdict(row), "verdict": row.verdict} for row in self.rows]
        path.write_text(json.dumps({"rows": rows, "failures": self.failures}, indent=1) + "\n")


def run(
    command: Sequence[str], timeout_s: float = 120, env: dict[str, str] | None = None
) -> tuple[float, str]:
    """Run a command to its end; milliseconds and standard output. Raises MeasurementFailed."""
    began = time.perf_counter()
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            env=env,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise MeasurementFailed(f"{' '.join(command)}: no end within {timeout_s:.0f} s") from error
    took_ms = (time.perf_counter() - began) * 1000
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise MeasurementFailed(f"{' '.join(command)}: exit {done.returncode}: {said}")
    return took_ms, done.stdout


def timed(command: Sequence[str]) -> Timed:
    """A measurement of one run of a command."""
    return lambda: run(command)[0]


def alternate(rounds: int, *sides: Timed, warm_up: int = 1) -> list[Series]:
    """Measure all sides in turn, ``rounds`` times; what the first rounds cost is not counted."""
    series = [Series() for _ in sides]
    for number in range(-warm_up, rounds):
        for side, kept in zip(sides, series, strict=True):
            took = side()
            if number >= 0:
                kept.values.append(took)
    return series


def resident_mib(pid: int) -> float:
    """Resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise MeasurementFailed(f"process {pid} is gone")


def wait_for_text(path: Path, text: bytes, began: float, timeout_s: float = 90) -> float:
    """Milliseconds from ``began`` until a growing file holds a text, looked at every 2 ms."""
    while time.perf_counter() - began < timeout_s:
        try:
            if text in path.read_bytes():
                return (time.perf_counter() - began) * 1000
        except FileNotFoundError:
            pass
        time.sleep(0.002)
    raise MeasurementFailed(f"{text!r} did not come within {timeout_s:.0f} s in {path}")


def wait_until(condition: Callable[[], bool], what: str, timeout_s: float = 30) -> None:
    """Look every 20 ms until something holds. Raises MeasurementFailed."""
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            raise MeasurementFailed(f"{what}: not within {timeout_s:.0f} s")
        time.sleep(0.02)


def stop(process: subprocess.Popen[bytes], timeout_s: float = 20) -> None:
    """End a process that we started, politely at first."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            print(f"process {process.pid} did not end on SIGTERM", file=sys.stderr)
            process.kill()
            process.wait()
