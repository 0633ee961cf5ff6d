"""Breaking off a transfer whose client is gone."""

from __future__ import annotations

import os
import select
import socket
import stat
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


_AGAIN_MS = 250


class HangupWatch:
    """While it is entered: when the client hangs up, whoever uses the stream fails.

    A socket is shut down, since another host may hold its other end; for a file ``call_off`` has to see to it. It is
    called until the watch is over, since whoever uses the file may begin with it a moment later. A pipe breaks with its
    client.
    """

    def __init__(self, connection_fd: int, stream: int, call_off: Callable[[], None] | None = None) -> None:
        self._connection_fd = connection_fd
        self._stream: socket.socket | None = None
        self._call_off: Callable[[], None] | None = None
        kind = os.fstat(stream).st_mode
        if stat.S_ISSOCK(kind):
            self._stream = socket.socket(fileno=os.dup(stream))
            self._call_off = self._shut_down
        elif stat.S_ISREG(kind):
            self._call_off = call_off
        self._over_reader, self._over_writer = -1, -1
        self._thread: threading.Thread | None = None

    def __enter__(self) -> HangupWatch:
        if self._call_off is not None:
            self._over_reader, self._over_writer = os.pipe()
            self._thread = threading.Thread(target=self._watch, name="hangup watch", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is None:
            return
        os.close(self._over_writer)
        self._thread.join()
        os.close(self._over_reader)
        if self._stream is not None:
            self._stream.close()

    def break_off(self) -> None:
        """Have whoever uses the stream fail, from any thread; nothing happens to a pipe."""
        if self._call_off is not None:
            self._call_off()

    def _shut_down(self) -> None:
        assert self._stream is not None
        try:
            self._stream.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # its other end is gone already, or this watch is over

    def _watch(self) -> None:
        poller = select.poll()
        poller.register(self._over_reader, select.POLLIN)
        poller.register(self._connection_fd, select.POLLRDHUP)
        if not any(fd == self._connection_fd for fd, _ in poller.poll()):
            return
        poller.unregister(self._connection_fd)
        self.break_off()
        while not poller.poll(_AGAIN_MS):
            self.break_off()
