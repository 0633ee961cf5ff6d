"""ConsoleView: a domain's console seen from afar, nothing twice and nothing left out over as many connections as it takes."""

from __future__ import annotations

import os
import socket

from xlpy.errors import ConnectError, DomainNotFound, Interrupted, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from xlpy.client.host import Host

_PIECE_BYTES = 65536


class ConsoleView:
    """A console, connected. Poll ``fileno()``; when ``read()`` says that the stream has ended, ``take_up()`` finds out why.

    What the console has said so far comes first; without ``follow`` that is all that comes. Raises what
    ``Engine.open_console`` raises. To be closed (``with``).
    """

    def __init__(
        self, host: Host, domid: int, kind: str | None = None, number: int = 0, *, follow: bool = True
    ) -> None:
        self._host = host
        self._domid = domid
        self._kind = kind
        self._number = number
        self._follow = follow
        self._stream = -1
        self._position = 0
        self._read_since = 0  # how much came since the stream was opened
        self.is_lost = False  # whether the host can't be reached, known after ``take_up``
        self.lost_bytes: int | None = 0  # said and not to be had any more; None where the host doesn't count
        # a dump wants what there is, without a break; who follows wants to know where it is
        self._open(0 if follow else None)
        self._uuid = host.domain_info(domid).uuid

    @property
    def host_name(self) -> str:
        """How the user calls what we are connected to."""
        return "xlpyd" if self._host.address in ("", "local") else self._host.address

    def fileno(self) -> int:
        """The descriptor to poll."""
        return self._stream

    def read(self) -> bytes | None:
        """Some of what the console says; None when nothing has come yet, empty at the end of the stream."""
        try:
            piece = os.read(self._stream, _PIECE_BYTES)
        except BlockingIOError:
            return None
        except ConnectionResetError:
            return b""
        self._position += len(piece)
        self._read_since += len(piece)
        return piece

    def write(self, data: bytes) -> int:
        """Type as much as the console takes now, and return how much that was. Raises BrokenPipeError."""
        try:
            return os.write(self._stream, data)
        except BlockingIOError:
            return 0
        except ConnectionResetError as error:
            raise BrokenPipeError from error

    def take_up(self) -> bool:
        """After the end of the stream: go on where it broke off. False when the console itself has ended.

        Raises ConnectError or Interrupted when the host can't be reached; it may be called again then.
        """
        try:
            if self._host.domain_info(self._domid).uuid != self._uuid:
                return False
            if self.is_lost:
                self._open(self._position)
                return True
            return not self._is_complete() and self._open_again()
        except DomainNotFound:
            return False
        except (ConnectError, Interrupted):
            self.is_lost = True
            raise

    def _is_complete(self) -> bool:
        """The host is still there and yet the stream has ended. Is that the end, or did we read too slowly for it?"""
        return not self._follow or self._read_since == 0

    def _open_again(self) -> bool:
        try:
            self._open(self._position)
        except (ConnectError, Interrupted):
            raise
        except XlError:
            return False  # there is no such console any more
        return True

    def _open(self, position: int | None) -> None:
        near, far = socket.socketpair()
        stream = near.detach()
        try:
            begins = self._host.open_console(
                self._domid, far.detach(), self._kind, self._number, True, self._follow, position
            )
        except BaseException:
            os.close(stream)
            raise
        os.set_blocking(stream, False)
        self.close()
        self._stream = stream
        self._read_since = 0
        self.lost_bytes = None if begins < self._position and self.is_lost else begins - self._position
        self.is_lost = False
        self._position = begins

    def close(self) -> None:
        """Leave the console."""
        if self._stream >= 0:
            os.close(self._stream)
            self._stream = -1

    def __enter__(self) -> ConsoleView:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
