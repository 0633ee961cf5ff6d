"""The messages of the wire and their form: one JSON object a line.

    agent  → client   Hello | Failure once, first; a Failure in its place says why nobody answers, and is the last
    client → agent    Request         one at a time on a connection; the first need not wait for the Hello
    agent  → client   ProgressReport  any number while a request runs
    agent  → client   Reply | Failure ends the request

A request's stream is a descriptor that is passed along with the request's bytes.

Values in messages are JSON-ready already (``model.codec``, ``protocol.signature``). The text is ASCII: names that
are no valid UTF-8 cross as lone surrogates and come out as the same bytes.
"""

from __future__ import annotations

from xlpy.errors import ProtocolError
from xlpy.model.codec import record_from_wire
from xlpy.model.json_text import dumps, loads
from xlpy.model.record import Record

PROTOCOL_VERSION = 1
LINE_LIMIT_BYTES = 8 << 20


class Hello(Record):
    """Who answers. ``protocol`` changes only when old and new can't understand each other.

    ``instance`` is the same for all xlpyds that ever serve with the same records, and for no others. ``notice`` is something
    that whoever makes domains there has to know. ``saves_into_files`` says that a save on that machine needs no pipe.
    """

    protocol: int
    version: str
    engine: str
    host: str = ""
    pid: int = 0
    instance: str = ""
    notice: str | None = None
    saves_into_files: bool = False


class Request(Record):
    """Run an operation of Engine. ``stream`` is ``fd`` when its descriptor comes along.

    ``protocol`` is the client's, in a request that does not wait for the Hello: an agent of another one refuses it.
    """

    id: int
    operation: str
    arguments: dict[str, object] = {}  # noqa: RUF012
    stream: str | None = None
    progress: bool = False
    protocol: int | None = None


class Reply(Record):
    """The operation's result."""

    id: int
    value: object = None


class Failure(Record):
    """The operation's error, as ``errors.error_to_wire`` writes it."""

    id: int
    error: dict[str, object]


class ProgressReport(Record):
    """What the operation says while it runs."""

    id: int
    value: object


TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    Message = Union[Hello, Request, Reply, Failure, ProgressReport]

_CLASSES: dict[str, type[Record]] = {
    "hello": Hello,
    "request": Request,
    "reply": Reply,
    "failure": Failure,
    "progress": ProgressReport,
}
_NAMES = {cls: name for name, cls in _CLASSES.items()}


def encode_message(message: Message) -> bytes:
    """The message's bytes on the wire. Raises ProtocolError when it is too large to be sent."""
    line = dumps({"message": _NAMES[type(message)], **message.__dict__}).encode("ascii") + b"\n"
    if len(line) > LINE_LIMIT_BYTES:
        raise ProtocolError(
            f"a message of {len(line)} bytes is too large to be sent",
            f"the limit is {LINE_LIMIT_BYTES} bytes; is a config file larger than it should be?",
        )
    return line


def decode_line(line: bytes) -> tuple[str, dict[str, object]]:
    """Kind and fields of the message in this line, without its line feed. Raises ProtocolError for what is none."""
    try:
        fields = loads(line)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"the peer sent what is no message: {line[:60]!r}", detail=str(error)) from error
    if not isinstance(fields, dict) or not isinstance(fields.get("message"), str):
        raise ProtocolError(f"the peer sent what is no message: {line[:60]!r}")
    return fields["message"], fields


def build_message(kind: str, fields: dict[str, object]) -> Message:
    """The message of this kind. Raises ProtocolError when the kind is unknown or a field doesn't fit."""
    cls = _CLASSES.get(kind)
    if cls is None:
        raise ProtocolError(f"the peer sent a message of an unknown kind, {kind!r:.40}")
    message: Message = record_from_wire(cls, fields)  # type: ignore[assignment]
    return message
