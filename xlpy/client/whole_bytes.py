"""All of the bytes that are meant, through a descriptor that may take or give fewer at a time."""

from __future__ import annotations

import os


def write_all(fd: int, data: bytes) -> None:
    """Write all of it. Raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def read_exactly(fd: int, length: int) -> bytes:
    """So many bytes and not one more; fewer at the end. Raises OSError."""
    data = bytearray()
    while len(data) < length:
        piece = os.read(fd, length - len(data))
        if not piece:
            break
        data += piece
    return bytes(data)
