"""A PVH guest of a few bytes that halts for good: a domain in milliseconds, which takes no processor from others."""

from __future__ import annotations

import struct

_ENTRY = 0x100000
_IDLE = b"\xfb\xf4\xeb\xfd"  # sti; hlt; jmp to the hlt: with interrupts off Xen takes the hlt for the end of the guest
_EHDR, _PHDR = "<16sHHIQQQIHHHHHH", "<IIQQQQQQ"
_PT_LOAD, _PT_NOTE = 1, 4
_PHYS32_ENTRY = 18  # XEN_ELFNOTE_PHYS32_ENTRY: where a PVH guest begins, in 32-bit mode


def idle_kernel() -> bytes:
    """The ELF file."""
    headers = struct.calcsize(_EHDR) + 2 * struct.calcsize(_PHDR)
    note = struct.pack("<III4sI", 4, 4, _PHYS32_ENTRY, b"Xen\0", _ENTRY)
    code_at = headers + len(note)
    identity = b"\x7fELF" + bytes((2, 1, 1)) + bytes(9)
    sizes = (struct.calcsize(_EHDR), struct.calcsize(_PHDR), 2, 0, 0, 0)
    header = struct.pack(_EHDR, identity, 2, 62, 1, _ENTRY, struct.calcsize(_EHDR), 0, 0, *sizes)
    load = struct.pack(_PHDR, _PT_LOAD, 7, code_at, _ENTRY, _ENTRY, len(_IDLE), len(_IDLE), 4)
    notes = struct.pack(_PHDR, _PT_NOTE, 4, headers, 0, 0, len(note), len(note), 4)
    return header + load + notes + note + _IDLE
