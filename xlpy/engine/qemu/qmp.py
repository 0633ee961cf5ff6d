"""QmpClient: commands to one QEMU, and its events.

The protocol is QEMU's docs/interop/qmp-spec. Commands may be sent from any thread and answered in any order
between threads; answers and events are read on the reactor's thread.
"""

from __future__ import annotations

import json
import select
import socket
import threading
import time

from xlpy.engine.qemu.socket_path import connect_unix
from xlpy.errors import EngineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from xlpy.engine.reactor import Reactor

    OnEvent = Callable[[str, dict[str, Any], float], None]

DEFAULT_TIMEOUT_S = 60.0
_RECEIVE_BYTES = 65536


class QmpError(EngineError):
    """A command that QEMU refused. ``error_class`` is QMP's (GenericError, DeviceNotFound, …)."""

    def __init__(self, command: str, error_class: str, description: str) -> None:
        text = description.rstrip(".")
        super().__init__(
            text[:1].lower() + text[1:] if text[1:2].islower() else text,
            detail=f"QMP {command}: {description}",
        )
        self.command = command
        self.error_class = error_class
        self.description = description


class QmpClosed(EngineError):
    """QEMU's end of the connection is gone, or was gone before it answered."""


class QmpTimeout(EngineError):
    """QEMU did not answer in time; whether the command was carried out is unknown."""


class Pending:
    """A command under way."""

    def __init__(self, command: str, then: Callable[[object], None] | None = None) -> None:
        self.command = command
        self._then = then
        self._done = threading.Event()
        self._value: object = None
        self._error: EngineError | None = None

    def result(self, timeout_s: float = DEFAULT_TIMEOUT_S) -> Any:
        """The command's return value. Raises QmpError, QmpClosed or QmpTimeout."""
        if not self._done.wait(timeout_s):
            raise QmpTimeout(
                f"QEMU did not answer {self.command!r} within {timeout_s:g} s",
                "the host may be overloaded, or QEMU hangs in I/O",
            )
        if self._error is not None:
            raise self._error
        return self._value

    def settle(self, value: object, error: EngineError | None = None) -> None:
        """Called once by the client, on the reactor's thread."""
        self._value = value
        self._error = error
        self._done.set()
        if self._then is not None and error is None:
            self._then(value)


class QmpClient:
    """One QMP connection; ready for commands as soon as it is made.

    ``on_event(name, data, time_s)`` and ``on_close()`` are called on the reactor's thread and must not block; from
    there commands can be sent with ``submit`` only. When a command fails with QmpClosed, ``on_close`` has been called.
    """

    def __init__(
        self,
        sock: socket.socket,
        reactor: Reactor,
        on_event: OnEvent,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        self._socket = sock
        self._reactor = reactor
        self._on_event = on_event
        self._on_close = on_close
        self._send_lock = threading.Lock()
        self._pending: dict[int, Pending] = {}
        self._next_id = 0
        self._buffer = b""
        self._closed = False
        sock.setblocking(False)
        reactor.watch(sock.fileno(), self._readable)
        # sent ahead of the greeting: QEMU reads it when it gets there, and the round trip is saved
        self._ready = self.submit("qmp_capabilities")

    @classmethod
    def connect(
        cls,
        path: str,
        reactor: Reactor,
        on_event: OnEvent,
        on_close: Callable[[], None] = lambda: None,
    ) -> QmpClient:
        """A client of the QEMU that listens at ``path``. Raises QmpClosed when nobody does."""
        try:
            sock = connect_unix(path)
        except OSError as error:
            raise QmpClosed(f"QEMU does not answer: {error.strerror}", detail=path) from error
        return cls(sock, reactor, on_event, on_close)

    def wait_ready(self, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        """Return when QEMU has finished its start-up and takes commands. Raises as ``Pending.result`` does."""
        self._ready.result(timeout_s)

    def execute(
        self,
        command: str,
        arguments: Mapping[str, object] | None = None,
        *,
        fds: tuple[int, ...] = (),
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> Any:
        """Run a command and return what it returns. Raises QmpError, QmpClosed or QmpTimeout.

        ``fds`` travel with the command (``getfd``, ``add-fd``); the caller still owns and closes its own copies.
        """
        if self._reactor.is_current_thread:
            raise RuntimeError(f"{command} would wait for itself on the reactor's thread")
        return self.submit(command, arguments, fds=fds).result(timeout_s)

    def submit(
        self,
        command: str,
        arguments: Mapping[str, object] | None = None,
        *,
        fds: tuple[int, ...] = (),
        then: Callable[[object], None] | None = None,
    ) -> Pending:
        """Send a command without waiting: send to many, then gather. Raises nothing; the Pending does.

        ``then`` is called with what the command returns, on the reactor's thread, if it succeeds.
        """
        pending = Pending(command, then)
        request: dict[str, object] = {"execute": command}
        if arguments:
            request["arguments"] = arguments
        with self._send_lock:
            if self._closed:
                pending.settle(None, _closed_error(command))
                return pending
            self._next_id += 1
            request["id"] = self._next_id
            self._pending[self._next_id] = pending
            try:
                self._send(json.dumps(request).encode() + b"\n", fds)
            except OSError:
                # the reading side notices the end as well, and settles all that is pending
                pass
        return pending

    def close(self) -> None:
        """Give up the connection; commands under way fail with QmpClosed. ``on_close`` is not called."""
        self._on_close = lambda: None
        self._shut()

    def _send(self, data: bytes, fds: tuple[int, ...]) -> None:
        ancillary = []
        if fds:
            import array

            ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds).tobytes())]
        view = memoryview(data)
        deadline = time.monotonic() + DEFAULT_TIMEOUT_S
        while view:
            try:
                sent = self._socket.sendmsg([view], ancillary)
            except BlockingIOError:
                if not _wait_writable(self._socket, deadline - time.monotonic()):
                    raise TimeoutError from None
                continue
            ancillary = []
            view = view[sent:]

    def _readable(self, _events: int) -> None:
        try:
            data = self._socket.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._shut()
            return
        lines = (self._buffer + data).split(b"\n")
        self._buffer = lines.pop()
        for line in lines:
            if line.strip():
                self._take(json.loads(line))

    def _take(self, message: dict[str, Any]) -> None:
        if "event" in message:
            stamp = message.get("timestamp", {})
            time_s = stamp.get("seconds", 0) + stamp.get("microseconds", 0) / 1e6
            self._on_event(message["event"], message.get("data", {}), time_s)
            return
        pending = self._pending.pop(message.get("id", 0), None)
        if pending is None:
            return  # the greeting
        if "error" in message:
            error = message["error"]
            pending.settle(None, QmpError(pending.command, error.get("class", ""), error.get("desc", "")))
        else:
            pending.settle(message.get("return"))

    def _shut(self) -> None:
        with self._send_lock:
            if self._closed:
                return
            self._closed = True
            pending, self._pending = self._pending, {}
        self._reactor.release(self._socket.fileno(), self._socket.close)
        self._on_close()
        for waiting in pending.values():
            waiting.settle(None, _closed_error(waiting.command))


def _closed_error(command: str) -> QmpClosed:
    return QmpClosed("the domain's QEMU has ended", detail=f"QMP {command}: connection closed")


def _wait_writable(sock: socket.socket, timeout_s: float) -> bool:
    poll = select.poll()
    poll.register(sock, select.POLLOUT)
    return bool(poll.poll(max(0.0, timeout_s) * 1000))
