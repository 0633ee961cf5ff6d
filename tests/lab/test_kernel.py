"""The kernel within a bzImage."""

from __future__ import annotations

import gzip
import lzma
import struct
import subprocess

import pytest
from kernel_images import KERNEL, bz_image

from xlpy.errors import EngineError, MissingProgram
from xlpy.lab.kernel import unpacked_kernel
from xlpy.lab.programs import find_program


def length(data: bytes) -> bytes:
    return struct.pack("<I", len(data))


@pytest.mark.parametrize(
    "payload",
    [
        gzip.compress(KERNEL) + length(KERNEL),
        lzma.compress(KERNEL, format=lzma.FORMAT_XZ) + length(KERNEL),
        KERNEL,
    ],
    ids=["gzip", "xz", "not packed"],
)
@pytest.mark.parametrize("setup_sectors", [4, 27])
def test_the_kernel_comes_out(payload: bytes, setup_sectors: int) -> None:
    assert unpacked_kernel(bz_image(payload, setup_sectors)) == KERNEL


@pytest.mark.parametrize("program", ["zstd", "lz4"])
def test_the_kernel_comes_out_with_a_program(program: str) -> None:
    try:
        path = find_program(program)
    except MissingProgram as error:
        pytest.skip(str(error))
    options = ["-l"] if program == "lz4" else []  # the kernel's own is lz4's old format
    packed = subprocess.run([path, "-c", *options], input=KERNEL, stdout=subprocess.PIPE, check=True).stdout
    assert unpacked_kernel(bz_image(packed + length(KERNEL))) == KERNEL


def test_zero_sectors_mean_four() -> None:
    image = bytearray(bz_image(KERNEL))
    image[0x1F1] = 0
    assert unpacked_kernel(bytes(image)) == KERNEL


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (b"", "no setup header"),
        (b"\x7fELF" + bytes(4096), "no setup header"),
        (bz_image(gzip.compress(b"#!/bin/sh")), "no ELF file"),
        (bz_image(b"BZh91AY&SY"), "packed in an unknown way: it begins with 42 5a 68"),
    ],
)
def test_what_is_no_kernel(image: bytes, message: str) -> None:
    with pytest.raises(EngineError, match=message):
        unpacked_kernel(image)
