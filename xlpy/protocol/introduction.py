"""How the two halves of xlpy meet on a channel to another machine, before streams flow on it.

    near → far   a parcel: the modules that the agent needs to begin
    near → far   a parcel: the wishes (``marshal``, format 2, which all Pythons read)
    far → near   whatever the login scripts there print, MARK, and a line of JSON: an error, a need, the report of an
                 errand, or an Introduction
    near → far   a parcel with all the modules, if that is what was needed; then comes another line

A parcel is a line with its length, and its bytes. The near half says nothing more before it has read the Introduction;
from there on both speak ``protocol.mux``.
"""

from __future__ import annotations

from xlpy.errors import ConnectError, ProtocolError, XlError, error_from_wire, error_to_wire
from xlpy.model.json_text import dumps, loads
from xlpy.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

MARK = b"\0xlpy agent\0"
# What the far half may need: all modules, or those for a host without Xen; bz2 is smaller, zlib quicker and everywhere.
PARCELS = ("all.bz2", "all.zlib", "xenless.zlib")
LINE_LIMIT_BYTES = 64 << 10
OLD_PYTHON_STATUS = 98  # the exit status of an interpreter that is too old


class Introduction(Record):
    """Who runs at the far end, and where xlpyd is there; ``started`` when it had to be started.

    ``magic`` tells what compiled code the Python there can run (``importlib.util.MAGIC_NUMBER``, in hex). ``guarded``
    says that the file system lets nobody but that user and root put another socket in the place of xlpyd's.
    """

    python: str
    uid: int
    host: str
    socket: str
    started: bool = False
    installed: bool = False
    magic: str = ""
    guarded: bool = False


def introduction_line(introduction: Introduction) -> bytes:
    """What the far half says when xlpyd answers."""
    return MARK + dumps(introduction.__dict__).encode("ascii") + b"\n"


def failure_line(error: XlError) -> bytes:
    """What the far half says when it can't go on."""
    return MARK + dumps({"error": error_to_wire(error)}).encode("ascii") + b"\n"


def need_line(which: str) -> bytes:
    """What the far half says when it has to have more modules, one of PARCELS."""
    return MARK + dumps({"need": which}).encode("ascii") + b"\n"


def parcel(data: bytes) -> bytes:
    """The bytes as they are sent."""
    return b"%d\n" % len(data) + data


def read_parcel(channel: BinaryIO) -> bytes:
    """The next parcel. Raises ConnectError when the channel ends in the middle of it."""
    first = channel.readline()
    length = int(first) if first.endswith(b"\n") else 0
    data = channel.read(length)
    if not data or len(data) != length:
        raise ConnectError("the client has gone")
    return data


def report_line(report: Mapping[str, object]) -> bytes:
    """What the far half says when it has run an errand."""
    return MARK + dumps({"report": report}).encode("ascii") + b"\n"


def read_line(line: bytes) -> dict[str, object]:
    """What the line after the mark says. Raises the error that it tells of, or ProtocolError."""
    try:
        fields = loads(line)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"the agent said {line[:60]!r}", detail=str(error)) from error
    if not isinstance(fields, dict) or fields.get("need", PARCELS[0]) not in PARCELS:
        raise ProtocolError(f"the agent said {line[:60]!r}")
    if isinstance(fields.get("error"), dict):
        raise error_from_wire(fields["error"])
    return fields


def as_introduction(fields: Mapping[str, object]) -> Introduction:
    """The introduction that this is. Raises ProtocolError."""
    try:
        return Introduction(**{name: fields[name] for name in Introduction.fields_ if name in fields})  # type: ignore[arg-type]
    except TypeError as error:
        raise ProtocolError("the agent did not introduce itself", detail=str(error)) from error
