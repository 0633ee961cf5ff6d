"""SSH connections to hosts, and commands that run over them.

    settings (inventory entry, ~/.ssh/config) → route (TCP, ProxyCommand, over other hosts) → session → commands

This module is the door to all that; nothing else need be imported.
"""

from __future__ import annotations

from xlpy.errors import ConfigError, ConnectError
from xlpy.transport import ssh_failures as failures
from xlpy.transport.ssh_library import paramiko
from xlpy.transport.ssh_link import SshLink
from xlpy.transport.ssh_route import open_route
from xlpy.transport.ssh_session import SetUp
from xlpy.transport.ssh_settings import Client

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from xlpy.inventory.entry import HostEntry
    from xlpy.transport.interview import Interviews
    from xlpy.transport.ssh_route import Route
    from xlpy.transport.ssh_session import Accept, SshTransport
    from xlpy.transport.ssh_settings import SshSettings

_THREAD_TIMEOUT_S = 2


class SshConnection:
    """A session on a host. ``run`` starts commands there, several at once if need be."""

    def __init__(
        self, settings: SshSettings, transport: SshTransport, beneath: Route | SshConnection
    ) -> None:
        self.label = settings.label
        self.settings = settings
        self._transport = transport
        self._beneath = beneath  # what carries it

    @property
    def alive(self) -> bool:
        """Whether it still stands, as far as anybody knows."""
        return self._transport.is_active()

    @property
    def ending(self) -> str:
        """Why it has ended, if that is known."""
        return self._transport.ending

    def run(self, command: str) -> SshLink:
        """Start a command in the login shell there. Raises ConnectError."""
        settings = self.settings
        try:
            channel = self._transport.open_session(timeout=settings.connect_timeout_s)
            channel.exec_command(command)
        except paramiko.ChannelException as error:
            raise ConnectError(
                f"{self.label}: sshd on {settings.where} starts no command: {error.text}",
                "does it allow more sessions (MaxSessions)?",
            ) from error
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise failures.lost_in_setup(settings, self._transport.ending or str(error)) from error
        return SshLink(channel, self.label, self._transport)

    def interviews(
        self, path: str, is_quiet: Callable[[], bool], on_refused: Callable[[], None]
    ) -> Interviews:
        """Questions to the xlpyd that listens at ``path`` there (``transport.interview``)."""
        from xlpy.transport.interview import Interviews

        return Interviews(self._transport, path, is_quiet, on_refused)

    def on_end(self, work: Callable[[], None]) -> None:
        """Call ``work`` in the session's thread when it ends; at once if it has."""
        self._transport.on_over = work
        if not self._transport.is_alive():
            work()

    @property
    def sent_bytes(self) -> int:
        """How many bytes were said to what runs there."""
        return self._transport.said_bytes

    @property
    def received_bytes(self) -> int:
        """How many bytes it has answered."""
        return self._transport.heard_bytes

    def close(self) -> None:
        """End the session and all that runs over it, also on the hosts on the way."""
        self.hang_up()
        # the session's thread has seen the end now; a socket that is closed under its reader leaves that waiting
        self._transport.join(_THREAD_TIMEOUT_S)
        self._transport.stop()
        self._beneath.close()

    def hang_up(self) -> None:
        """Break it; whoever reads from it sees the end."""
        self._beneath.hang_up()


def connect(entry: HostEntry, client: Client | None = None, accept: Accept | None = None) -> SshConnection:
    """A connection to this host, on behalf of ``client`` (the calling user).

    An unknown host key is an error, unless ``accept`` says yes to it; then it is written to known_hosts.
    Raises ConnectError, UnknownHostKey, HostKeyRefused, PermissionRefused, ConfigError.
    """
    client = client or Client.calling()
    return connect_settings(client.settings(entry), client, accept)


def connect_settings(settings: SshSettings, client: Client, accept: Accept | None = None) -> SshConnection:
    """As ``connect``, where it has been decided already how the host is reached."""
    return _connect(settings, client, accept, ())


def open_link(
    entry: HostEntry, command: str, client: Client | None = None, accept: Accept | None = None
) -> SshLink:
    """Run one command on a host; closing the link ends the connection, too. Raises as ``connect``."""
    connection = connect(entry, client, accept)
    try:
        link = connection.run(command)
    except BaseException:
        connection.close()
        raise
    link.on_close = connection.close
    return link


def _connect(
    settings: SshSettings, client: Client, accept: Accept | None, passed: tuple[str, ...]
) -> SshConnection:
    if settings.jumps:
        return _connect_over(settings, client, accept, passed)
    route = open_route(settings)
    try:
        transport = _set_up(settings, route.socket, route.hang_up, accept)
    except ConnectError as error:
        blamed = None if isinstance(error, failures.HostKeyQuestion) else route.failure(settings)
        route.close()
        if blamed is not None:
            raise blamed from error
        raise
    except BaseException:
        route.close()
        raise
    return SshConnection(settings, transport, route)


def _connect_over(
    settings: SshSettings, client: Client, accept: Accept | None, passed: tuple[str, ...]
) -> SshConnection:
    """Connect to the last of the hosts on the way, and from there to the one that is meant."""
    *before, last = settings.jumps
    label = settings.label.split(" ")[0]
    if last in passed:
        raise ConfigError(
            f"{label}: ProxyJump leads in circles: {', '.join((*passed, last))}", "see ~/.ssh/config"
        )
    jump = client.jump_settings(last, label, settings.via)
    if before:
        jump = jump.replace(jumps=tuple(before), via=settings.via, proxy_command=None)
    jump = jump.replace(connect_timeout_s=settings.connect_timeout_s)
    beneath = _connect(jump, client, accept, (*passed, last))
    try:
        channel = _open_onward(beneath, settings)
        transport = _set_up(settings, channel, beneath.hang_up, accept)
    except BaseException:
        beneath.close()
        raise
    return SshConnection(settings, transport, beneath)


def _open_onward(beneath: SshConnection, settings: SshSettings) -> socket.socket:
    """A TCP connection from the host on the way to the next one."""
    try:
        channel = beneath._transport.open_channel(
            "direct-tcpip",
            (settings.host, settings.port),
            ("127.0.0.1", 0),
            timeout=settings.connect_timeout_s,
        )
    except paramiko.ChannelException as error:
        raise failures.jump_refused(settings, beneath.settings.where, error.text) from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        if "Timeout" in str(error):
            raise failures.no_answer(settings, f"to a connection over {beneath.settings.where}") from error
        raise failures.lost_in_setup(settings, beneath.ending or str(error)) from error
    return channel  # type: ignore[return-value]  # it has what a socket has, as far as a session needs it


def _set_up(
    settings: SshSettings, connected: socket.socket, hang_up: Callable[[], None], accept: Accept | None
) -> SshTransport:
    return SetUp(settings, connected, hang_up).run(accept)
