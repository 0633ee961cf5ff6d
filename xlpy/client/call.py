"""Conversation: one open connection to an xlpyd, and the call that runs on it."""

from __future__ import annotations

import os

from xlpy.errors import ConnectError, Interrupted, ProtocolError, XlError, error_from_wire
from xlpy.protocol.connection import Connection
from xlpy.protocol.messages import (
    PROTOCOL_VERSION,
    Failure,
    Hello,
    ProgressReport,
    Reply,
    Request,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from xlpy.protocol.messages import Message
    from xlpy.protocol.signature import Signature
    from xlpy.transport.unix import UnixChannel

# What a broken connection leaves behind depends on whether the operation changes anything.
_CHECK_HINT = "the outcome is unknown; 'xlpy list' shows what the host has now, 'xlpy events' what was done"


def close_stream(bound: dict[str, Any]) -> None:
    """Close the stream among these arguments, if there is one: it was passed on, or never will be."""
    if bound.get("stream") is not None:
        os.close(bound["stream"])


def outcome(signature: Signature, said: Reply | Failure) -> Any:
    """The result of an operation, or what it raised, as the host said it."""
    if isinstance(said, Failure):
        raise error_from_wire(said.error)
    return signature.decode_result(said.value)


class Conversation:
    """A channel with the state of what is said on it."""

    def __init__(self, channel: UnixChannel) -> None:
        self._channel = channel
        self._connection = Connection(is_agent=False)
        self._pending: list[Message] = []
        self._next_id = 1
        self._greeted = False
        self.broken = False  # of no use any more
        self.label = channel.label

    def greet(self) -> Hello:
        """Wait for the other side's Hello. Raises ProtocolError when it speaks another protocol, or what it says instead."""
        message = self.next_message()
        if isinstance(message, Failure):
            self.broken = True
            raise error_from_wire(message.error)
        if not isinstance(message, Hello):
            raise ProtocolError(f"{self.label} began with a {type(message).__name__}")
        if message.protocol != PROTOCOL_VERSION:
            raise ProtocolError(
                f"{self.label} (xlpy {message.version}) speaks protocol {message.protocol},"
                f" this xlpy speaks {PROTOCOL_VERSION}",
                "'xlpy host restart HOST' starts one of this version in its place, or 'xlpy host install HOST' if it is"
                " installed there; its domains run on",
            )
        self._greeted = True
        return message

    def begin(self, signature: Signature, bound: dict[str, Any]) -> Call:
        """Ask for an operation; the call's result comes later. A ``stream`` is passed on and closed here.

        It may be done before ``greet``, which saves a turn on the way to the host and back.
        """
        stream = bound.get("stream")
        try:
            request = Request(
                id=self._next_id,
                operation=signature.name,
                arguments=signature.encode_arguments(bound),
                stream=None if stream is None else "fd",
                progress=bound.get("progress") is not None,
                protocol=None if self._greeted else PROTOCOL_VERSION,
            )
            self._next_id += 1
            self._channel.send(self._connection.send(request), () if stream is None else (stream,))
        except Interrupted as error:  # an incomplete request is never acted upon
            if self._greeted:  # else they may have said why, in place of their greeting
                self.broken = True
                raise ConnectError(
                    f"{self.label} went away before it could be asked to {signature.name.replace('_', ' ')}",
                    "nothing was done; try again",
                    detail=error.detail,
                ) from error
        finally:
            close_stream(bound)
        return Call(self, signature, bound.get("progress"))

    def fileno(self) -> int:
        """The descriptor to poll for the next message."""
        return self._channel.fileno()

    def next_message(self) -> Message:
        """Wait for a message. Raises Interrupted when the connection ends first."""
        while not self._pending:
            self.receive()
        return self._pending.pop(0)

    def receive(self) -> None:
        """Take what has arrived, waiting for some of it."""
        try:
            data = self._receive()
            self._pending += self._connection.receive(data)
        except XlError:
            self.broken = True
            raise

    def _receive(self) -> bytes:
        """Some bytes. At the end it raises Interrupted, with the reason if somebody knows it."""
        broken = Interrupted(f"{self.label} closed the connection")
        try:
            data = self._channel.receive()
        except Interrupted as error:
            data, broken = b"", error
        if data:
            return data
        reason = self._channel.why_ended()
        if reason is not None:
            broken = Interrupted(str(reason), reason.hint, detail=reason.detail)
        raise broken

    def take_pending(self) -> Message | None:
        """A message that has arrived already."""
        return self._pending.pop(0) if self._pending else None

    def call_off(self) -> None:
        """Have the host give up what runs for us here; its answer still comes, the last one on this connection."""
        self.broken = True
        self._channel.call_off()

    def hang_up(self) -> None:
        """Break the connection, so that whoever waits for a message sees its end; ``close`` must still follow."""
        self.broken = True
        self._channel.hang_up()

    def close(self) -> None:
        """Hang up. What the host does for this connection alone, it gives up."""
        self._channel.close()


class Call:
    """A running operation: poll ``fileno()``, then ``advance()``; or just ask for the ``result()``."""

    def __init__(
        self,
        conversation: Conversation,
        signature: Signature,
        progress: Callable[[Any], None] | None,
    ) -> None:
        self._conversation = conversation
        self._signature = signature
        self._progress = progress
        self._outcome: Reply | Failure | None = None

    @property
    def over(self) -> bool:
        """Whether the operation is done, well or not."""
        return self._outcome is not None

    @property
    def lost(self) -> bool:
        """Whether the connection broke before the operation was done."""
        return self._outcome is None and self._conversation.broken

    @property
    def failure(self) -> XlError | None:
        """What the operation raised, if it has."""
        return error_from_wire(self._outcome.error) if isinstance(self._outcome, Failure) else None

    def fileno(self) -> int:
        """The descriptor to poll."""
        return self._conversation.fileno()

    def call_off(self) -> None:
        """Have the host give the operation up; how it ended still has to be waited for. Not for one far away."""
        self._conversation.call_off()

    def advance(self) -> bool:
        """Take what has arrived and report progress; True when the operation is done. Raises Interrupted."""
        try:
            message = self._conversation.take_pending()
            if message is None:
                self._conversation.receive()
                message = self._conversation.take_pending()
            while message is not None:
                self._take(message)
                message = self._conversation.take_pending()
        except Interrupted as error:
            raise self._interrupted(error) from error
        return self._outcome is not None

    def result(self) -> Any:
        """Wait for the end and return the result, or raise what the operation raised."""
        while self._outcome is None:
            self.advance()
        return outcome(self._signature, self._outcome)

    def _take(self, message: Message) -> None:
        if isinstance(message, (Reply, Failure)):
            self._outcome = message
        elif isinstance(message, ProgressReport) and self._progress is not None:
            self._progress(self._signature.decode_progress(message.value))

    def _interrupted(self, error: Interrupted) -> Interrupted:
        return Interrupted(
            f"the connection broke while {self._signature.name.replace('_', ' ')} was running",
            _CHECK_HINT,
            detail="\n".join(filter(None, (str(error), error.detail))),
        )
