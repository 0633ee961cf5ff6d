"""A console's terminal: read into a log of ours, and left alone while xl's own console client is at it.

Whoever reads a terminal takes the bytes from everybody else. ``xl console`` holds a lock for as long as it runs
(tools/console/client), so nothing is read while somebody has that: both can be used on the same domain.
"""

from __future__ import annotations

import fcntl
import os
import threading

from xlpy.engine.reactor import READ

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.engine.reactor import Reactor

_XL_CONSOLE_LOCK = "/var/lock/xenconsole."
_ELSEWHERE = b"\r\n[xlpy: xl console is attached; what follows went there until it ended]\r\n"


class Terminal:
    """A console's line (``Console``): Xen's console daemon keeps no log, so what is received is logged here.

    ``domid`` is whose lock is looked at. Raises OSError.
    """

    def __init__(self, reactor: Reactor, tty: str, log_path: str, domid: int) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._log = os.open(log_path, flags, 0o600)
        try:
            self._file = os.open(tty, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            os.close(self._log)
            raise
        self._reactor = reactor
        self._lock_path = f"{_XL_CONSOLE_LOCK}{domid}"
        self._yielded = False

    def fileno(self) -> int:
        return self._file

    def recv(self, size: int) -> bytes:
        """Raises BlockingIOError when there is nothing, or somebody else reads."""
        if self._yielded or self._is_taken():
            raise BlockingIOError
        data = os.read(self._file, size)
        os.write(self._log, data)
        return data

    def send(self, data: bytearray) -> int:
        return os.write(self._file, data)

    def close(self) -> None:
        os.close(self._file)
        os.close(self._log)
        self._file = -1

    def _is_taken(self) -> bool:
        """Whether xl console runs; then it is waited for, and reading goes on afterwards."""
        try:
            lock = os.open(self._lock_path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            self._yielded = True
            self._reactor.change(self._file, 0)
            os.write(self._log, _ELSEWHERE)
            threading.Thread(target=self._wait, args=(lock,), name="xl-console", daemon=True).start()
            return True
        os.close(lock)
        return False

    def _wait(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH)
        finally:
            os.close(lock)
        self._reactor.call_soon(self._go_on)

    def _go_on(self) -> None:
        self._yielded = False
        if self._file >= 0:
            self._reactor.change(self._file, READ)
