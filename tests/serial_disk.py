"""A disk for hvm guests, whose boot sector greets on the first serial line and then says again what is typed there."""

from __future__ import annotations

GREETING = b"serial line up\r\n"
_ORIGIN = 0x7C00
_SECTOR = 512

_BEGIN = bytes.fromhex(
    "fc"  # cld
    "31c0"  # xor ax, ax
    "8ed8"  # mov ds, ax
    "be1a7c"  # mov si, greeting
    "baf803"  # mov dx, 0x3f8: the line's data
)
_GREET = bytes.fromhex(
    "ac"  # lodsb
    "84c0"  # test al, al
    "7403"  # jz over the next two
    "ee"  # out dx, al
    "ebf8"  # jmp to lodsb
)
_REPEAT = bytes.fromhex(
    "bafd03"  # mov dx, 0x3fd: its status
    "fbf4"  # sti; hlt, until the next tick of the clock
    "ec"  # in al, dx
    "a801"  # test al, 1: has something come?
    "74f9"  # jz to sti
    "baf803"  # mov dx, 0x3f8
    "ec"  # in al, dx
    "ee"  # out dx, al
    "ebef"  # jmp to the start of this part
)


def serial_disk(size_bytes: int = 1 << 20) -> bytes:
    """The image."""
    code = _BEGIN + _GREET + _REPEAT
    greeting_at = (_ORIGIN + len(code)).to_bytes(2, "little")
    code = code.replace(b"\x1a\x7c", greeting_at, 1) + GREETING + b"\0"
    return code.ljust(_SECTOR - 2, b"\0") + b"\x55\xaa" + bytes(size_bytes - _SECTOR)
