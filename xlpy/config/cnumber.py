"""Numbers as C's library reads them, since that is what xl.cfg means by a number.

strtol(3) and friends skip blanks, take a sign, guess the base from ``0x`` or ``0``, stop at the first character
that doesn't fit, and clip what is too large.
"""

from __future__ import annotations

LONG_MAX = (1 << 63) - 1
ULONG_MAX = (1 << 64) - 1
_BLANKS = " \t\n\v\f\r"
_DIGITS = "0123456789abcdef"
_MOST_DIGITS = 100  # beyond that every base overflows; keeps int() linear


def scan_integer(text: str, base: int = 0) -> tuple[int, int]:
    """The number a text begins with and the offset behind it; the offset is 0 if there is no number."""
    position = 0
    while position < len(text) and text[position] in _BLANKS:
        position += 1
    negative = text[position : position + 1] == "-"
    if text[position : position + 1] in ("-", "+"):
        position += 1
    prefixed = text[position : position + 2] in ("0x", "0X") and text[position + 2 : position + 3].lower()
    if base in (0, 16) and prefixed and prefixed in _DIGITS:
        position, base = position + 2, 16
    if base == 0:
        base = 8 if text[position : position + 1] == "0" else 10
    start, allowed = position, _DIGITS[:base]
    while position < len(text) and text[position].lower() in allowed:
        position += 1
    if position == start:
        return 0, 0
    digits = text[start:position].lstrip("0")
    value = int(digits or "0", base) if len(digits) <= _MOST_DIGITS else 1 << 400
    return -value if negative else value, position


def scanf_hex(text: str) -> tuple[int, int]:
    """What sscanf(3) reads by ``%x``: unlike strtol it takes a bare ``0x`` for 0."""
    value, end = scan_integer(text, 16)
    if (
        end
        and text[end - 1] == "0"
        and text[end : end + 1] in ("x", "X")
        and not text[: end - 1].strip("+- \t\n\v\f\r")
    ):
        end += 1
    return value, end


def strtol(text: str, base: int = 0) -> tuple[int, int]:
    """Like strtol(3) on a 64-bit machine: clipped, never an error."""
    value, end = scan_integer(text, base)
    return max(-LONG_MAX - 1, min(LONG_MAX, value)), end


def strtoul(text: str, base: int = 0) -> tuple[int, int]:
    """Like strtoul(3) on a 64-bit machine: clipped, and a negative number wraps around."""
    value, end = scan_integer(text, base)
    if abs(value) > ULONG_MAX:
        return ULONG_MAX, end
    return value & ULONG_MAX, end


def atoi(text: str) -> int:
    """Like atoi(3): 0 if there is no number."""
    return int32(strtol(text, 10)[0])


def int32(value: int) -> int:
    """What is left of a number in a C int."""
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value & 0x80000000 else value


def uint32(value: int) -> int:
    """What is left of a number in a uint32_t."""
    return value & 0xFFFFFFFF


def uint8(value: int) -> int:
    """What is left of a number in a uint8_t."""
    return value & 0xFF
