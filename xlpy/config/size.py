"""Memory sizes on the command line (xl's parse_mem_size_kb): mem-set, mem-max."""

from __future__ import annotations

from xlpy.config.cnumber import strtol
from xlpy.errors import UsageError

_SHIFTS = {"t": 30, "g": 20, "": 10, "m": 10, "k": 0}


def parse_memory_size(text: str) -> int:
    """A size such as ``512``, ``1g`` or ``2048k`` in KiB; without a unit it is in MiB, whatever xl(1) says.

    Raises UsageError with exit status 1.
    """
    number, end = strtol(text, 10)
    unit = text[end:].lower()
    if unit == "b":
        size_kib = number >> 10
    elif unit in _SHIFTS:
        size_kib = number << _SHIFTS[unit]
    else:
        size_kib = -1
    if size_kib < 0:
        raise UsageError(
            f"invalid memory size: {text}",
            "a whole number with b, k, m, g or t; without one it is MiB",
            exit_status=1,
        )
    return size_kib
