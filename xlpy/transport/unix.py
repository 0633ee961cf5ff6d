"""A unix socket to an xlpyd on this machine; descriptors are passed along.

``_socket`` is what ``socket`` is made of; importing it alone saves several milliseconds of every command.
"""

from __future__ import annotations

import _socket
import os
import sys

from xlpy.errors import ConnectError, Interrupted, PermissionRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlpy.errors import XlError

RECEIVE_BYTES = 1 << 18
_LONGEST_ADDRESS = 107  # bytes in sockaddr_un.sun_path, without the closing NUL


class UnixChannel:
    """Two-way bytes, and descriptors that go with them, over a connected unix stream socket."""

    shared = False  # it is carried by a connection that was there before, and may turn out to be dead

    def __init__(self, connected: _socket.socket, label: str) -> None:
        self._socket = connected
        self.label = label

    def fileno(self) -> int:
        """The descriptor to poll."""
        return self._socket.fileno()

    def send(self, data: bytes, fds: Sequence[int] = ()) -> None:
        """Send all of it; ``fds`` arrive with its first byte. Raises Interrupted when nobody is there any more."""
        view = memoryview(data)
        try:
            if fds:
                rights = b"".join(fd.to_bytes(4, sys.byteorder) for fd in fds)
                sent = self._socket.sendmsg([view], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)])
                view = view[sent:]
            if view:
                self._socket.sendall(view)
        except OSError as error:
            raise _broken(self.label, error) from error

    def receive(self) -> bytes:
        """Some bytes, none at the end. Raises Interrupted when the connection breaks."""
        try:
            return self._socket.recv(RECEIVE_BYTES)
        except OSError as error:
            raise _broken(self.label, error) from error

    def call_off(self) -> None:
        """Say nothing more: whoever works for us there gives that up, and can still say how it ended."""
        try:
            self._socket.shutdown(_socket.SHUT_WR)
        except OSError:
            pass  # gone already

    def hang_up(self) -> None:
        """Make whoever waits on this connection see its end; ``close`` must still follow."""
        try:
            self._socket.shutdown(_socket.SHUT_RDWR)
        except OSError:
            pass  # gone already

    def why_ended(self) -> XlError | None:
        """Why the other side's end came, if somebody knows."""
        return None

    def close(self) -> None:
        """Close the socket; closing twice is fine."""
        self._socket.close()


def connect_unix(path: str) -> UnixChannel:
    """Connect to the xlpyd that listens at ``path``.

    Raises ConnectError (``reason`` in its detail: no socket, nobody listening) or PermissionRefused.
    """
    client = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC, 0)
    try:
        _connect(client, path)
        _check_peer(client, path)
    except BaseException:
        client.close()
        raise
    return UnixChannel(client, f"xlpyd at {path}")


class NobodyListens(ConnectError):
    """There is no xlpyd at that address: no socket, or one that its owner left behind."""


def _connect(client: _socket.socket, path: str) -> None:
    directory_fd = -1
    address = path
    try:
        if len(os.fsencode(path)) > _LONGEST_ADDRESS:
            directory_fd = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            address = f"/proc/self/fd/{directory_fd}/{os.path.basename(path)}"
        client.connect(address)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NobodyListens(f"no xlpyd at {path}: there is no socket") from error
    except ConnectionRefusedError as error:
        raise NobodyListens(f"no xlpyd at {path}: nobody listens on this socket") from error
    except PermissionError as error:
        raise PermissionRefused(
            f"{path}: permission denied",
            "this xlpyd belongs to somebody else; without -H you get your own",
        ) from error
    except OSError as error:
        raise ConnectError(f"cannot connect to xlpyd at {path}: {error.strerror}") from error
    finally:
        if directory_fd >= 0:
            os.close(directory_fd)


def _check_peer(client: _socket.socket, path: str) -> None:
    """Only an xlpyd of our own or of root's is told what to do, wherever its socket is."""
    credentials = client.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
    uid = int.from_bytes(credentials[4:8], sys.byteorder)
    own = os.getuid()
    if uid not in (0, own) and own != 0:
        raise PermissionRefused(
            f"whoever listens at {path} is not xlpyd of yours: it runs as uid {uid}",
            "remove the socket or choose another one",
        )


def _broken(label: str, error: OSError) -> Interrupted:
    return Interrupted(f"the connection to {label} broke", detail=error.strerror)
