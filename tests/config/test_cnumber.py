"""Numbers must be read as the C library reads them: it is the oracle."""

from __future__ import annotations

import ctypes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xlpy.config.cnumber import atoi, int32, scan_integer, strtol, strtoul, uint8, uint32

libc = ctypes.CDLL(None)
libc.strtol.restype = ctypes.c_long
libc.strtoul.restype = ctypes.c_ulong

number_text = st.text(alphabet=" \t\n+-0123456789abcdefxXABF,-:.z", max_size=30)


def from_libc(function: str, text: str, base: int) -> tuple[int, int]:
    buffer = ctypes.create_string_buffer(text.encode())
    end = ctypes.c_char_p()
    value = getattr(libc, function)(buffer, ctypes.byref(end), base)
    rest = end.value
    assert rest is not None
    return value, len(text) - len(rest)


@given(number_text, st.sampled_from([0, 10, 16]))
@example("0x", 0)
@example("0xg", 16)
@example("-0x10", 0)
@example("089", 0)
@example("99999999999999999999", 0)
@example("-99999999999999999999", 10)
@example("+ 1", 10)
def test_same_as_the_c_library(text: str, base: int) -> None:
    assert strtol(text, base) == from_libc("strtol", text, base)
    assert strtoul(text, base) == from_libc("strtoul", text, base)


@given(number_text)
def test_atoi_is_strtol_cut_to_an_int(text: str) -> None:
    libc.atoi.restype = ctypes.c_int
    assert atoi(text) == libc.atoi(ctypes.create_string_buffer(text.encode()))


def test_scanning_does_not_clip() -> None:
    assert scan_integer("99999999999999999999") == (99999999999999999999, 20)


def test_a_million_digits_are_just_too_large() -> None:
    assert strtol("9" * 1_000_000) == ((1 << 63) - 1, 1_000_000)


@pytest.mark.parametrize(
    ("function", "value", "cut"),
    [(int32, 1 << 31, -(1 << 31)), (int32, -1, -1), (uint32, -1, 0xFFFFFFFF), (uint8, 0x1FF, 0xFF)],
)
def test_cut_to_a_width(function: object, value: int, cut: int) -> None:
    assert callable(function)
    assert function(value) == cut
