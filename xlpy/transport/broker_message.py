"""What is said to the broker and what it answers: a JSON line each.

A connection on which a host was asked for is that host's from then on: an agent's Hello or a Failure comes next.
One on which several hosts are asked the same is for their answers from then on (``transport.inquiry``).
"""

from __future__ import annotations

import os

from xlpy import __version__
from xlpy.errors import ProtocolError
from xlpy.inventory.entry import HostEntry
from xlpy.model.codec import record_from_wire, to_wire
from xlpy.model.json_text import dumps, loads
from xlpy.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    R = TypeVar("R", bound=Record)

LINE_LIMIT_BYTES = 1 << 20
_BROKERS_CODE = ("transport", "relay", "protocol")
RESOLVE, HOST, ASK, WHY, STATUS, STOP = "resolve", "host", "ask", "why", "status", "stop"


_build = ""


def build() -> str:
    """Which xlpy this process began as: broker and commands have to be of the same, down to the code that a broker runs."""
    global _build
    if not _build:
        package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        _build = f"{__version__} {package} {_code_stamp(package):x}"
    return _build


def _code_stamp(package: str) -> int:
    """Another number when the files of a broker's code are others, as after an upgrade that kept the version."""
    stamp = 0
    for folder in _BROKERS_CODE:
        with os.scandir(f"{package}/{folder}") as files:
            stamp += sum(file.stat().st_mtime_ns for file in files if file.name.endswith(".py"))
    return stamp


class Wish(Record):
    """What a command wants of the broker, and on whose behalf: ``home`` has the ``.ssh``, ``agent_socket`` the keys.

    ``names`` and ``inventory`` (its path, and whether it was ``named``) are for ``resolve``, and with ``request``, the line
    of what to ask these hosts, for ``ask``; ``entry`` is for ``host``, with
    ``accept`` the fingerprint of a new host key that the user has agreed to; ``names`` has the one host of ``why``;
    ``force`` lets ``stop`` break what is under way.
    """

    want: str
    build: str
    names: tuple[str, ...] = ()
    inventory: str = ""
    named: bool = False
    entry: HostEntry | None = None
    home: str = ""
    agent_socket: str | None = None
    accept: str | None = None
    force: bool = False
    request: str = ""


class LineStatus(Record):
    """One host that the broker is connected with, or about to be."""

    name: str
    address: str
    state: str
    since_s: float
    clients: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0


class Answer(Record):
    """What the broker says. ``error`` is as ``errors.error_to_wire`` writes it; ``replaced`` means: ask a new one."""

    pid: int
    build: str
    since_s: float = 0.0
    entries: tuple[HostEntry, ...] = ()
    lines: tuple[LineStatus, ...] = ()
    error: dict[str, object] | None = None
    replaced: bool = False


def encode(record: Record) -> bytes:
    """The line of this record."""
    return dumps(to_wire(record)).encode("ascii") + b"\n"


def decode(cls: type[R], line: bytes) -> R:
    """The record of a line. Raises ProtocolError."""
    try:
        return record_from_wire(cls, loads(line))
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"the broker's line makes no sense: {line[:60]!r}") from error
