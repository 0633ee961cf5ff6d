"""Files that are there whole or not at all: written beside their place, and put there when complete."""

from __future__ import annotations

import os

from xlpy.errors import XlError, file_hint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def replace_file(path: str, data: bytes) -> None:
    """Put new contents in the place of a file, with the same owner and mode. Raises XlError."""

    def adopt(descriptor: int) -> None:
        state = os.stat(real)
        os.fchmod(descriptor, state.st_mode & 0o7777)
        if (state.st_uid, state.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(descriptor, state.st_uid, state.st_gid)

    real = os.path.realpath(path)
    try:
        _write(real, data, 0o600, adopt, os.replace)
    except OSError as error:
        raise _cannot_write(path, error) from error


def create_file(path: str, data: bytes) -> None:
    """Make a file that isn't there yet. Raises XlError, also when it is."""

    def put(partial: str, place: str) -> None:
        os.link(partial, place)
        os.unlink(partial)

    try:
        _write(path, data, 0o666, lambda descriptor: None, put)
    except OSError as error:
        raise _cannot_write(path, error) from error


def _write(
    path: str, data: bytes, mode: int, prepare: Callable[[int], None], put: Callable[[str, str], None]
) -> None:
    """Write beside ``path`` and put it there; nothing is left behind when that fails. Raises OSError."""
    partial = f"{path}.{os.getpid()}.partial"
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            prepare(descriptor)
        put(partial, path)
    except BaseException:
        os.unlink(partial)
        raise


def _cannot_write(path: str, error: OSError) -> XlError:
    return XlError(f"cannot write {path}: {error.strerror}", file_hint(path, error))
