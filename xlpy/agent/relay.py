"""The far end of a channel to another machine: streams to connections to xlpyd here, and descriptors passed to it.

xlpyd can't tell such a client from one of this machine: it gets the same bytes, and a descriptor, one end of a socket
pair, where the client passed one.
"""

from __future__ import annotations

import _socket
import os

from xlpy.agent.find import NobodyListens, connect
from xlpy.errors import ConnectError, XlError, error_from_wire, error_to_wire
from xlpy.model.json_text import dumps, loads
from xlpy.relay.endpoint import SocketEndpoint
from xlpy.relay.pump import Pump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xlpy.protocol.mux import Event

_CHANNEL_BYTES = 256 << 10
_PIECES_AT_ONCE = 512  # for writev(2)
_SOCKET_BUFFER_BYTES = 1 << 20
_SILENCE_LIMIT_S = 60.0  # the near side says something every few seconds
_SO_SNDBUFFORCE = 32


_GONE = b"gone"


class CodeGone(ConnectError):
    """xlpyd's code was removed here, and would have to be sent again."""


class StdioCarrier:
    """The channel as two descriptors, of a pipe each or of one socket; neither is waited for."""

    def __init__(self, input_fd: int, output_fd: int) -> None:
        self._input_fd = input_fd
        self._output_fd = output_fd
        self._unsent: list[bytes | memoryview] = []
        self._unsent_bytes = 0
        os.set_blocking(input_fd, False)
        os.set_blocking(output_fd, False)

    def fileno(self) -> int:
        """The descriptor to poll for input."""
        return self._input_fd

    def read(self) -> bytes:
        """What has arrived, nothing at the end. Raises BlockingIOError, OSError."""
        return os.read(self._input_fd, _CHANNEL_BYTES)

    def write(self, pieces: list[bytes | memoryview]) -> None:
        """Send these too, as far as the channel takes them now. Raises OSError when it is broken."""
        self._unsent += pieces
        self._unsent_bytes += sum(map(len, pieces))
        try:
            while self._unsent:
                self._drop(os.writev(self._output_fd, self._unsent[:_PIECES_AT_ONCE]))
        except BlockingIOError:
            pass

    def unsent(self) -> int:
        """How many bytes the channel hasn't taken."""
        return self._unsent_bytes

    def blocked_fileno(self) -> int:
        """The descriptor to poll for room, or -1."""
        return self._output_fd if self._unsent else -1

    def _drop(self, count: int) -> None:
        """So many bytes were sent."""
        self._unsent_bytes -= count
        whole = 0
        while whole < len(self._unsent) and count >= len(self._unsent[whole]):
            count -= len(self._unsent[whole])
            whole += 1
        del self._unsent[:whole]
        if count:
            self._unsent[0] = memoryview(self._unsent[0])[count:]


class FarRelay(Pump):
    """Serves the streams of a channel with connections to the xlpyd at ``socket_path``.

    When nobody listens there any more, ``restart`` is run in a process of its own, and who asked waits for it. If it says
    CodeGone the relay ends (``run`` raises it), since only another agent could be sent the code.
    """

    def __init__(self, carrier: StdioCarrier, socket_path: str, restart: Callable[[], object]) -> None:
        super().__init__(carrier, is_near=False)
        self._socket_path = socket_path
        self._restart = restart
        self._restarting: tuple[int, int] | None = None  # process, and what it says
        self._waiting: dict[int, list[Event]] = {}  # what was said on streams whose xlpyd is being started

    def opened(self, stream: int) -> None:
        """Connect to xlpyd for it."""
        try:
            self.add(stream, SocketEndpoint(connect(self._socket_path)))
        except NobodyListens:
            self._waiting[stream] = []
            if self._restarting is None:
                self._begin_restart()
        except XlError as error:
            self._refuse(stream, error)

    def take(self, event: Event) -> None:
        """As it comes; what is said to an xlpyd that is being started it hears then."""
        said = self._waiting.get(event.stream)
        if said is None:
            super().take(event)
        else:
            said.append(event)

    def _begin_restart(self) -> None:
        heard, told = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(heard)
            said = b""
            try:
                self._restart()
            except CodeGone:
                said = _GONE
            except XlError as error:
                said = dumps(error_to_wire(error)).encode("ascii")
            finally:
                os.write(told, said)
                os._exit(0)
        os.close(told)
        self._restarting = pid, heard
        self.handle(heard, self._end_restart)

    def _end_restart(self) -> None:
        """Connect or refuse those who wait: the process that starts xlpyd has said what became of that."""
        assert self._restarting is not None
        pid, heard = self._restarting
        self._restarting = None
        self.unhandle(heard)
        with os.fdopen(heard, "rb") as pipe:
            said = pipe.read()  # it ends at once
        os.waitpid(pid, 0)
        if said == _GONE:
            raise CodeGone("xlpyd has ended, and its code is not there any more")
        failure = error_from_wire(loads(said)) if said else None
        waiting, self._waiting = self._waiting, {}
        for stream, events in waiting.items():
            try:
                if failure is not None:
                    raise failure
                self.add(stream, SocketEndpoint(connect(self._socket_path)))
            except XlError as error:
                self._refuse(stream, error)
                continue
            for event in events:
                self.take(event)

    def _refuse(self, stream: int, error: XlError) -> None:
        self.refuse(stream, dumps(error_to_wire(error)).encode("ascii"))

    def carried(self, stream: int, on: int, ordered: bool) -> None:
        """Make a socket pair, and pass one end on."""
        holder = self.ends.get(on)
        if holder is None:
            self.refuse(stream, b"")
            return
        ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
        for end in (ours, theirs):
            _enlarge(end)
        holder.passing.append(theirs.detach())
        self.add(stream, SocketEndpoint(ours), holder, ordered)

    def tick(self, now: float) -> None:
        """A near side that is silent for long has gone, however open the channel looks."""
        if now - self.heard > _SILENCE_LIMIT_S:
            raise ConnectError(f"nothing was heard from the client for {_SILENCE_LIMIT_S:.0f} s")


def _enlarge(end: _socket.socket) -> None:
    """Let more be under way in a socket: fewer turns for the same bytes."""
    try:
        end.setsockopt(_socket.SOL_SOCKET, _SO_SNDBUFFORCE, _SOCKET_BUFFER_BYTES)
    except OSError:  # only root may have more than the system's limit
        end.setsockopt(_socket.SOL_SOCKET, _socket.SO_SNDBUF, _SOCKET_BUFFER_BYTES)
