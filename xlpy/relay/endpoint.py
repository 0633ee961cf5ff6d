"""A local descriptor at the end of a stream: how it is read, written and closed without ever waiting for it."""

from __future__ import annotations

import _socket
import fcntl
import os
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_FDS_AT_ONCE = 4
_ANCILLARY_BYTES = _socket.CMSG_SPACE(_FDS_AT_ONCE * 4)
_RECEIVE_FLAGS = _socket.MSG_DONTWAIT | _socket.MSG_CMSG_CLOEXEC
_SEND_FLAGS = _socket.MSG_DONTWAIT | _socket.MSG_NOSIGNAL
_ATOMIC_BYTES = 4096  # a pipe that poll() says is writable takes this much at once (PIPE_BUF)


class Endpoint:
    """What both kinds do. OSError from any method means that the other end has gone."""

    readable = True
    writable = True
    ordered = False  # nobody sees what is written here before the answer that tells of it

    def fileno(self) -> int:
        """The descriptor to poll."""
        raise NotImplementedError

    def read(self, limit: int) -> tuple[bytes, list[int]]:
        """Some bytes, none at the end, and descriptors that came along. Raises BlockingIOError when there is nothing."""
        raise NotImplementedError

    def write(self, data: memoryview, fds: Sequence[int] = ()) -> int:
        """How many bytes it took. Raises BlockingIOError for none."""
        raise NotImplementedError

    def finish_writing(self) -> None:
        """Let the other end read an end after what was written."""

    def stop_reading(self) -> None:
        """Let the other end fail to write."""

    def close(self) -> None:
        """Close the descriptor; closing twice is fine."""
        raise NotImplementedError


class SocketEndpoint(Endpoint):
    """A connected unix stream socket; it is never made non-blocking, since others may have the same one."""

    def __init__(self, connected: _socket.socket) -> None:
        self._socket = connected

    def fileno(self) -> int:
        return self._socket.fileno()

    def read(self, limit: int) -> tuple[bytes, list[int]]:
        data, ancillary, _, _ = self._socket.recvmsg(limit, _ANCILLARY_BYTES, _RECEIVE_FLAGS)
        return data, _passed_fds(ancillary) if ancillary else []

    def write(self, data: memoryview, fds: Sequence[int] = ()) -> int:
        if not fds:
            return self._socket.send(data, _SEND_FLAGS)
        rights = b"".join(fd.to_bytes(4, sys.byteorder) for fd in fds)
        return self._socket.sendmsg([data], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)], _SEND_FLAGS)

    def finish_writing(self) -> None:
        self._shut_down(_socket.SHUT_WR)

    def stop_reading(self) -> None:
        self._shut_down(_socket.SHUT_RD)

    def close(self) -> None:
        self._socket.close()

    def _shut_down(self, how: int) -> None:
        try:
            self._socket.shutdown(how)
        except OSError:
            pass  # the other end has gone already


class FileEndpoint(Endpoint):
    """A pipe, a file or a terminal, in the directions it was opened for."""

    ordered = True

    def __init__(self, fd: int) -> None:
        self._write_limit = 1 << 30
        access = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE
        self.readable = access != os.O_WRONLY
        self.writable = access != os.O_RDONLY
        self._fd = fd
        if stat.S_ISFIFO(os.fstat(fd).st_mode) or os.isatty(fd):
            self._reopen(access)

    def _reopen(self, access: int) -> None:
        """Have a non-blocking descriptor of the same thing, which changes nothing for those who share the old one."""
        try:
            fd = os.open(f"/proc/self/fd/{self._fd}", access | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError:  # somebody else's pipe
            self._write_limit = _ATOMIC_BYTES
            return
        os.close(self._fd)
        self._fd = fd

    def fileno(self) -> int:
        return self._fd

    def read(self, limit: int) -> tuple[bytes, list[int]]:
        return os.read(self._fd, limit), []

    def write(self, data: memoryview, fds: Sequence[int] = ()) -> int:
        return os.write(self._fd, data[: self._write_limit])

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def endpoint_of(fd: int) -> Endpoint:
    """The endpoint of a descriptor that was passed; it owns the descriptor. Raises OSError, with the descriptor closed."""
    try:
        if stat.S_ISSOCK(os.fstat(fd).st_mode):
            return SocketEndpoint(_socket.socket(fileno=fd))
        return FileEndpoint(fd)
    except OSError:
        os.close(fd)
        raise


def _passed_fds(ancillary: list[tuple[int, int, bytes]]) -> list[int]:
    """The descriptors in what recvmsg(2) says beside the bytes."""
    fds: list[int] = []
    for level, kind, payload in ancillary:
        if level == _socket.SOL_SOCKET and kind == _socket.SCM_RIGHTS:
            fds += [
                int.from_bytes(payload[place : place + 4], sys.byteorder)
                for place in range(0, len(payload) - len(payload) % 4, 4)
            ]
    return fds
