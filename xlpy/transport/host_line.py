"""HostLine: the one connection to a host, from the first client that asks for it until it breaks."""

from __future__ import annotations

import logging
import threading
import time

from xlpy.errors import Interrupted, UnknownHostKey, XlError, error_to_wire, lacking_package
from xlpy.protocol.messages import Failure, encode_message
from xlpy.transport.broker_message import LineStatus
from xlpy.transport.remembered import SOCKETS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from xlpy.inventory.entry import HostEntry
    from xlpy.protocol.introduction import Introduction
    from xlpy.transport.inquiry import Question
    from xlpy.transport.interview import Interviews
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

    Two things go over the one session: the agent's channel, which carries the connections of clients and is opened for
    the first of them, and questions that sshd passes to xlpyd itself, where its socket is known.
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
        self._questions: list[Question] = []
        self._connection: SshConnection | None = None
        self._interviews: Interviews | None = None
        self._starting_agent = False
        self._relay: NearRelay | None = None
        self._link: SshLink | None = None
        self._retired = False

    def start(self, client: Client) -> None:
        """Begin to connect, on behalf of this client."""
        self._in_a_thread(self._connect, client)

    def attach(self, asker: socket.socket) -> bool:
        """Connect who asks with the host, now or as soon as that can be; False if the line has ended."""
        with self._changing:
            if not self.usable:
                return False
            if self._relay is None:
                self._waiting.append(asker)
                if self.state == CONNECTED and not self._starting_agent:
                    self._starting_agent = True
                    self._in_a_thread(self._open_relay)
                return True
            relay = self._relay
        try:
            relay.attach(asker.dup())
        except XlError:
            return False
        asker.close()
        return True

    def ask(self, question: Question) -> bool:
        """Ask xlpyd there; given back at once where its socket isn't known. False if the line has ended."""
        with self._changing:
            if not self.usable:
                return False
            path = self._socket_path()
            if path is not None and self.state == CONNECTING:
                self._questions.append(question)
                return True
        self._ask(question, path)
        return True

    @property
    def usable(self) -> bool:
        """Whether it takes clients."""
        return self.state != ENDED and not self._retired

    @property
    def clients(self) -> int:
        """How many are connected with the host, or wait for that or for an answer."""
        relay, interviews = self._relay, self._interviews
        count = len(self._waiting) + len(self._questions)
        count += relay.clients if relay is not None else 0
        return count + (interviews.busy if interviews is not None else 0)

    @property
    def reason(self) -> XlError | None:
        """Why it has ended or is just ending."""
        return self.error or (self._link.why_ended if self._link is not None else None)

    def status(self) -> LineStatus:
        """What is known of it."""
        connection = self._connection
        settings = self.settings
        address = f"{settings.user}@{settings.host}"
        return LineStatus(
            name=self.entry.name,
            address=address if settings.port == 22 else f"{address}:{settings.port}",
            state=self.state,
            since_s=self.since_s,
            clients=self.clients,
            sent_bytes=connection.sent_bytes if connection is not None else 0,
            received_bytes=connection.received_bytes if connection is not None else 0,
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
            relay, connection = self._relay, self._connection
        if relay is not None:
            relay.close()
        elif connection is not None:
            connection.close()

    def _in_a_thread(self, work: Callable[..., None], *arguments: object) -> None:
        threading.Thread(target=work, args=arguments, name=f"to {self.entry.name}", daemon=True).start()

    # -- connecting

    def _connect(self, client: Client) -> None:
        from xlpy.transport.ssh import connect_settings

        try:
            connection = connect_settings(self.settings, client, self._accept)
        except Exception as error:  # noqa: BLE001 -- the edge of a thread: those who wait have to hear of it
            self._failed(as_xl_error(error, self.entry.name))
            return
        with self._changing:
            self._connection = connection
            self.state, self.since_s = CONNECTED, time.time()
            questions, self._questions = self._questions, []
            self._starting_agent = bool(self._waiting)
        connection.on_end(self._session_ended)
        log.info("%s: connected", self.entry.name)
        for question in questions:
            self._ask(question, self._socket_path())
        if self._starting_agent:
            self._open_relay()

    def _open_relay(self) -> None:
        """Have an agent there carry the connections of those who wait, and of all to come."""
        from xlpy.transport.near_relay import NearRelay

        connection = self._connection
        assert connection is not None
        try:
            link, introduction = self._start_agent(connection)
            link.on_close = connection.close
            relay = NearRelay(link, self._relay_ended)
        except Exception as error:  # noqa: BLE001 -- as above
            self._failed(as_xl_error(error, self.entry.name))
            connection.close()
            return
        with self._changing:
            self._link, self._relay = link, relay
            waiting, self._waiting = self._waiting, []
        relay.start()
        for asker in waiting:
            try:
                relay.attach(asker.dup())
            except XlError as error:
                refuse(asker, error)
            asker.close()
        can_be_asked = introduction.guarded and not self.entry.sudo
        SOCKETS.keep(self._place, introduction.socket if can_be_asked else "")

    def _start_agent(self, connection: SshConnection) -> tuple[SshLink, Introduction]:
        """Have the agent run there, ready to carry connections to xlpyd."""
        from xlpy.transport.boot_line import ANSWER_TIMEOUT_S, introduce, remote_command

        entry = self.entry
        link = connection.run(remote_command(entry.python, entry.sudo))
        introduction = introduce(
            link,
            socket=entry.socket,
            state_dir=entry.state_dir,
            python=entry.python,
            sudo=entry.sudo,
            timeout_s=entry.answer_timeout_s or ANSWER_TIMEOUT_S,
        )
        return link, introduction

    # -- questions

    @property
    def _place(self) -> str:
        """What is to be remembered holds for this host, reached like this."""
        settings = self.settings
        return f"{self.entry.name} {settings.user}@{settings.host}:{settings.port}"

    def _socket_path(self) -> str | None:
        """Where sshd can pass questions to; None where only the agent finds xlpyd, or may talk to it."""
        path = None if self.entry.sudo else SOCKETS.get(self._place)
        return path if self.entry.socket in (None, path) else None

    def _ask(self, question: Question, path: str | None) -> None:
        connection = self._connection
        if path is None or connection is None:
            question.answer(None)
            return
        interviews = self._interviews
        if interviews is None or interviews.path != path:
            interviews = self._interviews = connection.interviews(path, self._is_quiet, self._not_forwarded)
        interviews.ask(question)

    def _is_quiet(self) -> bool:
        relay = self._relay
        return relay is None or not relay.clients

    def _not_forwarded(self) -> None:
        SOCKETS.keep(self._place, "")

    # -- the end

    def _failed(self, error: XlError) -> None:
        with self._changing:
            self.state, self.error = ENDED, error
            waiting, self._waiting = self._waiting, []
            questions, self._questions = self._questions, []
        log.info("not connected: %s", error)
        self._on_end(self)
        for asker in waiting:
            refuse(asker, error)
        said = (
            None if isinstance(error, UnknownHostKey) else failure_line(error)
        )  # the user may be asked about it
        for question in questions:
            question.answer(said)

    def _relay_ended(self) -> None:
        relay = self._relay
        with self._changing:
            self.state = ENDED
            self.error = relay.broken if relay is not None else None
        log.info("%s: ended: %s", self.entry.name, self.error)
        self._on_end(self)

    def _session_ended(self) -> None:
        """In the session's thread: where an agent runs, or is being started, its end comes by itself."""
        with self._changing:
            connection = self._connection
            if self.state == ENDED or self._starting_agent or connection is None:
                return
            self.state = ENDED
            self.error = Interrupted(
                f"the connection to {self.entry.name} was lost",
                "is the host up, and its network?",
                detail=connection.ending or None,
            )
        log.info("%s: ended: %s", self.entry.name, self.error)
        self._on_end(self)
        self._in_a_thread(connection.close)


def refuse(asker: socket.socket, error: XlError) -> None:
    """Say why there is no host to talk to, and hang up."""
    with asker:
        try:
            asker.sendall(failure_line(error) + b"\n")
        except OSError:
            pass  # nobody waits for it any more


def failure_line(error: XlError) -> bytes:
    """What a host's agent would say of it, without the line feed."""
    return encode_message(Failure(id=0, error=error_to_wire(error)))[:-1]


def as_xl_error(error: Exception, name: str) -> XlError:
    """The error, or one that says that we are at fault."""
    if isinstance(error, XlError):
        return error
    lacking = lacking_package(error)
    if lacking is not None:
        return lacking
    log.error("%s: this is a bug in xlpy", name, exc_info=error)
    return XlError(
        f"{name}: connecting failed unexpectedly ({type(error).__name__}: {error})",
        "this is a bug in xlpy; the log beside the broker's socket has more",
    )


def small_stacks() -> None:
    """Threads of this process do with less memory: there are several for each host."""
    threading.stack_size(_STACK_BYTES)
