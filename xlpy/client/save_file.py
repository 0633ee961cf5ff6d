"""The form of a save file: a line that says what it is, a header in JSON, then the engine's own state stream.

    xlpy saved domain 1 LENGTH\\n      LENGTH in ten digits
    {...}\\n                           LENGTH bytes: a SavedDomain
    ...                               the stream, to the end

It is written and read strictly from front to back, so that pipes do as well as files.
"""

from __future__ import annotations

import os

from xlpy.errors import ProtocolError, XlError
from xlpy.model.codec import record_from_wire, to_wire
from xlpy.model.json_text import dumps, loads
from xlpy.model.migration import SavedDomain

_MAGIC = b"xlpy saved domain 1 "
_FIRST_LINE_BYTES = len(_MAGIC) + 11
_HEADER_LIMIT_BYTES = 8 << 20
_XL_MAGIC = b"Xen saved domain, xl format\n"


def header_bytes(saved: SavedDomain) -> bytes:
    """What precedes the stream."""
    header = dumps(to_wire(saved.replace(transfer_id=None))).encode("ascii") + b"\n"
    return _MAGIC + b"%010d\n" % len(header) + header


def read_header(source: int, name: str) -> SavedDomain:
    """The header; afterwards the next byte of ``source`` is the stream's first. Raises XlError for what isn't one."""
    first = _read(source, _FIRST_LINE_BYTES, name)
    if first.startswith(_XL_MAGIC[: len(first)]) and first:
        raise XlError(f"{name} was saved by xl on a Xen host", "only an engine for Xen can restore it")
    digits = first[len(_MAGIC) : -1]
    if not first.startswith(_MAGIC) or not digits.isdigit():
        raise XlError(
            f"{name} has a wrong magic number: it is damaged or for a different tool",
            "name a file that 'xlpy save' has written; a configuration stands before it",
        )
    length = int(digits)
    header = _read(source, length, name) if length <= _HEADER_LIMIT_BYTES else b""
    if len(header) != length:
        raise XlError(f"{name} is truncated")
    try:
        return record_from_wire(SavedDomain, loads(header))
    except (ValueError, ProtocolError) as error:
        raise XlError(f"{name} has a header that cannot be read", detail=str(error)) from error


def _read(source: int, length: int, name: str) -> bytes:
    """So many bytes and not one more; fewer at the end of the file."""
    data = bytearray()
    try:
        while len(data) < length:
            piece = os.read(source, length - len(data))
            if not piece:
                break
            data += piece
    except OSError as error:
        raise XlError(f"cannot read {name}: {error.strerror}") from error
    return bytes(data)
