"""Unix sockets at paths of any length.

A socket's address holds 107 bytes. A longer path is reached through its directory: /proc/self/fd/N/name.
"""

from __future__ import annotations

import os
import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST_ADDRESS = 107


def connect_unix(path: str) -> socket.socket:
    """A stream socket connected to ``path``. Raises OSError."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _with_address(path, sock.connect)
    except OSError:
        sock.close()
        raise
    return sock


def open_line(path: str) -> socket.socket:
    """QEMU's end of a console, as ``Console`` takes it: it doesn't block. Raises OSError."""
    sock = connect_unix(path)
    sock.setblocking(False)
    return sock


def listen_unix(path: str, backlog: int = 8) -> socket.socket:
    """A stream socket that listens at ``path``, which only its owner may use. Raises OSError."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.fchmod(sock.fileno(), 0o600)  # bind() gives the file the mode of the socket
        _with_address(path, sock.bind)
        sock.listen(backlog)
    except OSError:
        sock.close()
        raise
    return sock


def _with_address(path: str, use: Callable[[str], None]) -> None:
    if len(os.fsencode(path)) <= _LONGEST_ADDRESS:
        use(path)
        return
    directory, name = os.path.split(path)
    directory_fd = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        use(f"/proc/self/fd/{directory_fd}/{name}")
    finally:
        os.close(directory_fd)
