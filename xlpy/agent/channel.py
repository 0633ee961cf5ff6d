"""The daemon's end of a unix socket: bytes both ways, descriptors towards us."""

from __future__ import annotations

import array
import os
import select
import socket
import struct

_RECEIVE_BYTES = 1 << 16
_FDS_AT_ONCE = 4


class PeerChannel:
    """A connected client. Not for several threads at once, but for ``send``s in whole messages."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._fds: list[int] = []

    def fileno(self) -> int:
        """The descriptor to poll."""
        return self._socket.fileno()

    def peer_uid(self) -> int:
        """Who connected, as the kernel says."""
        _, uid, _ = struct.unpack(
            "3i", self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        )
        return int(uid)

    def send(self, data: bytes) -> None:
        """Send all of it. Raises OSError when the client is gone."""
        self._socket.sendall(data)

    def has_input(self) -> bool:
        """Whether ``receive`` would return at once."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(0))

    def receive(self) -> bytes:
        """Some bytes, none at the end; descriptors that came along wait for ``take_fd``. Raises OSError."""
        rights = array.array("i")
        data, ancillary, _, _ = self._socket.recvmsg(
            _RECEIVE_BYTES, socket.CMSG_SPACE(_FDS_AT_ONCE * rights.itemsize), socket.MSG_CMSG_CLOEXEC
        )
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                rights.frombytes(payload[: len(payload) - len(payload) % rights.itemsize])
        self._fds.extend(rights)
        return data

    def take_fd(self) -> int | None:
        """The oldest descriptor that was passed and not yet taken; the taker closes it."""
        return self._fds.pop(0) if self._fds else None

    def hang_up(self) -> None:
        """Make whoever waits on this connection see its end; ``close`` must still follow."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # gone already

    def close(self) -> None:
        """Close the socket and every descriptor nobody took."""
        self._socket.close()
        while self._fds:
            os.close(self._fds.pop())
