"""The form of a save file: a line that says what it is, a header in JSON, then the engine's own state stream.

    Xen saved domain, xlpy format 1 LENGTH\\n      LENGTH in ten digits
    {...}\\n                                       LENGTH bytes: a SavedDomain
    ...                                           the stream, to the end

It begins as xl's files do, by which scripts know a saved domain (Xen's xendomains looks at the first 16 bytes). It is
written and read strictly from front to back, so that pipes do as well as files. States that libxl wrote have xl's own
header instead (``client.xl_save_file``).
"""

from __future__ import annotations

from xlpy.client.whole_bytes import read_exactly
from xlpy.client.xl_save_file import MAGIC as XL_MAGIC
from xlpy.client.xl_save_file import STREAM_FORMAT as LIBXL
from xlpy.client.xl_save_file import read_xl_header, xl_header_bytes
from xlpy.errors import ProtocolError, XlError
from xlpy.model.codec import record_from_wire, to_wire
from xlpy.model.json_text import dumps, loads
from xlpy.model.migration import SavedDomain

_MAGIC = b"Xen saved domain, xlpy format 1 "
_DIGITS = 10
assert len(_MAGIC) == len(XL_MAGIC)
_HEADER_LIMIT_BYTES = 8 << 20


def header_bytes(saved: SavedDomain) -> bytes:
    """What precedes the stream."""
    if saved.stream_format == LIBXL:
        return xl_header_bytes(saved)
    header = dumps(to_wire(saved.replace(transfer_id=None))).encode("ascii") + b"\n"
    return _MAGIC + b"%010d\n" % len(header) + header


def read_header(source: int, name: str) -> SavedDomain:
    """The header; afterwards the next byte of ``source`` is the stream's first. Raises XlError for what isn't one."""
    magic = _read(source, len(_MAGIC), name)
    if magic == XL_MAGIC:
        return read_xl_header(lambda length: _read(source, length, name), name)
    digits = _read(source, _DIGITS + 1, name)[:-1] if magic == _MAGIC else b""
    if not digits.isdigit():
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
    try:
        return read_exactly(source, length)
    except OSError as error:
        raise XlError(f"cannot read {name}: {error.strerror}") from error
