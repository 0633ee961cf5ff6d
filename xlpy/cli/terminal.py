"""The user's terminal in raw mode, given back whatever happens."""

from __future__ import annotations

import signal
import termios
import tty

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType

_DEADLY = (signal.SIGTERM, signal.SIGHUP)
_LOCAL_FLAGS, _CHARACTERS = 3, 6  # places in what tcgetattr(3) gives


class RawTerminal:
    """``with RawTerminal(fd):`` every key goes to the program as it is typed, Ctrl-C and the like too.

    The old mode comes back at the end of the block, also when the process is told to end.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def __enter__(self) -> RawTerminal:
        self._mode = termios.tcgetattr(self._fd)
        self._handlers = {number: signal.signal(number, _end) for number in _DEADLY}
        tty.setraw(self._fd, termios.TCSANOW)  # what was typed ahead is kept
        return self

    def interruptible(self, key: bytes) -> Interruptible:
        """A block in which this key raises KeyboardInterrupt, whatever the program waits for."""
        return Interruptible(self._fd, key)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _set(self._fd, self._mode)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)


class Interruptible:
    """``with Interruptible(fd, key):`` the kernel makes a SIGINT of this key of a raw terminal, and of no other."""

    def __init__(self, fd: int, key: bytes) -> None:
        self._fd = fd
        self._key = key

    def __enter__(self) -> None:
        self._mode = termios.tcgetattr(self._fd)
        mode = termios.tcgetattr(self._fd)
        mode[_LOCAL_FLAGS] |= termios.ISIG
        for signalling in (termios.VINTR, termios.VQUIT, termios.VSUSP):
            mode[_CHARACTERS][signalling] = b"\0"  # none
        mode[_CHARACTERS][termios.VINTR] = self._key
        _set(self._fd, mode)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _set(self._fd, self._mode)


def _set(fd: int, mode: list[object]) -> None:
    try:
        termios.tcsetattr(fd, termios.TCSANOW, mode)  # type: ignore[arg-type]  # what tcgetattr gave
    except termios.error:
        pass  # the terminal itself is gone


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
