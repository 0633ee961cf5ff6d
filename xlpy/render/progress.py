"""How far a save, restore or migration has come: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Protocol, TextIO

    from xlpy.model.migration import Report, TransferProgress

    class Reporter(Protocol):
        """Used as ``with reporter as report:``; the report is None when nobody wants to know."""

        def __enter__(self) -> Report | None: ...
        def __exit__(
            self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
        ) -> None: ...


_LINE_EVERY_MS = 5000
_WIDE = 80  # columns of a terminal that has room for a bar of its full width
_BAR_WIDTH = 24
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def bytes_text(count: float) -> str:
    """A number of bytes in the unit that keeps it short: ``61.2 MiB``."""
    for unit in _UNITS:
        if count < 1024 or unit == _UNITS[-1]:
            break
        count /= 1024
    return f"{count:.0f} {unit}" if unit in ("B", "KiB") else f"{count:.1f} {unit}"


def fraction(moment: TransferProgress) -> float:
    """How much of the state is over, from 0 to 1; what the guest has dirtied again counts as not over."""
    if moment.phase == "completed":
        return 1.0
    if moment.total_bytes <= 0:
        return 0.0
    return max(0.0, min(1.0, 1 - moment.remaining_bytes / moment.total_bytes))


def moment_text(moment: TransferProgress) -> str:
    """All that is known of a moment in one line."""
    what = " of the disks" if moment.phase == "disks" else ""
    parts = [f"{bytes_text(moment.transferred_bytes)}{what} transferred"]
    if moment.rate_bytes_per_s:
        parts.append(f"{bytes_text(moment.rate_bytes_per_s)}/s")
    if moment.remaining_bytes:
        parts.append(f"{bytes_text(moment.remaining_bytes)} left")
    if moment.dirty_rate_bytes_per_s:
        parts.append(f"{bytes_text(moment.dirty_rate_bytes_per_s)}/s dirtied")
    if moment.downtime_ms:
        parts.append(f"downtime {moment.downtime_ms} ms")
    return ", ".join(parts)


class Lines:
    """A line every few seconds, and one at the end. ``rewrite`` writes over one line instead, with carriage returns."""

    def __init__(self, what: str, out: TextIO, rewrite: bool = False) -> None:
        self._what = what
        self._out = out
        self._rewrite = rewrite
        self._last_ms: int | None = None
        self._phase = ""
        self._width = 0

    def __enter__(self) -> Report:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._width:
            self._out.write("\n")
            self._out.flush()

    def __call__(self, moment: TransferProgress) -> None:
        new = moment.phase != self._phase and moment.phase != "setup"  # its clock starts anew
        due = new or self._last_ms is None or moment.elapsed_ms - self._last_ms >= _LINE_EVERY_MS
        if new:
            self._phase = moment.phase
        if not (due or self._rewrite or moment.phase == "completed"):
            return
        self._last_ms = moment.elapsed_ms
        line = f"{self._what}: {fraction(moment):4.0%} {moment_text(moment)}"
        if self._rewrite:
            self._out.write(f"\r{line:{self._width}}")
            self._width = len(line)
        else:
            self._out.write(f"{line}\n")
        self._out.flush()


class Bar:
    """A bar on the last line of the terminal, with as many of the numbers as there is room for."""

    def __init__(self, what: str, out: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
        from rich.table import Column

        self._console = Console(file=out)
        bar_width = _BAR_WIDTH if self._console.width >= _WIDE else _BAR_WIDTH // 3
        what = _shortened(what, self._console.width // 3)
        self._taken = len(what) + bar_width + len(" 100%   ")
        self._progress = Progress(
            TextColumn("{task.description}", table_column=Column(no_wrap=True)),
            BarColumn(bar_width=bar_width, table_column=Column(min_width=bar_width)),
            TaskProgressColumn(table_column=Column(min_width=4, no_wrap=True)),
            TextColumn("{task.fields[numbers]}", style="dim", table_column=Column(no_wrap=True)),
            console=self._console,
        )
        self._task = self._progress.add_task(what, total=1.0, numbers="")

    def __enter__(self) -> Report:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, moment: TransferProgress) -> None:
        numbers, *others = moment_text(moment).split(", ")
        for part in others:
            if self._taken + len(numbers) + len(part) + 2 <= self._console.width:
                numbers += f", {part}"
        self._progress.update(self._task, completed=fraction(moment), numbers=numbers)


def _shortened(text: str, width: int) -> str:
    """The text without so much of its middle that it fits."""
    if len(text) <= width:
        return text
    behind = (width - 1) // 3
    return f"{text[: width - 1 - behind]}…{text[len(text) - behind :]}"


class Silence:
    """Reports nothing, and lets the host know that it needn't either."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass
