"""HostLine: the one connection to a host, from the first client that asks for it until it breaks."""

from __future__ import annotations

import logging
import threading
import time

from xlpy.errors import XlError, error_to_wire
from xlpy.protocol.messages import Failure, encode_message
from xlpy.transport.broker_message import LineStatus

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from xlpy.inventory.entry import HostEntry
    from xlpy.transport.near_relay import NearRelay
    from xlpy.transport.ssh import SshConnection
    from xlpy.transport.ssh_link import SshLink
    from xlpy.transport.ssh_session import Accept
    from xlpy.transport.ssh_settings import Client, SshSettings

log = logging.getLogger("xlpy.broker")

CONNECTING, CONNECTED, ENDED = "connecting", "connected", "ended"
_STACK_BYTES = 512 << 10


class HostLine:
    """Connects in a thread of its own; who asks meanwhile waits, and is told if it fails.

    ``on_end`` is called once, when it is over; ``error`` says why then.
    """

    def __init__(
        self,
        entry: HostEntry,
        settings: SshSettings,
        accept: Accept | None,
        on_end: Callable[[HostLine], None],
    ) -> None:
        self.entry = entry
        self.settings = settings
        self.state = CONNECTING
        self.since_s = time.time()
        self.error: XlError | None = None
        self._accept = accept
        self._on_end = on_end
        self._changing = threading.Lock()
        self._waiting: list[socket.socket] = []
        self._relay: NearRelay | None = None
        self._link: SshLink | None = None
        self._retired = False

    def start(self, client: Client) -> None:
        """Begin to connect, on behalf of this client."""
        threading.Thread(
            target=self._connect, args=(client,), name=f"to {self.entry.name}", daemon=True
        ).start()

    def attach(self, asker: socket.socket) -> bool:
        """Connect who asks with the host, now or as soon as that can be; False if the line has ended."""
        with self._changing:
            if not self.usable:
                return False
            if self._relay is None:
                self._waiting.append(asker)
                return True
            relay = self._relay
        try:
            relay.attach(asker.dup())
        except XlError:
            return False
        asker.close()
        return True

    @property
    def usable(self) -> bool:
        """Whether it takes clients."""
        return self.state != ENDED and not self._retired

    @property
    def clients(self) -> int:
        """How many are connected with the host, or wait for that."""
        relay = self._relay
        return len(self._waiting) + (relay.clients if relay is not None else 0)

    @property
    def reason(self) -> XlError | None:
        """Why it has ended or is just ending."""
        return self.error or (self._link.why_ended if self._link is not None else None)

    def status(self) -> LineStatus:
        """What is known of it."""
        link = self._link
        settings = self.settings
        address = f"{settings.user}@{settings.host}"
        return LineStatus(
            name=self.entry.name,
            address=address if settings.port == 22 else f"{address}:{settings.port}",
            state=self.state,
            since_s=self.since_s,
            clients=self.clients,
            sent_bytes=link.sent_bytes if link is not None else 0,
            received_bytes=link.received_bytes if link is not None else 0,
        )

    def retire(self) -> None:
        """Take no more clients; it ends with the last that it has (``close_if_idle``)."""
        self._retired = True

    def close_if_idle(self) -> bool:
        """Close it if it is retired and nobody uses it any more."""
        if self._retired and self.state == CONNECTED and not self.clients:
            self.close()
            return True
        return False

    def close(self) -> None:
        """Hang up."""
        with self._changing:
            self._retired = True
            relay = self._relay
        if relay is not None:
            relay.close()

    def _connect(self, client: Client) -> None:
        from xlpy.transport.near_relay import NearRelay
        from xlpy.transport.ssh import connect_settings

        connection: SshConnection | None = None
        try:
            connection = connect_settings(self.settings, client, self._accept)
            link = self._start_agent(connection)
            link.on_close = connection.close
            relay = NearRelay(link, self._relay_ended)
        except Exception as error:  # noqa: BLE001 -- the edge of a thread: those who wait have to hear of it
            if connection is not None:
                connection.close()
            self._failed(as_xl_error(error, self.entry.name))
            return
        with self._changing:
            self._link, self._relay = link, relay
            self.state, self.since_s = CONNECTED, time.time()
            waiting, self._waiting = self._waiting, []
        log.info("%s: connected", self.entry.name)
        relay.start()
        for asker in waiting:
            try:
                relay.attach(asker.dup())
            except XlError as error:
                refuse(asker, error)
            asker.close()

    def _start_agent(self, connection: SshConnection) -> SshLink:
        """Have the agent run there, ready to carry connections to xlpyd."""
        from xlpy.transport.boot_line import ANSWER_TIMEOUT_S, introduce, remote_command

        entry = self.entry
        link = connection.run(remote_command(entry.python, entry.sudo))
        introduce(
            link,
            socket=entry.socket,
            state_dir=entry.state_dir,
            python=entry.python,
            sudo=entry.sudo,
            timeout_s=entry.answer_timeout_s or ANSWER_TIMEOUT_S,
        )
        return link

    def _failed(self, error: XlError) -> None:
        with self._changing:
            self.state, self.error = ENDED, error
            waiting, self._waiting = self._waiting, []
        log.info("not connected: %s", error)
        self._on_end(self)
        for asker in waiting:
            refuse(asker, error)

    def _relay_ended(self) -> None:
        relay = self._relay
        with self._changing:
            self.state = ENDED
            self.error = relay.broken if relay is not None else None
        log.info("%s: ended: %s", self.entry.name, self.error)
        self._on_end(self)


def refuse(asker: socket.socket, error: XlError) -> None:
    """Say why there is no host to talk to, and hang up."""
    with asker:
        try:
            asker.sendall(encode_message(Failure(id=0, error=error_to_wire(error))))
        except OSError:
            pass  # nobody waits for it any more


def as_xl_error(error: Exception, name: str) -> XlError:
    """The error, or one that says that we are at fault."""
    if isinstance(error, XlError):
        return error
    log.error("%s: this is a bug in xlpy", name, exc_info=error)
    return XlError(
        f"{name}: connecting failed unexpectedly ({type(error).__name__}: {error})",
        "this is a bug in xlpy; the log beside the broker's socket has more",
    )


def small_stacks() -> None:
    """Threads of this process do with less memory: there are several for each host."""
    threading.stack_size(_STACK_BYTES)
