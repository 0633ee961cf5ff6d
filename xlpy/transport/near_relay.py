"""The near end of a channel to a host: clients' sockets to streams, and descriptors that they pass."""

from __future__ import annotations

import os
import threading
import time
from collections import deque

from xlpy.errors import ConnectError, Interrupted, ProtocolError, XlError, error_from_wire, error_to_wire
from xlpy.model.json_text import loads
from xlpy.protocol.messages import Failure, encode_message
from xlpy.relay.endpoint import SocketEndpoint, endpoint_of
from xlpy.relay.pump import Pump

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    from collections.abc import Callable

    from xlpy.relay.end import End
    from xlpy.relay.endpoint import Endpoint
    from xlpy.transport.link import Link

PING_INTERVAL_S = 10.0
SILENCE_LIMIT_S = 30.0


class NearRelay:
    """Carries clients' connections over ``link`` to the agent at its other end, in a thread of its own.

    ``on_end`` is called in that thread when it is over; ``broken`` says why then.
    """

    def __init__(self, link: Link, on_end: Callable[[], None] | None = None) -> None:
        self.broken: XlError | None = None
        self.label = link.label
        self._link = link
        self._on_end = on_end
        self._closing = False
        self._changing = threading.Lock()
        self._new: deque[_socket.socket] = deque()
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        self._pump = _NearPump(link, self._woken, self._take_new)
        self._thread = threading.Thread(target=self._run, name=f"relay to {link.label}", daemon=True)

    def start(self) -> None:
        """Begin to carry."""
        self._thread.start()

    def attach(self, client: _socket.socket) -> None:
        """Carry what a client says on this unix socket, which belongs to the relay from here on.

        When nobody answers there, the client reads a Failure in place of the Hello. Raises ConnectError when the link
        is broken already; the socket is closed then.
        """
        with self._changing:
            if self.broken is None and not self._closing:
                self._new.append(client)
                self._wake()
                return
        client.close()
        raise self.broken or ConnectError(f"the connection to {self.label} is closed")

    @property
    def clients(self) -> int:
        """How many connections are carried."""
        return len(self._new) + sum(1 for end in list(self._pump.ends.values()) if end.is_connection)

    def close(self, timeout_s: float = 10.0) -> None:
        """Hang up on everybody and let the link go."""
        with self._changing:
            self._closing = True
            self._wake()
        self._link.close()
        if self._thread.ident is None:  # it never began
            self._close_waker()
        elif self._thread is not threading.current_thread():
            self._thread.join(timeout_s)

    def _wake(self) -> None:
        if self._waker >= 0:
            try:
                os.write(self._waker, b"\0")
            except BlockingIOError:
                pass  # it is full of wake-ups

    def _close_waker(self) -> None:
        if self._waker >= 0:
            os.close(self._woken)
            os.close(self._waker)
            self._waker = -1

    def _take_new(self) -> None:
        """In the relay's thread: what others asked for."""
        os.read(self._woken, 4096)
        if self._closing:
            self._pump.over = True
        while self._new:
            self._pump.add_client(self._new.popleft())

    def _run(self) -> None:
        reason: XlError | None = None
        try:
            self._pump.run()
        except XlError as error:
            reason = error
        except OSError as error:
            reason = ConnectError(f"the connection to {self.label} broke", detail=str(error))
        with self._changing:
            self.broken = reason or self._why_it_ended()
            new, self._new = self._new, deque()
            self._close_waker()
        self._pump.close_all()  # who still waits for a first word connects once more
        for client in new:
            self._pump.refuse_client(client, self.broken)
        self._link.close()
        if self._on_end is not None:
            self._on_end()

    def _why_it_ended(self) -> XlError:
        if self._closing:
            return ConnectError(f"the connection to {self.label} was closed")
        said = self._link.said().strip()
        return ConnectError(
            f"the connection to {self.label} was lost",
            "is the host up, and its network?",
            detail=said or None,
        )


class _LinkCarrier:
    """A link, whose writes wait: nothing is ever left over."""

    def __init__(self, link: Link) -> None:
        self.fileno = link.fileno
        self.read = link.read
        self._link = link

    def write(self, pieces: list[bytes | memoryview]) -> None:
        """Send all of it."""
        self._link.write(b"".join(pieces))

    def unsent(self) -> int:
        """Never anything."""
        return 0

    def blocked_fileno(self) -> int:
        """Never one."""
        return -1


class _NearPump(Pump):
    """Connections of clients, and what they pass."""

    def __init__(self, link: Link, woken: int, take_new: Callable[[], None]) -> None:
        super().__init__(_LinkCarrier(link), is_near=True)
        self._label = link.label
        self._pinged = time.monotonic()
        self.handle(woken, take_new)

    def add_client(self, client: _socket.socket) -> None:
        """Carry one more connection."""
        try:
            stream = self.mux.open()
        except ProtocolError as error:
            self.refuse_client(client, ConnectError(f"{self._label}: {error.message}", "try again later"))
            return
        self._read(self.add(stream, SocketEndpoint(client)))  # what it says first goes along

    def refuse_client(self, client: _socket.socket, error: XlError) -> None:
        """Tell why nobody answers, and hang up."""
        _send_failure(SocketEndpoint(client), error)
        client.close()

    def fds_arrived(self, end: End, fds: list[int]) -> None:
        """Make each of them a stream."""
        while fds:
            endpoint = endpoint_of(fds.pop(0))
            ordered = endpoint.ordered and endpoint.writable
            self.add(self.mux.carry(end.stream, ordered), endpoint, end)

    def ended_with(self, end: End, reason: bytes) -> None:
        """The agent has nobody for this client: say why."""
        if not end.spoken:
            error = error_from_wire(loads(reason))
            error.message = f"{self._label}: {error.message}"
            end.put(memoryview(encode_message(Failure(id=0, error=error_to_wire(error)))))

    def tick(self, now: float) -> None:
        """Keep the other side in the belief that we live, and see whether it does."""
        if now - self._pinged >= PING_INTERVAL_S:
            self._pinged = now
            self.mux.ping()
        if now - self.heard > SILENCE_LIMIT_S:
            raise Interrupted(
                f"nothing was heard from {self._label} for {SILENCE_LIMIT_S:.0f} s", "is its network up?"
            )


def _send_failure(endpoint: Endpoint, error: XlError) -> None:
    try:
        endpoint.write(memoryview(encode_message(Failure(id=0, error=error_to_wire(error)))))
    except OSError:
        pass  # it has gone itself
