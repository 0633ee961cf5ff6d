"""Xenstore, spoken to directly: its wire protocol (xen/include/public/io/xs_wire.h) over xenstored's socket.

Where xenstored is a domain of its own there is no socket, and the kernel's /dev/xen/xenbus takes the same bytes.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from errno import EINVAL, ENOENT, errorcode

from xlpy.errors import ConnectError, EngineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_SOCKETS = ("/run/xenstored/socket", "/var/run/xenstored/socket")
_DEVICE = "/dev/xen/xenbus"
_HEADER = struct.Struct("=IIII")  # type, request, transaction, length

_DIRECTORY, _READ, _WATCH, _WRITE, _RM = 1, 2, 4, 11, 13
_WATCH_EVENT, _ERROR = 15, 16
_ERRNO_BY_NAME = {name: number for number, name in errorcode.items()}

RELEASED = "@releaseDomain"  # some domain has shut down or is gone


class Xenstore:
    """A connection; from any thread. Raises ConnectError when there is no xenstore."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._file = _connect()

    def fileno(self) -> int:
        """The descriptor of the connection, for one who waits for events."""
        return self._file

    def close(self) -> None:
        """Hang up."""
        os.close(self._file)

    def read(self, path: str) -> str | None:
        """The value of a node, None where there is none."""
        try:
            return self._ask(_READ, path.encode() + b"\0").decode("utf-8", "surrogateescape")
        except FileNotFoundError:
            return None

    def names(self, path: str) -> tuple[str, ...]:
        """The names of the nodes below this one; nothing where it isn't there."""
        try:
            answer = self._ask(_DIRECTORY, path.encode() + b"\0")
        except FileNotFoundError:
            return ()
        return tuple(name.decode() for name in answer.split(b"\0") if name)

    def write(self, path: str, value: str) -> None:
        """Set the value of a node, which is made if need be."""
        self._ask(_WRITE, path.encode() + b"\0" + value.encode("utf-8", "surrogateescape"))

    def remove(self, path: str) -> None:
        """Remove a node and what is below."""
        try:
            self._ask(_RM, path.encode() + b"\0")
        except FileNotFoundError:
            pass

    def read_all(self, path: str, names: Iterable[str]) -> dict[str, str]:
        """The values of those of these nodes below ``path`` that are there."""
        values = {name: self.read(f"{path}/{name}") for name in names}
        return {name: value for name, value in values.items() if value is not None}

    def watch(self, path: str) -> None:
        """Send an event at every change at or below this path, and one at once; ``next_event`` gives them."""
        self._ask(_WATCH, path.encode() + b"\0xlpy\0")

    def next_event(self) -> str:
        """The path of the next event of a watch. Raises ConnectError when the connection has ended.

        One who waits for events has a connection for that alone.
        """
        while True:
            kind, body = self._receive()
            if kind == _WATCH_EVENT:
                return body.split(b"\0")[0].decode()

    # -- inside

    def _ask(self, kind: int, body: bytes) -> bytes:
        with self._lock:
            _write_all(self._file, _HEADER.pack(kind, 0, 0, len(body)) + body)
            while True:
                answered, answer = self._receive()
                if answered == _ERROR:
                    raise _refusal(answer.rstrip(b"\0").decode(), body)
                if answered == kind:
                    return answer

    def _receive(self) -> tuple[int, bytes]:
        kind, _, _, length = _HEADER.unpack(self._read_exactly(_HEADER.size))
        return kind, self._read_exactly(length)

    def _read_exactly(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            try:
                piece = os.read(self._file, length - len(data))
            except OSError as error:
                raise ConnectError(f"xenstore cannot be read: {error.strerror}") from error
            if not piece:
                raise ConnectError("xenstored has hung up", "does it run? a host needs a reboot without it")
            data += piece
        return data


def _refusal(name: str, body: bytes) -> Exception:
    """What xenstored's error of this name stands for: FileNotFoundError, or EngineError."""
    path = body.split(b"\0")[0].decode("utf-8", "replace")
    number = _ERRNO_BY_NAME.get(name, EINVAL)
    if number == ENOENT:
        return FileNotFoundError(path)
    return EngineError(f"xenstore refuses {path}: {os.strerror(number)}")


def _connect() -> int:
    for path in _SOCKETS:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as candidate:
            try:
                candidate.connect(path)
            except OSError:
                continue
            return candidate.detach()
    try:
        return os.open(_DEVICE, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise ConnectError(
            f"there is no xenstore: {_SOCKETS[0]} and {_DEVICE} do not answer ({error.strerror})",
            "does xenstored run? start Xen's services: systemctl start xenstored xenconsoled",
        ) from error


def _write_all(file: int, data: bytes) -> None:
    while data:
        try:
            data = data[os.write(file, data) :]
        except OSError as error:
            raise ConnectError(f"xenstore cannot be written to: {error.strerror}") from error
