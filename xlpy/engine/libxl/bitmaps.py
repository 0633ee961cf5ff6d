"""libxl's bitmaps: sets of pcpus, vcpus and nodes."""

from __future__ import annotations

import ctypes

from xlpy.engine.libxl.library import Bitmap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def to_bitmap(numbers: Iterable[int], highest: int) -> Bitmap:
    """A bitmap of these numbers, with room for 0 to ``highest``; its memory is Python's, so libxl must not dispose of it."""
    wanted = set(numbers)
    size = max((highest, *wanted)) // 8 + 1
    memory = (ctypes.c_uint8 * size)()
    for number in wanted:
        memory[number // 8] |= 1 << number % 8
    bitmap = Bitmap(size, ctypes.cast(memory, ctypes.c_void_p))
    bitmap.memory = memory  # kept as long as the bitmap
    return bitmap


def members(bitmap: Bitmap) -> tuple[int, ...]:
    """The numbers in it."""
    if not bitmap.map:
        return ()
    data = ctypes.string_at(bitmap.map, bitmap.size)
    return tuple(8 * place + bit for place, byte in enumerate(data) for bit in range(8) if byte >> bit & 1)
