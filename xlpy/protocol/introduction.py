"""How the two halves of xlpy meet on a channel to another machine, before streams flow on it.

    near → far   a line with the length of the shipped code, and the code;
                 a line with the length of the wishes, and the wishes (``marshal``, format 2, which all Pythons read)
    far → near   whatever the login scripts there print, MARK, and one line of JSON: Introduction or an error

The near half says nothing more before it has read that line; from there on both speak ``protocol.mux``.
"""

from __future__ import annotations

from xlpy.errors import ProtocolError, XlError, error_from_wire, error_to_wire
from xlpy.model.json_text import dumps, loads
from xlpy.model.record import Record

MARK = b"\0xlpy agent\0"
LINE_LIMIT_BYTES = 64 << 10
OLD_PYTHON_STATUS = 98  # the exit status of an interpreter that is too old


class Introduction(Record):
    """Who runs at the far end, and where xlpyd is there; ``started`` when it had to be started."""

    python: str
    uid: int
    host: str
    socket: str
    started: bool = False
    installed: bool = False


def introduction_line(introduction: Introduction) -> bytes:
    """What the far half says when xlpyd answers."""
    return MARK + dumps(introduction.__dict__).encode("ascii") + b"\n"


def failure_line(error: XlError) -> bytes:
    """What the far half says when it can't go on."""
    return MARK + dumps({"error": error_to_wire(error)}).encode("ascii") + b"\n"


def read_introduction(line: bytes) -> Introduction:
    """What the line after the mark says. Raises the error that it tells of, or ProtocolError."""
    try:
        fields = loads(line)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"the agent began with {line[:60]!r}", detail=str(error)) from error
    if not isinstance(fields, dict):
        raise ProtocolError(f"the agent began with {line[:60]!r}")
    if isinstance(fields.get("error"), dict):
        raise error_from_wire(fields["error"])
    try:
        return Introduction(**{name: fields[name] for name in Introduction.fields_ if name in fields})
    except TypeError as error:
        raise ProtocolError(f"the agent began with {line[:60]!r}", detail=str(error)) from error
