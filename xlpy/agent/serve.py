"""One client's conversation with the daemon: greet, then request and answer in turn until it hangs up."""

from __future__ import annotations

import os
import socket
import threading

from xlpy import __version__
from xlpy.agent.dispatch import answer
from xlpy.engine.operation import LOOKING
from xlpy.errors import ProtocolError, error_to_wire
from xlpy.model.codec import to_wire
from xlpy.protocol.connection import Connection
from xlpy.protocol.messages import PROTOCOL_VERSION, Failure, Hello, ProgressReport, Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.agent.channel import PeerChannel
    from xlpy.engine.base import Engine
    from xlpy.model.migration import TransferProgress
    from xlpy.protocol.messages import Message

_MAY_LAST = ("wait_domain_end",)


class Service:
    """Serves the client at the other end of a channel with an engine."""

    def __init__(
        self, channel: PeerChannel, engine: Engine, instance: str, notice: str | None = None
    ) -> None:
        self._channel = channel
        self._notice = notice
        self._engine = engine
        self._instance = instance
        self._connection = Connection(is_agent=True)
        self._sending = threading.Lock()
        self._unsent = b""  # what waits for the next message, to go along with it

    def run(self) -> None:
        """Return when the client has hung up. Raises ProtocolError for one that breaks the rules, OSError."""
        hello = Hello(
            protocol=PROTOCOL_VERSION,
            version=__version__,
            engine=self._engine.name,
            host=socket.gethostname(),
            pid=os.getpid(),
            instance=self._instance,
            notice=self._notice,
            saves_into_files=self._engine.saves_into_files,
        )
        self._unsent = self._connection.send(hello)
        if (
            not self._channel.has_input()
        ):  # else who asks already gets both at once: a turn less on a long way
            self._flush()
        while True:
            data = self._channel.receive()
            if not data:
                return
            for message in self._connection.receive(data):
                if isinstance(message, Request):
                    if message.operation not in LOOKING or message.operation in _MAY_LAST:
                        self._flush()
                    self._serve(message)
            self._flush()

    def _serve(self, request: Request) -> None:
        if request.protocol not in (None, PROTOCOL_VERSION):
            refusal = ProtocolError(f"this xlpyd speaks protocol {PROTOCOL_VERSION}, not {request.protocol}")
            self._send(Failure(id=request.id, error=error_to_wire(refusal)))
            return
        stream = None
        if request.stream is not None:
            if request.stream != "fd":
                raise ProtocolError(
                    f"a stream by {request.stream!r:.20} on a connection that passes descriptors"
                )
            stream = self._channel.take_fd()
            if stream is None:
                raise ProtocolError(f"{request.operation} came without the descriptor of its stream")

        def report(progress: TransferProgress) -> None:
            try:
                self._send(ProgressReport(id=request.id, value=to_wire(progress)))
            except (OSError, ProtocolError):
                pass  # the client is gone, or the report came after the answer; neither is the engine's business

        self._send(answer(request, self._engine, stream, report))

    def _send(self, message: Message) -> None:
        with self._sending:
            unsent, self._unsent = self._unsent, b""
            self._channel.send(unsent + self._connection.send(message))

    def _flush(self) -> None:
        with self._sending:
            unsent, self._unsent = self._unsent, b""
            if unsent:
                self._channel.send(unsent)
