"""MAC addresses for network cards whose configuration has none."""

from __future__ import annotations

import os


def made_up_mac() -> str:
    """A MAC address of Xen's range, as libxl makes one up: 00:16:3e and three random bytes, the first below 0x80."""
    tail = os.urandom(3)
    return f"00:16:3e:{tail[0] & 0x7F:02x}:{tail[1]:02x}:{tail[2]:02x}"
