"""Disks that come along with a migration, at the target: new images, which the source's QEMU fills over NBD.

An image is made where the source has it, and never over a file that is there; a block device has to be there, and blank
(``copy_device``). A list of both is kept with the domain's files: until the domain is accepted they go when those go,
whoever removes them (``DomainFiles.remove``).
"""

from __future__ import annotations

import os

from xlpy.engine.qemu.copy_device import device_problems, is_for_device
from xlpy.engine.qemu.disk_hotplug import find_disk
from xlpy.engine.qemu.disk_image import image_format
from xlpy.engine.qemu.program import find_program
from xlpy.engine.qemu.socket_path import connect_unix, listen_unix
from xlpy.engine.qemu.socket_pump import SocketPump
from xlpy.errors import ConfigError, DomainExists, EngineError, InvalidState, NotSupported, XlError
from xlpy.model.migration import copied_disks

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from xlpy.engine.qemu.domain import QemuDomain
    from xlpy.engine.qemu.files import DomainFiles
    from xlpy.model.domain_config import DiskConfig, DomainConfig
    from xlpy.model.migration import SavedDomain

_FORMATS = ("raw", "qcow2")
_LISTENER = "disk-copies"  # its name among QEMU's descriptors
_MAKING_TIMEOUT_S = 60


# -- the look before


def uncopyable(config: DomainConfig) -> Iterator[XlError]:
    """What keeps disks from being copied, at the source."""
    for disk in copied_disks(config):
        if image_format(disk) not in _FORMATS:
            yield NotSupported(
                f"disk {disk.vdev}: an image in {image_format(disk)} format cannot be copied along",
                f"formats that can: {', '.join(_FORMATS)}",
            )


def room_for_copies(saved: SavedDomain) -> Iterator[XlError]:
    """What keeps this host from making the copies."""
    needed: dict[int, int] = {}
    for disk in copied_disks(saved.config):
        path = disk.pdev_path or ""
        directory = os.path.dirname(path)
        if is_for_device(path):
            yield from device_problems(disk, saved.disk_bytes.get(disk.vdev, 0))
        elif os.path.lexists(path):
            yield DomainExists(
                f"disk {disk.vdev}: {path} exists already, and is not overwritten",
                "if both hosts share this storage migrate without --with-disks, else move that file away",
            )
        elif not os.path.isdir(directory):
            yield ConfigError(
                f"disk {disk.vdev}: there is no directory {directory} to copy it to", f"mkdir -p {directory}"
            )
        elif not os.access(directory, os.W_OK | os.X_OK):
            yield ConfigError(
                f"disk {disk.vdev}: no permission to write in {directory}", f"ls -ld {directory}"
            )
        else:
            device = os.stat(directory).st_dev
            needed[device] = needed.get(device, 0) + saved.disk_bytes.get(disk.vdev, 0)
            room = os.statvfs(directory)
            if needed[device] > room.f_bavail * room.f_frsize:
                yield EngineError(
                    f"disk {disk.vdev}: the file system of {directory} has {room.f_bavail * room.f_frsize >> 20} MiB"
                    f" left, the disks may need {needed[device] >> 20} MiB there",
                    "make room there",
                )


# -- making them


def make_images(saved: SavedDomain, files: DomainFiles) -> None:
    """An empty image or blank device for each disk that is copied. Raises XlError; those made by then are in the list."""
    for disk in copied_disks(saved.config):
        size_bytes = saved.disk_bytes.get(disk.vdev)
        if size_bytes is None:
            raise EngineError(f"disk {disk.vdev}: the source does not tell its size", "is its file there?")
        path = disk.pdev_path or ""
        if is_for_device(path):
            for problem in device_problems(disk, size_bytes):
                raise problem
            files.note_made_image(path)
            continue
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                files.note_made_image(path)  # not before: what is removed later has to be ours
                if image_format(disk) == "raw":
                    os.ftruncate(fd, size_bytes)
            finally:
                os.close(fd)
        except FileExistsError as error:
            raise DomainExists(f"disk {disk.vdev}: {path} exists already, and is not overwritten") from error
        except OSError as error:
            raise EngineError(f"disk {disk.vdev}: cannot make {path}: {error.strerror}") from error
        if image_format(disk) != "raw":
            _format(disk, path, size_bytes)


def _format(disk: DiskConfig, path: str, size_bytes: int) -> None:
    import subprocess

    program = find_program("qemu-img", "install it, on Debian: apt install qemu-utils")
    command = [program, "create", "-q", "-f", image_format(disk), path, str(size_bytes)]
    try:
        subprocess.run(command, capture_output=True, text=True, check=True, timeout=_MAKING_TIMEOUT_S)
    except subprocess.CalledProcessError as error:
        raise EngineError(f"disk {disk.vdev}: cannot make {path}", detail=error.stderr.strip()) from error
    except (OSError, subprocess.SubprocessError) as error:
        raise EngineError(f"disk {disk.vdev}: cannot make {path}", detail=str(error)) from error


# -- filling them


def serve_copies(domain: QemuDomain) -> None:
    """Have the waiting QEMU let its new images be written to by NBD (QMP ``nbd-server-start``, ``block-export-add``)."""
    listener: socket.socket = listen_unix(domain.files.copies_socket)
    with listener:
        domain.qmp.execute("getfd", {"fdname": _LISTENER}, fds=(listener.fileno(),))
    address = {"type": "fd", "data": {"str": _LISTENER}}
    domain.qmp.execute("nbd-server-start", {"addr": address})
    for disk in copied_disks(domain.record.config):
        node = find_disk(domain, disk.vdev).node_name
        export = {"type": "nbd", "id": f"copy-{node}", "node-name": node, "name": node, "writable": True}
        domain.qmp.execute("block-export-add", export)


def serve_disk(domain: QemuDomain, vdev: str, stream: socket.socket) -> None:
    """Connect whoever is at the stream's other end to one of the images. Raises InvalidState for another disk."""
    if not any(disk.vdev == vdev for disk in copied_disks(domain.record.config)):
        raise InvalidState(f"the domain that is being received has no disk {vdev} to be copied")
    try:
        connection = connect_unix(domain.files.copies_socket)
    except OSError as error:
        raise EngineError(
            "the QEMU that is to have the disks does not take them", detail=str(error)
        ) from error
    with connection:
        SocketPump(connection, stream, f"copy of {vdev}")


def end_copies(domain: QemuDomain) -> None:
    """All disks are complete: no connection may write to them any more (QMP ``nbd-server-stop``)."""
    domain.qmp.execute("nbd-server-stop")
    try:
        os.unlink(domain.files.copies_socket)
    except OSError:
        pass  # it goes with the domain's directory
