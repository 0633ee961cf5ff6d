"""VncTunnel: a port on the loopback address here that leads to a domain's VNC server on its host.

Every connection to it is handed over to the host's xlpyd as it is, by its descriptor; what goes through it never passes
this process. It keeps a second handle of each, to cut them when it is closed.
"""

from __future__ import annotations

import os
import select
import socket

from xlpy.client.loopback import peer_uid
from xlpy.errors import ConnectError, Interrupted, XlError
from xlpy.model.domain import DomainEnd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from xlpy.client.call import Call
    from xlpy.client.host import Host

LOOPBACK = "127.0.0.1"
_GONE = select.POLLHUP | select.POLLERR | select.POLLRDHUP


class VncTunnel:
    """A listening port: ``port``, or a free one for 0. Only the calling user and root get through.

    ``warn`` is told what happens to single connections. Raises XlError for a port that can't be had. To be closed
    (``with``): that cuts all connections.

    While viewers are let through, another connection to the host waits for the domain's end.
    """

    def __init__(self, host: Host, domid: int, warn: Callable[[str], None], port: int = 0) -> None:
        self._host = host
        self._domid = domid
        self._warn = warn
        self._connections: dict[int, socket.socket] = {}
        self._watching = host.another()
        self._end: Call | None = None  # comes when the domain is gone
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind((LOOPBACK, port))
            self._listener.listen()
        except OSError as error:
            self._listener.close()
            raise XlError(
                f"cannot listen on {LOOPBACK}:{port}: {error.strerror}",
                "--port without a number takes a free one",
            ) from error
        self._listener.setblocking(False)

    @property
    def port(self) -> int:
        """Where viewers connect."""
        port: int = self._listener.getsockname()[1]
        return port

    def serve(self, until: int = -1) -> None:
        """Let viewers through until the domain is gone, or this descriptor is readable.

        Raises XlError when the domain can't be shown any more. A host that is out of reach costs only the connection.
        """
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        self._wait_for_end(poll)
        if until >= 0:
            poll.register(until, select.POLLIN)
        while True:
            for fd, _ in poll.poll():
                if fd == until:
                    return
                if self._end is not None and fd == self._end.fileno():
                    if self._is_gone(poll):
                        return
                elif fd == self._listener.fileno():
                    self._accept(poll)
                else:
                    poll.unregister(fd)
                    self._connections.pop(fd).close()

    def _wait_for_end(self, poll: select.poll) -> None:
        """Have the host say when the domain is gone; one that is out of reach is asked again with the next viewer."""
        if self._end is None:
            try:
                self._end = self._watching.begin("wait_domain_end", domids=(self._domid,), destroyed=True)
                poll.register(self._end, select.POLLIN)
            except XlError:
                self._watching.close()

    def _is_gone(self, poll: select.poll) -> bool:
        """Whether the host says so; else it has hung up."""
        assert self._end is not None
        try:
            return self._end.advance() and isinstance(self._end.result(), DomainEnd)
        except XlError:
            poll.unregister(self._end)
            self._end = None
            self._watching.close()
            return False

    def _accept(self, poll: select.poll) -> None:
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        fd = connection.fileno()
        self._connections[fd] = connection
        if self._let_through(connection):
            poll.register(fd, _GONE)
            self._wait_for_end(poll)
        else:
            self._connections.pop(fd).close()

    def _let_through(self, connection: socket.socket) -> bool:
        uid = peer_uid(connection)
        if uid not in (0, os.getuid()):
            who = "somebody unknown" if uid is None else f"uid {uid}"
            self._warn(f"a connection to {LOOPBACK}:{self.port} by {who} was refused")
            return False
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._host.open_vnc(self._domid, os.dup(connection.fileno()))
        except (ConnectError, Interrupted) as error:
            self._warn(f"a viewer was turned away: {error}")
            return False
        return True

    def close(self) -> None:
        """Listen no more, and cut all connections."""
        self._listener.close()
        self._watching.close()
        for connection in self._connections.values():
            with connection:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # it has just ended by itself
        self._connections.clear()

    def __enter__(self) -> VncTunnel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
