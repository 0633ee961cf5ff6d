"""The header of xl's own save files (tools/xl/xl.h), for states that libxl wrote: ``xl restore`` reads ours, we read xl's.

"Xen saved domain, xl format\\n \\0 \\r"      32 bytes
byte order, mandatory flags, optional flags, length of what follows      4 x uint32
length of the configuration, the configuration as libxl's JSON with a NUL at its end
a SavedDomain in JSON      ours: xl skips it
"""

from __future__ import annotations

import struct

from xlpy.errors import ProtocolError, XlError
from xlpy.model.codec import record_from_wire, to_wire
from xlpy.model.domain_config import DomainConfig
from xlpy.model.json_text import dumps, loads
from xlpy.model.libxl_form import from_libxl, to_libxl
from xlpy.model.migration import SavedDomain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

STREAM_FORMAT = "libxl"
MAGIC = b"Xen saved domain, xl format\n \0 \r"
_NUMBERS = struct.Struct("=IIII")
HEADER_BYTES = len(MAGIC) + _NUMBERS.size
_LENGTH = struct.Struct("=I")
_BYTE_ORDER = 0x01020304
_JSON, _STREAM_V2 = 1, 2
_LIMIT_BYTES = 8 << 20
_LAST_DOMID = 0x7FEF


def xl_header_bytes(saved: SavedDomain) -> bytes:
    """What precedes a libxl stream in a file."""
    # libxl's own words where the engine has passed them on: they fit that host's xl exactly
    config = dumps(saved.machine.get("config") or to_libxl(saved.config)).encode() + b"\0"
    ours = dumps(to_wire(saved.replace(transfer_id=None, machine={}))).encode()
    optional = _LENGTH.pack(len(config)) + config + ours
    return MAGIC + _NUMBERS.pack(_BYTE_ORDER, _JSON | _STREAM_V2, 0, len(optional)) + optional


def numbers_in_words(header: bytes) -> str | None:
    """Flags and length of a header, as ``xl save`` and ``xl restore`` tell them; None where it isn't xl's."""
    if len(header) < HEADER_BYTES or not header.startswith(MAGIC):
        return None
    _, mandatory, optional, length = _NUMBERS.unpack_from(header, len(MAGIC))
    return f"info {mandatory:#x}/0x{optional:x}/{length}"


def read_xl_header(read: Callable[[int], bytes], name: str) -> SavedDomain:
    """The rest of a header whose magic has been read; ``read`` gives so many bytes. Raises XlError."""
    numbers = read(_NUMBERS.size)
    if len(numbers) != _NUMBERS.size:
        raise XlError(f"{name} is truncated")
    order, mandatory, _, length = _NUMBERS.unpack(numbers)
    if order != _BYTE_ORDER:
        raise XlError(f"{name} was saved on a host of the other byte order")
    if mandatory != _JSON | _STREAM_V2:
        raise XlError(
            f"{name} has the flags {mandatory:#x}, which xlpy does not know",
            "files of Xen 4.5 and older, and those saved without a configuration, are for xl",
        )
    optional = read(length) if length <= _LIMIT_BYTES else b""
    if len(optional) != length or length < _LENGTH.size:
        raise XlError(f"{name} is truncated")
    end = _LENGTH.size + _LENGTH.unpack_from(optional)[0]
    try:
        if optional[end:]:
            return record_from_wire(SavedDomain, loads(optional[end:]))
        config = from_libxl(DomainConfig, loads(optional[_LENGTH.size : end].rstrip(b"\0")))
    except (ValueError, ProtocolError) as error:
        raise XlError(f"{name} has a header that cannot be read", detail=str(error)) from error
    if (config.c_info.domid or 0) > _LAST_DOMID:  # xl's way to say none
        config = config.replace(c_info=config.c_info.replace(domid=None))
    return SavedDomain(config=config, stream_format=STREAM_FORMAT, stream_version="2", xlpy_version="xl")
