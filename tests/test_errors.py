"""The hints of errors."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from xlpy.errors import file_hint


def refusal(path: Path | str, flags: int) -> OSError:
    """What the kernel says to opening this."""
    try:
        os.close(os.open(path, flags))
    except OSError as error:
        return error
    raise AssertionError(f"{path} can be opened")


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    absent = tmp_path / "no" / "file"
    assert file_hint(str(absent), refusal(absent, os.O_WRONLY)) == f"is there a directory {tmp_path}/no?"
    assert file_hint("absent.cfg", refusal("absent.cfg", os.O_RDONLY)) == "check the name: ls"
    assert file_hint(str(tmp_path), refusal(tmp_path, os.O_WRONLY)) == "name a file in it"


def test_a_full_disk() -> None:
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(OSError, match="No space") as caught:
        full.write(b"x")
    assert file_hint("/dev/full", caught.value) == "free some space, or choose another place"


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.EACCES, "see who may: ls -ld /srv /srv/x"),
        (errno.EROFS, "choose a place that can be written to"),
        (errno.EIO, None),
    ],
)
def test_what_root_never_meets(number: int, hint: str | None) -> None:
    assert file_hint("/srv/x", OSError(number, os.strerror(number))) == hint
