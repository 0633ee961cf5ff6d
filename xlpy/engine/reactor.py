"""Reactor: one thread that waits for all file descriptors of an engine.

QMP sockets, pidfds, consoles and viewers are all watched here, so that two hundred domains cost no thread each.
"""

from __future__ import annotations

import heapq
import os
import select
import sys
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    OnReady = Callable[[int], None]

READ = select.EPOLLIN
WRITE = select.EPOLLOUT
GONE = select.EPOLLHUP | select.EPOLLERR


class Reactor:
    """Calls a function when its descriptor is ready, or when its time has come.

    Callbacks run on the reactor's thread and must not block. A callback may be called once more than there was a
    reason to (its descriptor's number may have had another owner a moment before): it has to read without blocking.
    """

    def __init__(self, name: str = "reactor") -> None:
        self._epoll = select.epoll()
        self._wake_fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK) if hasattr(os, "eventfd") else -1
        self._wake_write_fd = self._wake_fd
        if self._wake_fd < 0:  # Python 3.9
            self._wake_fd, self._wake_write_fd = os.pipe()
            os.set_blocking(self._wake_fd, False)
        self._handlers: dict[int, OnReady] = {}
        self._soon: list[Callable[[], None]] = []
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._timer_count = 0
        self._lock = threading.Lock()
        self._closing = False
        self._epoll.register(self._wake_fd, READ)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def is_current_thread(self) -> bool:
        """Whether the caller is one of the callbacks."""
        return threading.get_ident() == self._thread.ident

    def watch(self, fd: int, on_ready: OnReady, events: int = READ) -> None:
        """Call ``on_ready(events)`` whenever ``fd`` is ready. Callable from any thread."""
        self._handlers[fd] = on_ready
        self._epoll.register(fd, events)

    def change(self, fd: int, events: int) -> None:
        """Wait for other events of a watched descriptor; 0 waits for its end alone."""
        if fd in self._handlers:
            self._epoll.modify(fd, events)

    def unwatch(self, fd: int) -> None:
        """Stop watching. A callback may be under way on the reactor's thread until ``call_soon`` runs."""
        if self._handlers.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def release(self, fd: int, close: Callable[[], None]) -> None:
        """Stop watching and then close, on the reactor's thread: nobody reads from a reused number."""
        self.unwatch(fd)
        self.call_soon(close)

    def call_soon(self, function: Callable[[], None]) -> None:
        """Run ``function`` on the reactor's thread; at once if it is closed."""
        with self._lock:
            if not self._closing:
                self._soon.append(function)
                self._wake()
                return
        function()

    def call_later(self, delay_s: float, function: Callable[[], None]) -> None:
        """Run ``function`` on the reactor's thread after a while."""
        with self._lock:
            self._timer_count += 1
            heapq.heappush(self._timers, (time.monotonic() + delay_s, self._timer_count, function))
            self._wake()

    def close(self) -> None:
        """Run what is due and end the thread. Descriptors that are still watched are left to their owners."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
            self._wake()
        if not self.is_current_thread:
            self._thread.join()
        self._epoll.close()
        os.close(self._wake_fd)
        if self._wake_write_fd != self._wake_fd:
            os.close(self._wake_write_fd)

    def _wake(self) -> None:
        os.write(self._wake_write_fd, b"\1\0\0\0\0\0\0\0")

    def _run(self) -> None:
        while True:
            for fd, events in self._epoll.poll(self._timeout_s()):
                if fd == self._wake_fd:
                    self._drain_wakes()
                    continue
                handler = self._handlers.get(fd)
                if handler is not None:
                    _guarded(handler, events)
            for function in self._take_due():
                _guarded(function)
            if self._is_done():
                return

    def _timeout_s(self) -> float:
        with self._lock:
            if self._soon or self._closing:
                return 0
            if not self._timers:
                return -1
            return max(0.0, self._timers[0][0] - time.monotonic())

    def _take_due(self) -> list[Callable[[], None]]:
        with self._lock:
            due, self._soon = self._soon, []
            now = time.monotonic()
            while self._timers and self._timers[0][0] <= now:
                due.append(heapq.heappop(self._timers)[2])
        return due

    def _is_done(self) -> bool:
        with self._lock:
            return self._closing and not self._soon

    def _drain_wakes(self) -> None:
        try:
            os.read(self._wake_fd, 4096)
        except BlockingIOError:
            pass


def _guarded(function: Callable[..., None], *arguments: int) -> None:
    """A failing callback must not take the others' thread with it; it is reported like a thread's death."""
    try:
        function(*arguments)
    except Exception:  # noqa: BLE001 -- edge of the thread
        sys.excepthook(*sys.exc_info())
