"""An initramfs archive: cpio's "newc" form, as the kernel's Documentation/driver-api/early-userspace/buffer-format.rst states it.

Written here because device nodes must be in it, which nobody but root can make as files,
and because the same input must give the same bytes.
"""

from __future__ import annotations

import stat
from typing import BinaryIO


class Archive:
    """Writes entries one after the other; all belong to root and carry no time."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._inode = 0

    def directory(self, path: str) -> None:
        """An empty directory; must come before what is in it."""
        self._entry(path, stat.S_IFDIR | 0o755, b"")

    def regular_file(self, path: str, content: bytes, mode: int) -> None:
        """A file with the permission bits of ``mode``."""
        self._entry(path, stat.S_IFREG | stat.S_IMODE(mode), content)

    def symlink(self, path: str, target: str) -> None:
        """A symbolic link."""
        self._entry(path, stat.S_IFLNK | 0o777, target.encode())

    def character_device(self, path: str, major: int, minor: int) -> None:
        """A device node."""
        self._entry(path, stat.S_IFCHR | 0o600, b"", device=(major, minor))

    def close(self) -> None:
        """The entry that ends an archive. The file stays open; it is the caller's."""
        self._entry("TRAILER!!!", 0, b"")

    def _entry(self, path: str, mode: int, content: bytes, device: tuple[int, int] = (0, 0)) -> None:
        self._inode += 1
        name = path.encode() + b"\0"
        links = 2 if stat.S_ISDIR(mode) else 1
        fields = (self._inode, mode, 0, 0, links, 0, len(content), 0, 0, *device, len(name), 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields)
        self._write_padded(header + name)
        self._write_padded(content)

    def _write_padded(self, data: bytes) -> None:
        self._file.write(data + bytes(-len(data) % 4))
