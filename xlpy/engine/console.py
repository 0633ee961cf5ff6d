"""Console: one serial line or paravirtual console of a domain, shown to any number of viewers.

All output goes to a log and to a line of ours. The log is what viewers get: from its beginning, or from now on, each at
its own pace. What comes on the line only says that the log has grown. So nothing is lost or doubled when xlpyd
restarts, and a slow viewer holds up nobody.
"""

from __future__ import annotations

import os
import socket
import stat

from xlpy.engine.console_log import KEPT_BYTES, ConsoleLog
from xlpy.engine.reactor import GONE, READ, WRITE
from xlpy.errors import EngineError, InvalidState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from xlpy.engine.reactor import Reactor

    class Line(Protocol):
        """What a console is connected to: a socket, or what behaves like one; it doesn't block.

        What it receives is in the log by then.
        """

        def fileno(self) -> int: ...
        def recv(self, size: int, /) -> bytes: ...
        def send(self, data: bytearray, /) -> int: ...
        def close(self) -> None: ...

    OpenLine = Callable[[str], Line]


_RECEIVE_BYTES = 65536
_INPUT_LIMIT_BYTES = 65536
_TRIM_STEP_BYTES = 256 << 10
# QEMU writes to the line a moment before it writes to the log
_LATE_LOOKS_S = (0.005, 0.05)
_SKIPPED = b"\r\n[xlpy: some output was skipped]\r\n"


class Console:
    """All state is the reactor thread's; the public methods may be called from any thread.

    ``open_line`` gives the line for this path, or raises OSError.
    """

    def __init__(self, reactor: Reactor, line_path: str, log_path: str, open_line: OpenLine) -> None:
        self._reactor = reactor
        self._line_path = line_path
        self._log_path = log_path
        self._open_line = open_line
        self._line: Line | None = None
        self._viewers: list[_Viewer] = []
        self._input = bytearray()
        self._received = 0
        self._looks = 0

    def connect(self) -> None:
        """Take the domain's end of the console. Raises EngineError."""
        try:
            line = self._open_line(self._line_path)
        except OSError as error:
            raise EngineError(
                f"the console does not answer: {error.strerror}", detail=self._line_path
            ) from error
        self._line = line
        self._reactor.watch(line.fileno(), self._ready)

    @property
    def is_connected(self) -> bool:
        """Whether the other end is there, as far as is known."""
        return self._line is not None

    def attach(self, stream: int, history: bool, follow: bool = True, position: int | None = None) -> int:
        """Show the console on a socket, which is ours from now on. Raises EngineError; then it is closed too.

        Without ``follow`` the socket is closed once it has been shown what there is. See ``Engine.open_console`` for
        ``position`` and what is returned.
        """
        try:
            if not stat.S_ISSOCK(os.fstat(stream).st_mode):
                raise EngineError("a console needs a socket to talk through")
            log = ConsoleLog(self._log_path)
        except OSError as error:
            os.close(stream)
            raise EngineError(f"the console's log cannot be read: {error.strerror}") from error
        except EngineError:
            os.close(stream)
            raise
        counts = position is not None
        if position is None:
            position = 0 if history else log.size()
        start = log.from_position(position)
        viewer = _Viewer(self, self._reactor, socket.socket(fileno=stream), log, start, counts)
        self._reactor.call_soon(lambda: self._add(viewer, follow))
        return start

    def write(self, data: bytes) -> None:
        """Type something on the console. Raises InvalidState when the domain has ended."""
        if self._line is None:
            raise InvalidState("nobody listens on the console: the domain has ended")
        self._reactor.call_soon(lambda: self.type_in(data))

    def close(self, at_once: bool = False) -> None:
        """Let the viewers go: each when it has got what the console still had to say, or ``at_once``."""
        self._reactor.call_soon(self._shut)
        if at_once:
            self._reactor.call_soon(self._cut_off)

    # -- on the reactor's thread

    @property
    def takes_input(self) -> bool:
        """Whether viewers may go on typing."""
        return len(self._input) < _INPUT_LIMIT_BYTES

    def type_in(self, data: bytes) -> None:
        """Pass input to the guest, as far as it takes it."""
        self._input += data
        self._pass_input()

    def drop(self, viewer: _Viewer) -> None:
        """A viewer has gone."""
        if viewer in self._viewers:
            self._viewers.remove(viewer)

    def _add(self, viewer: _Viewer, follow: bool) -> None:
        self._viewers.append(viewer)
        viewer.start()
        if self._line is None or not follow:
            viewer.finish()

    def _ready(self, events: int) -> None:
        if self._line is None:
            return
        if events & WRITE:
            self._pass_input()
        try:
            count = len(self._line.recv(_RECEIVE_BYTES))
        except BlockingIOError:
            return
        except OSError:
            count = 0
        if count == 0:
            self._shut()
            return
        self._received += count
        if self._received >= _TRIM_STEP_BYTES:
            self._received = 0
            self._trim()
        self._show()
        if self._viewers:
            self._look_again()

    def _show(self) -> None:
        for viewer in list(self._viewers):
            viewer.pump()

    def _look_again(self) -> None:
        self._looks += 1
        current = self._looks

        def look() -> None:
            if current == self._looks:  # else a later output looks again
                self._show()

        for delay_s in _LATE_LOOKS_S:
            self._reactor.call_later(delay_s, look)

    def _trim(self) -> None:
        try:
            log = ConsoleLog(self._log_path)
        except OSError:
            return  # being destroyed
        log.trim()
        log.close()

    def _pass_input(self) -> None:
        if self._line is None:
            self._input.clear()
            return
        try:
            sent = self._line.send(self._input) if self._input else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            sent = len(self._input)  # the other end is going; that is noticed when reading
        was_full = not self.takes_input
        del self._input[:sent]
        self._reactor.change(self._line.fileno(), READ | WRITE if self._input else READ)
        if was_full and self.takes_input:
            for viewer in self._viewers:
                viewer.update_interest()

    def _shut(self) -> None:
        if self._line is not None:
            self._reactor.release(self._line.fileno(), self._line.close)
            self._line = None
        for viewer in list(self._viewers):
            viewer.finish()

    def _cut_off(self) -> None:
        for viewer in list(self._viewers):
            viewer.close()


class _Viewer:
    """One who looks at a console; lives on the reactor's thread.

    One that ``counts`` bytes gets nothing but the console's: it is cut off when it has fallen too far behind.
    """

    def __init__(
        self,
        console: Console,
        reactor: Reactor,
        sock: socket.socket,
        log: ConsoleLog,
        offset: int,
        counts: bool,
    ) -> None:
        self._console = console
        self._reactor = reactor
        self._line = sock
        self._log = log
        self._offset = offset
        self._counts = counts
        self._unsent = b""
        self._reading = True
        self._finishing = False
        self._closed = False

    def start(self) -> None:
        self._reactor.watch(self._line.fileno(), self._ready, READ | WRITE)
        self.pump()

    def finish(self) -> None:
        """Close once everything is sent."""
        self._finishing = True
        self.pump()

    def pump(self) -> None:
        """Send what the log has and the viewer takes."""
        try:
            while not self._closed and self._fill():
                sent = self._line.send(self._unsent, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
                self._unsent = self._unsent[sent:]
        except BlockingIOError:
            pass
        except OSError:
            self.close()
        if self._finishing and not self._unsent:
            self.close()
        self.update_interest()

    def update_interest(self) -> None:
        if not self._closed:
            reads = READ if self._reading and self._console.takes_input else 0
            self._reactor.change(self._line.fileno(), reads | (WRITE if self._unsent else 0))

    def _fill(self) -> bool:
        """Take the next piece of the log, if there is any and the last one is sent."""
        if self._unsent:
            return True
        if self._log.size() - self._offset > KEPT_BYTES + _TRIM_STEP_BYTES:
            start = self._log.start()
            if start > self._offset:
                if self._counts:
                    self.close()
                    return False
                self._offset = start
                self._unsent = _SKIPPED
                return True
        self._unsent = self._log.read(self._offset)
        self._offset += len(self._unsent)
        return bool(self._unsent)

    def _ready(self, events: int) -> None:
        if events & READ and self._reading:
            self._read()
        if events & WRITE:
            self.pump()
        if events & GONE:
            self.close()

    def _read(self) -> None:
        try:
            data = self._line.recv(_RECEIVE_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        if data:
            self._console.type_in(data)
        else:
            self._reading = False  # it types no more, but goes on looking
        self.update_interest()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._console.drop(self)
            self._reactor.release(self._line.fileno(), self._line.close)
            self._log.close()
