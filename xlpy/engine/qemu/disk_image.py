"""What is behind a disk: the file or block device, looked at before QEMU is asked to open it.

QEMU's own messages name its internals; these name the disk and say what to do.
"""

from __future__ import annotations

import errno
import os
import stat

from xlpy.errors import ConfigError, InvalidState, NotSupported, PermissionRefused, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from xlpy.model.domain_config import DiskConfig

BLOCK_DRIVERS = {"raw": "raw", "qcow": "qcow", "qcow2": "qcow2", "vhd": "vpc", "qed": "qed"}
_FOOTER_BYTES = 512
# where each format's header has the size of the disk in it: offset and byte order (vhd: in its footer)
_SIZE_FIELDS: dict[str, tuple[int, Literal["big", "little"]]] = {
    "qcow": (24, "big"),
    "qcow2": (24, "big"),
    "qed": (48, "little"),
    "vhd": (48, "big"),
}
_OWN_BACKENDS = (None, "", "0", "Domain-0")


def image_format(disk: DiskConfig) -> str:
    """The format that the configuration asks for; a disk that says none is raw, as with xl."""
    return disk.format or "raw"


def is_empty(disk: DiskConfig) -> bool:
    """Whether this is a drive without a medium."""
    return disk.format == "empty" or not disk.pdev_path


def check_disk(disk: DiskConfig) -> None:
    """Look at what the disk asks for and what is there.

    Raises NotSupported for what this engine has no way to do, ConfigError for a file that isn't there or is of another
    format, PermissionRefused for one that may not be opened.
    """
    _check_options(disk)
    if not is_empty(disk):
        _check_file(disk, disk.pdev_path or "")


def _check_options(disk: DiskConfig) -> None:
    name = f"disk {disk.vdev}"
    if disk.backend_domname not in _OWN_BACKENDS:
        raise NotSupported(
            f"{name}: the qemu engine has no driver domains (backend={disk.backend_domname})",
            "leave backend= out; the host itself serves the disk",
        )
    if disk.backend in ("tap", "standalone"):
        raise NotSupported(
            f"{name}: the qemu engine has no backendtype={disk.backend}",
            "leave backendtype= out, or use qdisk",
        )
    if disk.script:
        raise NotSupported(
            f"{name}: the qemu engine runs no hotplug scripts (script={disk.script})",
            "attach the storage to the host first and name its device or file",
        )
    if is_empty(disk):
        if not disk.is_cdrom:
            raise ConfigError(f"{name}: no target, and only a CD drive may be empty")
    elif image_format(disk) not in BLOCK_DRIVERS:
        raise ConfigError(
            f"{name}: unknown format '{disk.format}'", f"formats are {', '.join(BLOCK_DRIVERS)}"
        )


def _check_file(disk: DiskConfig, path: str) -> None:
    name = f"disk {disk.vdev}"
    if not path.startswith("/"):
        raise ConfigError(f"{name}: '{path}' is no absolute path", "name a file or block device of this host")
    try:
        fd = os.open(path, (os.O_RDWR if disk.readwrite else os.O_RDONLY) | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _open_error(name, path, disk, error) from error
    try:
        _check_kind(name, path, os.fstat(fd).st_mode)
        if image_format(disk) != "raw":
            _check_magic(name, path, image_format(disk), fd)
    finally:
        os.close(fd)


def _open_error(name: str, path: str, disk: DiskConfig, error: OSError) -> XlError:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return ConfigError(f"{name}: no such file: {path}", "create it, or correct the path")
    if error.errno in (errno.EACCES, errno.EPERM):
        way = "read and write" if disk.readwrite else "read"
        return PermissionRefused(f"{name}: no permission to {way} {path}", f"see: ls -l {path}")
    if error.errno == errno.EROFS:
        return ConfigError(f"{name}: {path} is on a read-only filesystem", "say access=ro")
    if error.errno == errno.EISDIR:
        return ConfigError(f"{name}: {path} is a directory")
    if error.errno in (errno.ENXIO, errno.ENOMEDIUM):
        return ConfigError(f"{name}: nothing is behind {path}", "is there a medium or device in it?")
    return ConfigError(f"{name}: cannot open {path}: {error.strerror}")


def _check_kind(name: str, path: str, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise ConfigError(f"{name}: {path} is a directory")
    if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode)):
        raise ConfigError(f"{name}: {path} is neither a file nor a block device")


def _check_magic(name: str, path: str, wanted: str, fd: int) -> None:
    found = detect_format(fd)
    if found != wanted:
        raise ConfigError(
            f"{name}: {path} is not in {wanted} format",
            f"it looks like {found}: say format={found}",
        )


def detect_format(fd: int) -> str:
    """The image format by the marks in it; ``raw`` where there is none."""
    head = os.pread(fd, 8, 0)
    if head[:4] == b"QFI\xfb":
        return "qcow" if head[4:8] == b"\0\0\0\1" else "qcow2"
    if head[:4] == b"QED\0":
        return "qed"
    size = os.lseek(fd, 0, os.SEEK_END)
    footer = os.pread(fd, 8, max(0, size - _FOOTER_BYTES))
    return "vhd" if b"conectix" in (head, footer) else "raw"


def disk_bytes(disk: DiskConfig) -> int:
    """The size of the disk that the guest sees, by the image's own header. Raises OSError."""
    fd = os.open(disk.pdev_path or "", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        end = os.lseek(fd, 0, os.SEEK_END)
        field = _SIZE_FIELDS.get(image_format(disk))
        if field is None:
            return end
        offset, order = field
        start = end - _FOOTER_BYTES if image_format(disk) == "vhd" else 0
        return int.from_bytes(os.pread(fd, 8, start + offset), order)
    finally:
        os.close(fd)


def is_block_device(path: str) -> bool:
    """Whether the path leads to a block device now."""
    try:
        return stat.S_ISBLK(os.stat(path).st_mode)
    except OSError:
        return False


def explain_open_failure(message: str, disks: tuple[DiskConfig, ...]) -> XlError | None:
    """QEMU's complaint about an image, in the disk's terms; None if it is about none of them.

    QEMU locks the images it uses (docs/system/qemu-block-drivers, "Disk image file locking"). Its words for that have
    no path in them everywhere, so a lone disk is the one that is meant.
    """
    locked = "another process using the image" in message or (
        "Failed to get" in message and "lock" in message
    )
    for disk in disks:
        path = disk.pdev_path or ""
        if not path or (path not in message and not (locked and len(disks) == 1)):
            continue
        name = f"disk {disk.vdev}"
        if locked:
            return InvalidState(
                f"{name}: {path} is in use by another domain",
                "shut that one down first, or attach the disk read-only to all of them",
                detail=message,
            )
        if "O_DIRECT" in message:
            return ConfigError(
                f"{name}: the filesystem of {path} cannot do direct I/O",
                "leave direct-io-safe out",
                detail=message,
            )
        return ConfigError(f"{name}: cannot use {path}", detail=message)
    return None
