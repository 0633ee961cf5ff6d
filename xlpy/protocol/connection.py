"""One end of a conversation, without I/O: bytes go in, messages come out, and the other way round.

Everything that affects the state of a conversation is in the table below. It doesn't know which end it is: what
the agent sends moves the client's state just as it moves the agent's own.
"""

from __future__ import annotations

from xlpy.errors import ProtocolError
from xlpy.protocol.messages import (
    LINE_LIMIT_BYTES,
    Failure,
    Hello,
    ProgressReport,
    Reply,
    Request,
    build_message,
    decode_line,
    encode_message,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.protocol.messages import Message

GREETING = "greeting"  # nothing was said yet
ASKED = "asked"  # a client has not waited for the greeting
IDLE = "idle"
BUSY = "busy"  # a request is being worked on
REFUSED = "refused"  # there is nobody to talk to

_NEXT_STATE = {
    (GREETING, Hello): IDLE,
    (GREETING, Failure): REFUSED,
    (GREETING, Request): ASKED,
    (ASKED, Hello): BUSY,
    (ASKED, Failure): REFUSED,
    (IDLE, Request): BUSY,
    (BUSY, ProgressReport): BUSY,
    (BUSY, Reply): IDLE,
    (BUSY, Failure): IDLE,
}


class Connection:
    """The state of a conversation. Any ProtocolError leaves it unusable: close what carries it."""

    def __init__(self, is_agent: bool) -> None:
        self.state = GREETING
        self._is_agent = is_agent
        self._received = bytearray()
        self._searched = 0  # so many bytes are known to hold no line feed
        self._request_id = -1

    @property
    def mid_message(self) -> bool:
        """Whether the bytes so far end in the middle of a message."""
        return bool(self._received)

    def send(self, message: Message) -> bytes:
        """The bytes to send. Raises ProtocolError when it isn't this message's turn."""
        data = encode_message(message)
        self._advance(message, "sent")
        return data

    def receive(self, data: bytes) -> list[Message]:
        """The messages that these bytes complete. Raises ProtocolError for a peer that breaks the rules."""
        self._received += data
        messages: list[Message] = []
        while True:
            message = self._next_message()
            if message is None:
                return messages
            if isinstance(message, Request) is not self._is_agent:
                raise ProtocolError(f"the peer sent a {type(message).__name__}, which is for it to receive")
            self._advance(message, "received")
            messages.append(message)

    def _next_message(self) -> Message | None:
        """The next whole message, if there is one."""
        end = self._received.find(b"\n", self._searched)
        if end < 0:
            self._searched = len(self._received)
            if self._searched > LINE_LIMIT_BYTES:
                raise ProtocolError(f"the peer sent a line of more than {LINE_LIMIT_BYTES} bytes")
            return None
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        self._searched = 0
        kind, fields = decode_line(line)
        return build_message(kind, fields)

    def _advance(self, message: Message, how: str) -> None:
        state = _NEXT_STATE.get((self.state, type(message)))
        if state is None:
            raise ProtocolError(f"{type(message).__name__} {how} while {self.state}")
        if isinstance(message, Request):
            self._request_id = message.id
        elif self.state == BUSY and not isinstance(message, Hello) and message.id != self._request_id:
            raise ProtocolError(
                f"an answer to request {message.id} {how} while {self._request_id} is running"
            )
        self.state = state
