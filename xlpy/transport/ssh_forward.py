"""A channel that sshd forwards to a unix socket on its side (direct-streamlocal@openssh.com), without a thread of its own.

paramiko knows this kind of channel not yet. What comes from the other side is told in the session's own thread, so who
listens must neither wait there nor raise.
"""

from __future__ import annotations

import threading

from xlpy.transport.ssh_library import paramiko

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from xlpy.transport.ssh_session import SshTransport

_KIND = "direct-streamlocal@openssh.com"
_CHANNEL_OPEN = b"\x5a"  # SSH_MSG_CHANNEL_OPEN
# So much may come in the whole life of a channel: nobody says when there is room for more.
WINDOW_BYTES = 0x7FFF_FFFF
_PACKET_BYTES = 1 << 15


class _Inbox:
    """What a channel puts into its buffer goes to ``on_data``; ``on_end`` is told once when nothing more will come."""

    def __init__(self, on_data: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
        self.feed = on_data
        self._on_end: Callable[[], None] | None = on_end

    def close(self) -> None:
        """It is over."""
        on_end, self._on_end = self._on_end, None
        if on_end is not None:
            on_end()


class _Opening(threading.Event):
    """What paramiko tells when the other side has decided about the channel, one way or the other."""

    def __init__(self, transport: SshTransport, channel: paramiko.Channel) -> None:
        super().__init__()
        self._transport = transport
        self._channel = channel

    def set(self) -> None:
        transport: Any = self._transport
        channel = self._channel
        if transport._channels.get(channel.get_id()) is not channel:
            transport.saved_exception = None  # it is not the session that failed
            channel.in_buffer.close()


def open_forwarded(
    session: SshTransport, path: str, on_data: Callable[[bytes], None], on_end: Callable[[], None]
) -> paramiko.Channel:
    """Ask for a channel to the socket at ``path`` there. Returns at once; the first that comes shows that it is open.

    ``on_data`` is told what comes, and ``on_end`` once when nothing more will, or when the other side refused.

    Raises paramiko.SSHException, EOFError, OSError when the session has ended.
    """
    transport: Any = session  # most of this is for paramiko's own use
    if not transport.is_active():
        raise paramiko.SSHException("the session has ended")
    message = paramiko.Message()
    message.add_byte(_CHANNEL_OPEN)
    message.add_string(_KIND)
    with transport.lock:
        number = transport._next_channel()
        message.add_int(number)
        message.add_int(WINDOW_BYTES)
        message.add_int(_PACKET_BYTES)
        message.add_string(path)
        message.add_string("")  # reserved
        message.add_int(0)
        channel: Any = paramiko.Channel(number)
        channel.in_buffer = _Inbox(on_data, on_end)
        transport._channels.put(number, channel)
        transport.channel_events[number] = _Opening(session, channel)
        transport.channels_seen[number] = True
        channel._set_transport(transport)
        channel._set_window(WINDOW_BYTES, _PACKET_BYTES)
    transport._send_user_message(message)
    opened: paramiko.Channel = channel
    return opened
