"""Waiting for something to happen, next to other descriptors: each who watches has a pipe of his own."""

from __future__ import annotations

import os
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType


class Watches:
    """Those who watch; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watches: set[Watch] = set()

    def watch(self) -> Watch:
        """A descriptor that becomes readable whenever something happens, until it is closed (``with``)."""
        watch = Watch(self)
        with self._lock:
            self._watches.add(watch)
        return watch

    def wake(self) -> None:
        """Something has happened."""
        with self._lock:
            for watch in self._watches:
                watch.wake()

    def leave(self, watch: Watch) -> None:
        """Wake this one no more."""
        with self._lock:
            self._watches.discard(watch)


class Watch:
    """One who waits: poll ``fileno()``, then ``clear()`` and look."""

    def __init__(self, watches: Watches) -> None:
        self._watches = watches
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)

    def fileno(self) -> int:
        """The descriptor to poll."""
        return self._reader

    def wake(self) -> None:
        """Make it readable."""
        try:
            os.write(self._writer, b"\0")
        except BlockingIOError:
            pass  # it is readable

    def clear(self) -> None:
        """Make it unreadable until something happens again."""
        try:
            os.read(self._reader, 65536)
        except BlockingIOError:
            pass

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watches.leave(self)
        os.close(self._reader)
        os.close(self._writer)
