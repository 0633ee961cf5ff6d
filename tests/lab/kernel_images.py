"""Kernel images that are small and hold what a test knows."""

from __future__ import annotations

import struct

KERNEL = b"\x7fELF" + bytes(range(256)) * 64


def bz_image(payload: bytes, setup_sectors: int = 4, offset: int = 1000) -> bytes:
    """A kernel image as the boot protocol describes it: header, real-mode code, then the rest with the payload."""
    header = bytearray((setup_sectors + 1) * 512)
    header[0x1F1] = setup_sectors
    header[0x202:0x206] = b"HdrS"
    struct.pack_into("<II", header, 0x248, offset, len(payload))
    return bytes(header) + bytes(offset) + payload + b"trailing code"
