"""A command on a host: its standard input and output as one stream of bytes both ways."""

from __future__ import annotations

import os

from xlpy.errors import Interrupted
from xlpy.transport.ssh_library import paramiko

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xlpy.transport.ssh_session import SshTransport

READ_BYTES = 1 << 18
_SAID_BYTES = 4096
_STATUS_TIMEOUT_S = 2


class SshLink:
    """The Link of ``transport.link`` over an SSH channel. One thread reads, another one may write."""

    def __init__(self, channel: paramiko.Channel, label: str, transport: SshTransport) -> None:
        self.label = label
        self.on_close: Callable[[], None] | None = None
        self.why_ended: Interrupted | None = None  # known before anybody is told of the end
        self._channel = channel
        self._transport = transport
        self._said = b""
        self._closing = False
        # paramiko closes its own descriptor with the channel; this one means the same until the object is gone
        self._fd = os.dup(channel.fileno())

    def __del__(self) -> None:
        os.close(self._fd)

    def fileno(self) -> int:
        """Readable when ``read`` has something, or the end has come."""
        return self._fd

    def read(self) -> bytes:
        """What has arrived; nothing at the end. Raises BlockingIOError when there is nothing yet, Interrupted when the
        connection broke.
        """
        channel = self._channel
        self._take_said()
        if not (channel.recv_ready() or channel.eof_received or channel.closed):
            raise BlockingIOError
        data = channel.recv(READ_BYTES)
        self._transport.heard_bytes += len(data)
        if not data and not self._closing:
            broken = self._broken()
            if not channel.eof_received:
                raise broken
        return data

    def write(self, data: bytes) -> None:
        """Send all of it, waiting for room. Raises OSError when the command has ended, Interrupted when the connection
        broke.
        """
        try:
            self._channel.sendall(data)
        except (OSError, EOFError) as error:
            if self.lost is None or self._closing:
                raise BrokenPipeError(str(error) or "the command has ended") from error
            raise self._broken() from error
        self._transport.said_bytes += len(data)

    def close(self) -> None:
        """End both directions; a waiting reader sees the end, a waiting writer OSError."""
        self._closing = True
        try:
            self._channel.close()
        except (EOFError, OSError):
            pass  # the session has just ended; that is an end, too
        if self.on_close is not None:
            self.on_close()

    def said(self) -> str:
        """What the command said on stderr so far, the last of it."""
        self._take_said()
        return self._said.decode("utf-8", "replace")

    def exit_status(self) -> int | None:
        """With what the command has ended; None while it runs, or when the connection broke before it was told.

        After the end of its output that news may still be on its way: it is waited for, but not for long.
        """
        if self._channel.eof_received:
            self._channel.status_event.wait(_STATUS_TIMEOUT_S)
        if not self._channel.exit_status_ready():
            return None
        status = self._channel.recv_exit_status()
        return status if status >= 0 else None

    @property
    def lost(self) -> str | None:
        """Why the connection broke; None if it didn't."""
        if self._transport.is_active():
            return None
        return self._transport.ending or "the other side hung up"

    def _broken(self) -> Interrupted:
        self.why_ended = Interrupted(
            f"the connection to {self.label} was lost",
            "is the host up, and its network?",
            detail=self.lost or self.said().strip() or None,
        )
        return self.why_ended

    def _take_said(self) -> None:
        while self._channel.recv_stderr_ready():
            self._said = (self._said + self._channel.recv_stderr(READ_BYTES))[-_SAID_BYTES:]
