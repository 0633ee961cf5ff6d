"""Writing an inventory: one writer at a time, and either the whole new text is there or the old one."""

from __future__ import annotations

import fcntl
import os

from xlpy.errors import ConfigError, file_hint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def rewrite(path: str, change: Callable[[bytes], bytes]) -> None:
    """Replace a file's text by what ``change`` makes of it; a file that isn't there yet is an empty one, 0600.

    What is a symbolic link stays one, permissions stay. Raises ConfigError, and what ``change`` raises.
    """
    real = os.path.realpath(path)
    directory = os.path.dirname(real)
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before, mode = _read(real)
            after = change(before)
            if after != before:
                _replace(real, after, mode)
                os.fsync(lock)
        finally:
            os.close(lock)
    except OSError as error:
        raise ConfigError(
            f"cannot write the inventory: {error.strerror}", file_hint(path, error), where=path
        ) from error


def _read(path: str) -> tuple[bytes, int]:
    try:
        with open(path, "rb") as file:
            return file.read(), os.fstat(file.fileno()).st_mode & 0o7777
    except FileNotFoundError:
        return b"", 0o600


def _replace(path: str, data: bytes, mode: int) -> None:
    unfinished = f"{path}.{os.getpid()}.new"
    fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with open(fd, "wb") as file:
            file.write(data)
            os.fchmod(fd, mode)
            file.flush()
            os.fsync(fd)
        os.rename(unfinished, path)
    except BaseException:
        os.unlink(unfinished)
        raise
