"""The kernel within a bzImage, which Xen need not unpack then: seconds, for a processor that is itself a program.

The layout is the kernel's Documentation/arch/x86/boot.rst.
"""

from __future__ import annotations

import struct

from xlpy.errors import EngineError

_SECTOR = 512
_SETUP_SECTORS = 0x1F1
_MAGIC_PLACE, _MAGIC = 0x202, b"HdrS"
_PAYLOAD = 0x248  # payload_offset and payload_length
_USUAL_SETUP_SECTORS = 4
_LENGTH_BYTES = 4  # behind every payload stands how long it is when unpacked
_PROGRAMS = {b"\x28\xb5\x2f\xfd": "zstd", b"\x02\x21\x4c\x18": "lz4"}
_ELF = b"\x7fELF"


def unpacked_kernel(image: bytes) -> bytes:
    """The ELF file in a bzImage. Raises EngineError for anything else, MissingProgram if zstd or lz4 is needed."""
    if image[_MAGIC_PLACE : _MAGIC_PLACE + len(_MAGIC)] != _MAGIC:
        raise EngineError("this is no Linux kernel: it has no setup header")
    offset, length = struct.unpack_from("<II", image, _PAYLOAD)
    start = ((image[_SETUP_SECTORS] or _USUAL_SETUP_SECTORS) + 1) * _SECTOR + offset
    kernel = _unpacked(image[start : start + length])
    if not kernel.startswith(_ELF):
        raise EngineError("what is packed in this kernel is no ELF file")
    return kernel


def _unpacked(payload: bytes) -> bytes:
    if payload.startswith(b"\x1f\x8b"):
        import zlib

        return zlib.decompressobj(31).decompress(payload)
    if payload.startswith(b"\xfd7zXZ\0"):
        import lzma

        return lzma.LZMADecompressor().decompress(payload)
    for magic, program in _PROGRAMS.items():
        if payload.startswith(magic):
            from xlpy.lab.programs import run_program

            return run_program([program, "-dc"], input_data=payload[:-_LENGTH_BYTES])
    if payload.startswith(_ELF):
        return payload
    raise EngineError(f"this kernel is packed in an unknown way: it begins with {payload[:6].hex(' ')}")
