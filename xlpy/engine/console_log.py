"""ConsoleLog: what a console has said since the domain started, in a file.

QEMU appends to it, also while no xlpyd runs; what comes from a terminal, xlpyd does. The file is kept small by punching holes into its beginning: an offset always
means the same byte.
"""

from __future__ import annotations

import errno
import os

KEPT_BYTES = 1 << 20
_BLOCK_BYTES = 4096
_READ_BYTES = 65536
# linux/falloc.h
_KEEP_SIZE, _PUNCH_HOLE = 1, 2


class ConsoleLog:
    """An open log. Raises OSError from the constructor alone."""

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def size(self) -> int:
        """How many bytes the console has said."""
        return os.fstat(self._fd).st_size

    def start(self) -> int:
        """The first offset that is still there; after a hole, that of the first whole line."""
        first = self.first()
        if first == 0:
            return 0
        line_end = os.pread(self._fd, _READ_BYTES, first).find(b"\n")
        return first + line_end + 1

    def from_position(self, position: int) -> int:
        """Where to go on for someone who has seen what is before ``position``."""
        return min(position, self.size()) if position >= self.first() else self.start()

    def first(self) -> int:
        """The first offset that is still there."""
        try:
            return os.lseek(self._fd, 0, os.SEEK_DATA)
        except OSError as error:
            # nothing but holes, or empty; or a file system without holes
            return self.size() if error.errno == errno.ENXIO else 0

    def read(self, offset: int) -> bytes:
        """Some of what follows ``offset``; empty at the end."""
        return os.pread(self._fd, _READ_BYTES, offset)

    def trim(self) -> None:
        """Give back the space of all but the last ``KEPT_BYTES``. A file system without holes keeps it all."""
        length = (self.size() - KEPT_BYTES) // _BLOCK_BYTES * _BLOCK_BYTES
        if length > 0:
            punch_hole(self._fd, length)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def punch_hole(fd: int, length: int) -> None:
    """Give back the first ``length`` bytes of a file; its size stays. Does nothing where that isn't possible."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    fallocate = getattr(libc, "fallocate", None)
    if fallocate is not None:
        fallocate(fd, _KEEP_SIZE | _PUNCH_HOLE, ctypes.c_int64(0), ctypes.c_int64(length))
