"""MessageRing: the engine's own messages, what ``xl dmesg`` shows where no hypervisor has any.

It is a file in the run directory, so that messages outlive the xlpyd that wrote them, and it forgets the oldest.
"""

from __future__ import annotations

import os
import threading
import time

KEPT_BYTES = 32 * 1024  # twice the size of Xen's own ring
_MOST_MESSAGE_BYTES = 2048


class MessageRing:
    """Keeps the last ``kept_bytes`` of messages, in whole lines. All methods may be called from any thread."""

    def __init__(self, path: str, kept_bytes: int = KEPT_BYTES) -> None:
        self._path = path
        self._kept_bytes = kept_bytes
        self._lock = threading.Lock()

    def write(self, message: str) -> None:
        """Note a message, one line for each of its lines. A full disk loses it: nobody's work fails for a message."""
        stamp = time.strftime("[%Y-%m-%d %H:%M:%S] ", time.gmtime())
        lines = message[:_MOST_MESSAGE_BYTES].splitlines()
        data = "".join(f"{stamp}{line}\n" for line in lines).encode(errors="replace")
        with self._lock:
            try:
                self._append(data)
            except OSError:
                pass

    def read(self, clear: bool = False) -> str:
        """All messages that are kept, oldest first; forgotten afterwards when asked."""
        with self._lock:
            try:
                with open(self._path, "rb") as file:
                    text = _whole_lines(file.read(), self._kept_bytes).decode(errors="replace")
            except FileNotFoundError:
                return ""
            if clear:
                os.truncate(self._path, 0)
        return text

    def _append(self, data: bytes) -> None:
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, data)
            size = os.fstat(fd).st_size
            if size > 2 * self._kept_bytes:
                kept = _whole_lines(os.pread(fd, size, 0), self._kept_bytes)
                os.ftruncate(fd, 0)
                os.write(fd, kept)
        finally:
            os.close(fd)


def _whole_lines(data: bytes, most_bytes: int) -> bytes:
    """The end of ``data``, from the beginning of a line."""
    if len(data) <= most_bytes:
        return data
    return data[-most_bytes:].partition(b"\n")[2]
