"""A command at a terminal of its own, which the test sees and types on."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path

from source_tree import ROOT


class PtyCommand:
    """``xlpy`` with these words, or another ``program``. To be closed (``with``)."""

    def __init__(
        self,
        *words: str | Path,
        environment: dict[str, str] | None = None,
        program: Sequence[str] = (sys.executable, "-m", "xlpy"),
    ) -> None:
        self._ours, theirs = pty.openpty()
        self._theirs = theirs  # kept open, so that the terminal can be looked at after the command
        self.mode_before = termios.tcgetattr(theirs)
        self._said = b""
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *program, *map(str, words)],
            cwd=ROOT,
            env={**os.environ, "TERM": "dumb", **(environment or {})},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._ours, keys)

    def expect(self, words: bytes, timeout_s: float = 30) -> bytes:
        """What appears up to and with these words."""
        deadline = time.monotonic() + timeout_s
        while words not in self._said:
            self._read(deadline, f"{words!r} did not appear")
        end = self._said.index(words) + len(words)
        before, self._said = self._said[:end], self._said[end:]
        return before

    def wait(self, timeout_s: float = 30) -> int:
        """The exit status; what was printed meanwhile is left in ``rest``."""
        deadline = time.monotonic() + timeout_s
        pidfd = os.pidfd_open(self.process.pid)
        try:
            while not select.select([pidfd], [], [], 0)[0]:
                self._read(deadline, "the command doesn't end", pidfd)
        finally:
            os.close(pidfd)
        while select.select([self._ours], [], [], 0)[0]:
            self._said += os.read(self._ours, 65536)
        return self.process.wait()

    @property
    def rest(self) -> bytes:
        """What has appeared and not been expected."""
        return self._said

    @property
    def mode(self) -> list[object]:
        """The terminal's settings."""
        return termios.tcgetattr(self._theirs)

    @property
    def is_raw(self) -> bool:
        """Whether keys go to the command one by one, Ctrl-C too."""
        flags = termios.tcgetattr(self._theirs)[3]
        return not flags & (termios.ICANON | termios.ISIG | termios.ECHO)

    def signal(self, number: signal.Signals) -> None:
        """Send the command a signal."""
        self.process.send_signal(number)

    def _read(self, deadline: float, complaint: str, *others: int) -> None:
        left_s = deadline - time.monotonic()
        ready = select.select([self._ours, *others], [], [], max(0, left_s))[0]
        assert ready, f"{complaint}; the terminal shows {self._said[-2000:]!r}"
        if self._ours in ready:
            self._said += os.read(self._ours, 65536)

    def __enter__(self) -> PtyCommand:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)
        os.close(self._theirs)
