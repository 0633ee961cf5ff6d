"""The directories, the locks and the socket of an xlpyd: one daemon for each, and nobody else's business."""

from __future__ import annotations

import fcntl
import os
import socket

from xlpy.errors import InvalidState, PermissionRefused, XlError, file_hint

_LONGEST_ADDRESS = 107  # bytes in sockaddr_un.sun_path, without the closing NUL
_BACKLOG = 128


def make_private_dir(path: str) -> None:
    """Have a directory that only we can use. Raises PermissionRefused for one that belongs to somebody else."""
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            pass
        found = os.lstat(path)
    except OSError as error:
        raise PermissionRefused(f"cannot make the directory {path}: {error.strerror}") from error
    if found.st_uid != os.getuid():
        raise PermissionRefused(
            f"{path} belongs to uid {found.st_uid}, not to uid {os.getuid()}",
            "choose another place with --socket",
        )
    if not os.path.isdir(path) or os.path.islink(path):
        raise PermissionRefused(f"{path} is no directory")
    if found.st_mode & 0o077:
        raise PermissionRefused(
            f"{path} is open to others (mode {found.st_mode & 0o777:03o})",
            f"'chmod 700 {path}', or choose a directory for xlpyd alone",
        )


def lock_dir(path: str) -> int:
    """A descriptor whose life is the lock on this directory. Raises InvalidState when another xlpyd has it, or XlError."""
    file = f"{path}/xlpyd.lock"
    try:
        lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise XlError(f"cannot make {file}: {error.strerror}", file_hint(file, error)) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(lock, 20).decode("ascii", "replace").strip()
        os.close(lock)
        raise InvalidState(
            f"another xlpyd (process {holder or 'unknown'}) uses {path} already",
            "choose other places with --socket and --state-dir for a second one",
        ) from error
    try:
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
    except OSError:
        pass  # on a full disk the lock holds all the same; it only doesn't say whose it is
    return lock


def listen(path: str) -> socket.socket:
    """A socket that listens at ``path``, for us and root alone; it appears there only once it listens.

    Raises XlError. Call it with the lock on its directory: what is there is a dead daemon's.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    directory, name = os.path.split(path)
    unborn = f".{name}.new"
    try:
        directory_fd = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            if os.path.lexists(f"{directory}/{unborn}"):
                os.unlink(unborn, dir_fd=directory_fd)
            os.fchmod(listener.fileno(), 0o600)  # bind gives it to the file
            listener.bind(f"/proc/self/fd/{directory_fd}/{unborn}")
            listener.listen(_BACKLOG)
            os.rename(unborn, name, src_dir_fd=directory_fd, dst_dir_fd=directory_fd)
        finally:
            os.close(directory_fd)
    except OSError as error:
        listener.close()
        raise XlError(f"cannot listen at {path}: {error.strerror}") from error
    return listener
