"""Who is at the other end of a connection on the loopback address: ports there are open to everybody on the machine."""

from __future__ import annotations

import socket
import struct

_TABLE = "/proc/net/tcp"
_LOCAL, _REMOTE, _UID = 1, 2, 7  # columns


def peer_uid(connection: socket.socket) -> int | None:
    """The user whose process made this IPv4 connection from this machine; None when the kernel doesn't tell (proc(5))."""
    ours = _spelled(connection.getsockname())
    try:
        theirs = _spelled(connection.getpeername())
        with open(_TABLE, encoding="ascii") as table:
            for line in table:
                row = line.split()
                if row[_LOCAL] == theirs and row[_REMOTE] == ours:
                    return int(row[_UID])
    except OSError:
        pass
    return None


def _spelled(address: tuple[str, int]) -> str:
    """An address as the kernel writes it: the number that the bytes are on this machine, and the port, in hex."""
    host, port = address
    (number,) = struct.unpack("=I", socket.inet_aton(host))
    return f"{number:08X}:{port:04X}"
