"""The first step to a host: a connected socket to its sshd, straight or through the user's ProxyCommand."""

from __future__ import annotations

import os
import socket
import subprocess
import time

from xlpy.transport.ssh_failures import not_connected, not_resolved, proxy_failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing_extensions import Buffer as ReadableBuffer

    from xlpy.transport.ssh_settings import SshSettings

_FAMILIES = {"any": socket.AF_UNSPEC, "inet": socket.AF_INET, "inet6": socket.AF_INET6}
_SAID_BYTES = 4096


class TcpSocket(socket.socket):
    """A socket that remembers what paramiko forgets: how the other side began, and with what error the connection broke."""

    greeting = b""
    failure: OSError | None = None

    def send(self, data: ReadableBuffer, flags: int = 0) -> int:
        try:
            return super().send(data, flags)
        except OSError as error:
            self._note(error)
            raise

    def recv(self, size: int, flags: int = 0) -> bytes:
        try:
            data = super().recv(size, flags)
        except OSError as error:
            self._note(error)
            raise
        if not self.greeting:
            self.greeting = data
        return data

    def _note(self, error: OSError) -> None:
        """Keep the first error; without a number it is only the time limit that was set here."""
        if self.failure is None and error.errno is not None:
            self.failure = error


class Route:
    """A connected stream socket, and what has to end with it."""

    def __init__(self, connected: socket.socket, proxy: subprocess.Popen[bytes] | None = None) -> None:
        self.socket = connected
        self._proxy = proxy

    def failure(self, settings: SshSettings) -> Exception | None:
        """What the ProxyCommand has to say about the connection's end, if it is to blame."""
        if self._proxy is None:
            return None
        try:
            status = self._proxy.wait(1)
        except subprocess.TimeoutExpired:
            return None
        assert self._proxy.stderr is not None
        os.set_blocking(self._proxy.stderr.fileno(), False)  # children of its own may hold the other end
        said = (self._proxy.stderr.read(_SAID_BYTES) or b"").decode("utf-8", "replace")
        return proxy_failed(settings, said, status)

    def hang_up(self) -> None:
        """Break the connection; whoever reads from the socket sees its end."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the other side was faster

    def close(self) -> None:
        """Break the connection and let everything go."""
        self.hang_up()
        self.socket.close()
        if self._proxy is not None:
            self._proxy.kill()
            self._proxy.wait()
            assert self._proxy.stderr is not None
            self._proxy.stderr.close()


def open_route(settings: SshSettings) -> Route:
    """Connect as the settings say, but not over other hosts. Raises ConnectError."""
    if settings.proxy_command is not None:
        return _start_proxy(settings)
    return Route(_connect_tcp(settings))


def _connect_tcp(settings: SshSettings) -> socket.socket:
    """A TCP connection to the first address that takes one; they share the time there is."""
    family = _FAMILIES.get(settings.address_family, socket.AF_UNSPEC)
    try:
        addresses = socket.getaddrinfo(settings.host, settings.port, family, socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise not_resolved(settings, error) from error
    except UnicodeError as error:
        raise not_resolved(settings, socket.gaierror(socket.EAI_NONAME, str(error))) from error
    deadline = time.monotonic() + settings.connect_timeout_s
    failure: OSError = TimeoutError()
    for number, (kind, _, protocol, _, address) in enumerate(addresses):
        share = (deadline - time.monotonic()) / (len(addresses) - number)
        connected = TcpSocket(kind, socket.SOCK_STREAM, protocol)
        try:
            if settings.bind_address is not None:
                connected.bind((settings.bind_address, 0))
            connected.settimeout(max(share, 0.01))
            connected.connect(address)
        except OSError as error:
            connected.close()
            failure = error
        else:
            _tune(connected, settings)
            return connected
    raise not_connected(settings, failure) from failure


def _tune(connected: socket.socket, settings: SshSettings) -> None:
    """Small messages go at once; a peer that is gone is noticed although nobody says anything (tcp(7))."""
    interval = settings.alive_interval_s
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, interval)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, interval)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, settings.alive_count)
    limit_ms = interval * settings.alive_count * 1000
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, limit_ms)


def _start_proxy(settings: SshSettings) -> Route:
    """The user's ProxyCommand, with one end of a socket pair as its standard input and output (ssh_config(5))."""
    assert settings.proxy_command is not None
    ours, theirs = socket.socketpair()
    with theirs:
        proxy = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {settings.proxy_command}"],
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    return Route(ours, proxy)
