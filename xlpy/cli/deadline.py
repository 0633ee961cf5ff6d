"""A deadline for a stretch of code, whatever it is blocked in."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # what signal is made of; that one imports enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType


class DeadlineMissed(Exception):
    """The code under a Deadline took too long."""


class Deadline:
    """``with Deadline(seconds):`` raises DeadlineMissed in its block, by SIGALRM; None is no deadline.

    For the main thread of the command line only. What was interrupted may be half done: a connection has to be
    closed, not used again.
    """

    def __init__(self, timeout_s: float | None) -> None:
        self._timeout_s = timeout_s

    def __enter__(self) -> Deadline:
        if self._timeout_s is not None:
            _signal.signal(_signal.SIGALRM, _miss)
            _signal.setitimer(_signal.ITIMER_REAL, self._timeout_s)
        return self

    def cancel(self) -> None:
        """Let the rest of the block take as long as it likes."""
        if self._timeout_s is not None:
            _signal.setitimer(_signal.ITIMER_REAL, 0)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timeout_s is not None:
            _signal.setitimer(_signal.ITIMER_REAL, 0)
            _signal.signal(_signal.SIGALRM, _signal.SIG_DFL)


def _miss(number: int, frame: FrameType | None) -> None:
    raise DeadlineMissed
