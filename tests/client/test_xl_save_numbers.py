"""The numbers in the header of xl's save files, in the words of ``xl save`` and ``xl restore``."""

from __future__ import annotations

from pathlib import Path

from xlpy.client.xl_save_file import HEADER_BYTES, numbers_in_words

HEADER = (Path(__file__).parents[1] / "data" / "xl-4.17.save-header").read_bytes()


def test_of_a_file_of_xls() -> None:
    assert numbers_in_words(HEADER) == f"info 0x3/0x0/{len(HEADER) - HEADER_BYTES}"


def test_of_anything_else() -> None:
    assert numbers_in_words(b"Xen saved domain, xlpy format 1 " + bytes(64)) is None
    assert numbers_in_words(HEADER[: HEADER_BYTES - 1]) is None
