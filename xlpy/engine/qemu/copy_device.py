"""Block devices that disks are copied onto in a migration: partitions, logical volumes and their like, made beforehand.

Nobody's data may be lost: a device has to be blank, as a new image is, and nobody may use it. A device that both hosts
share isn't blank either. If the migration fails it is blank again.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat

from xlpy.engine.qemu.disk_image import is_block_device
from xlpy.errors import ConfigError, DomainExists, EngineError, InvalidState, NotSupported, PermissionRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlpy.errors import XlError
    from xlpy.model.domain_config import DiskConfig

# where partition tables, file systems, LVM, RAID and LUKS leave their marks
_BLANK_BYTES = 1 << 20
# QEMU's block/file-posix.c: a byte for each permission from 100 and from 200 on
_LOCKS_BEGIN, _LOCKED_BYTES = 100, 200
_LVM_PATH = re.compile(r"/dev/(?!mapper/|disk/)([^/]+)/([^/]+)\Z")


def is_for_device(path: str) -> bool:
    """Whether a block device belongs at this path, be it there or not."""
    return path.startswith("/dev/") or is_block_device(path)


def device_problems(disk: DiskConfig, size_bytes: int) -> Iterator[XlError]:
    """What keeps a disk of this size from being copied onto the device that its configuration names."""
    path = disk.pdev_path or ""
    name = f"disk {disk.vdev}"
    if (disk.format or "raw") != "raw":
        yield NotSupported(
            f"{name}: an image in {disk.format} format is not copied onto a block device, {path}",
            "name a raw disk, or a file",
        )
        return
    try:
        fd = _open_alone(path)
    except OSError as error:
        yield _open_error(name, path, size_bytes, error)
        return
    try:
        if not stat.S_ISBLK(os.fstat(fd).st_mode):
            yield ConfigError(
                f"{name}: {path} is no block device", "name a device, or a file outside of /dev"
            )
            return
        there_bytes = os.lseek(fd, 0, os.SEEK_END)
        if there_bytes < size_bytes:
            yield EngineError(
                f"{name}: {path} has {there_bytes} bytes here, the disk has {size_bytes}",
                _enlarging(path, size_bytes),
            )
        if any(os.pread(fd, _BLANK_BYTES, 0)):
            yield DomainExists(
                f"{name}: there is something on {path}, and it is not overwritten",
                "if both hosts share this storage migrate without --with-disks; if it is of no use wipe its beginning"
                f" on that host: dd if=/dev/zero of={path} bs=1M count=1",
            )
    finally:
        os.close(fd)


def blank_again(path: str) -> None:
    """Leave nothing on a device that a migration began to write to, unless somebody uses it. Raises OSError."""
    fd = _open_alone(path)
    try:
        if stat.S_ISBLK(os.fstat(fd).st_mode):
            length = min(_BLANK_BYTES, os.lseek(fd, 0, os.SEEK_END))
            os.pwrite(fd, bytes(length), 0)
            os.fsync(fd)
    finally:
        os.close(fd)


def _open_alone(path: str) -> int:
    """A descriptor that nobody else has. Raises OSError.

    O_EXCL on a block device fails while it is mounted, or part of another one (open(2)); QEMU's locks say who else uses it.
    """
    fd = os.open(path, os.O_RDWR | os.O_EXCL | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, _LOCKED_BYTES, _LOCKS_BEGIN)
    except OSError as error:
        os.close(fd)
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY)) from error
    return fd


def _open_error(name: str, path: str, size_bytes: int, error: OSError) -> XlError:
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENXIO):
        return ConfigError(
            f"{name}: there is no block device {path} of {size_bytes} bytes to copy it to",
            _making(path, size_bytes),
        )
    if error.errno == errno.EBUSY:
        return InvalidState(
            f"{name}: {path} is in use",
            "is it another domain's, mounted, or part of a volume group? see: lsblk",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return PermissionRefused(f"{name}: no permission to write to {path}", f"see: ls -l {path}")
    return ConfigError(f"{name}: cannot open {path}: {error.strerror}")


def _making(path: str, size_bytes: int) -> str:
    found = _LVM_PATH.match(path)
    making = f"lvcreate -n {found[2]} -L {size_bytes}b {found[1]}" if found else "make one there"
    return f"{making}; or name another device or a file in a config for that host: -C"


def _enlarging(path: str, size_bytes: int) -> str:
    return (
        f"lvextend -L {size_bytes}b {path}" if _LVM_PATH.match(path) else "name a larger one in a config: -C"
    )
