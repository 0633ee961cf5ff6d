"""The user's terminal in raw mode, given back whatever happens."""

from __future__ import annotations

import signal
import termios
import tty

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType

_DEADLY = (signal.SIGTERM, signal.SIGHUP)


class RawTerminal:
    """``with RawTerminal(fd):`` every key goes to the program as it is typed, Ctrl-C and the like too.

    The old mode comes back at the end of the block, also when the process is told to end.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def __enter__(self) -> None:
        self._mode = termios.tcgetattr(self._fd)
        self._handlers = {number: signal.signal(number, _end) for number in _DEADLY}
        tty.setraw(self._fd, termios.TCSANOW)  # what was typed ahead is kept

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            termios.tcsetattr(self._fd, termios.TCSANOW, self._mode)
        except termios.error:
            pass  # the terminal itself is gone
        for number, handler in self._handlers.items():
            signal.signal(number, handler)


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
