"""Keys as they are pressed, from a terminal."""

from __future__ import annotations

import os
import select
import termios
import tty

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

_ESCAPE_SEQUENCES = {
    b"\x1b[A": "up",
    b"\x1bOA": "up",
    b"\x1b[B": "down",
    b"\x1bOB": "down",
    b"\x1b": "escape",
}


class Keys:
    """Within ``with``, the terminal gives single keys unseen; Ctrl-C still interrupts. It is put back at the end."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._before: list[object] = []

    def __enter__(self) -> Keys:
        self._before = termios.tcgetattr(self._fd)
        tty.setcbreak(self._fd)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)  # type: ignore[arg-type]
        except termios.error:
            pass  # the terminal is gone, there is nothing to put back

    def wait(self, timeout_s: float) -> str | None:
        """The next key: a character, or ``up``, ``down``, ``escape``; None when none came in time.

        A terminal that is gone counts as ``q``, so that no one loops without anybody looking.
        """
        if not select.select([self._fd], [], [], max(0.0, timeout_s))[0]:
            return None
        try:
            typed = os.read(self._fd, 16)
        except OSError:
            return "q"
        if not typed:
            return "q"
        return _ESCAPE_SEQUENCES.get(typed) or typed[:1].decode("ascii", "replace")
