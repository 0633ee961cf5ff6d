"""Who waits for the end of which domain."""

from __future__ import annotations

import os
import threading

from xlpy.model.domain import DomainEnd, ShutdownReason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

_REASONS_KEPT = 1000


class Ends:
    """Is told about every end, and wakes those who watch; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watches: set[Watch] = set()
        self._reasons: dict[int, ShutdownReason] = {}

    def note(self, end: DomainEnd) -> None:
        """A domain has ended or is gone."""
        with self._lock:
            if end.reason is not ShutdownReason.UNKNOWN or end.domid not in self._reasons:
                self._reasons.pop(end.domid, None)
                self._reasons[end.domid] = end.reason
            while len(self._reasons) > _REASONS_KEPT:
                del self._reasons[next(iter(self._reasons))]
            for watch in self._watches:
                watch.wake()

    def reason(self, domid: int) -> ShutdownReason:
        """Why a domain that is gone had ended."""
        return self._reasons.get(domid, ShutdownReason.UNKNOWN)

    def forget(self, domid: int) -> None:
        """This domid belongs to a new domain."""
        with self._lock:
            self._reasons.pop(domid, None)

    def watch(self) -> Watch:
        """A descriptor that becomes readable at every end, until it is closed (``with``)."""
        watch = Watch(self)
        with self._lock:
            self._watches.add(watch)
        return watch

    def leave(self, watch: Watch) -> None:
        """Wake this one no more."""
        with self._lock:
            self._watches.discard(watch)


class Watch:
    """One who waits: poll ``fileno()``, then ``clear()`` and look."""

    def __init__(self, ends: Ends) -> None:
        self._ends = ends
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
        """Make it unreadable until the next end."""
        try:
            os.read(self._reader, 65536)
        except BlockingIOError:
            pass

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.leave(self)
        os.close(self._reader)
        os.close(self._writer)
