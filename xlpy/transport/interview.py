"""Questions to the xlpyd of a host over channels that its sshd forwards to it: no agent runs there for them.

Only for what changes nothing and passes no descriptor. A question that can't be asked in this way, or whose answer
doesn't come, is given back: it can be asked in the usual way then.
"""

from __future__ import annotations

import threading

from xlpy.errors import ProtocolError
from xlpy.protocol.messages import LINE_LIMIT_BYTES, PROTOCOL_VERSION, decode_line
from xlpy.transport.ssh_forward import WINDOW_BYTES, open_forwarded
from xlpy.transport.ssh_library import paramiko

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xlpy.transport.inquiry import Question
    from xlpy.transport.ssh_session import SshTransport

_AT_ONCE = 4
_HELLO = "hello"


class Interviews:
    """All questions to one host over one session. ``is_quiet`` says that nothing big is under way on it.

    ``on_refused`` is called when sshd doesn't forward to this socket.
    """

    def __init__(
        self,
        transport: SshTransport,
        path: str,
        is_quiet: Callable[[], bool],
        on_refused: Callable[[], None],
    ) -> None:
        self.path = path
        self._transport = transport
        self._is_quiet = is_quiet
        self._on_refused = on_refused
        self._changing = threading.Lock()
        self._all: set[_Interview] = set()
        self._idle: list[_Interview] = []

    @property
    def busy(self) -> int:
        """How many questions wait for their answers."""
        return len(self._all) - len(self._idle)

    def ask(self, question: Question) -> None:
        """Ask it, without waiting for anything."""
        with self._changing:
            interview = self._idle.pop() if self._idle else None
            if interview is None and len(self._all) < _AT_ONCE:
                interview = _Interview(self)
                self._all.add(interview)
        if interview is None:
            question.answer(None)
            return
        interview.question = question
        self.send(interview.go_on)

    def send(self, work: Callable[[], None]) -> None:
        """Do ``work``, which sends something: at once if it needn't wait, else in a thread of its own."""
        if self._is_quiet() and self._transport.clear_to_send.is_set():
            work()
        else:
            threading.Thread(target=work, daemon=True).start()

    def open(self, interview: _Interview) -> paramiko.Channel:
        """A channel to xlpyd, which isn't open yet."""
        return open_forwarded(self._transport, self.path, interview.on_data, interview.on_end)

    def say(self, channel: paramiko.Channel, line: bytes) -> None:
        """Send all of it. Raises OSError, EOFError, SSHException."""
        channel.sendall(line)
        self._transport.said_bytes += len(line)

    def heard(self, count: int) -> None:
        """So much has come."""
        self._transport.heard_bytes += count

    def rest(self, interview: _Interview) -> bool:
        """Keep it for the next question; False if there is one already."""
        with self._changing:
            if interview not in self._all or self._idle:
                return False
            self._idle.append(interview)
            return True

    def remove(self, interview: _Interview, was_greeted: bool) -> None:
        """Have it no longer: it is over."""
        with self._changing:
            self._all.discard(interview)
            if interview in self._idle:
                self._idle.remove(interview)
        if not was_greeted and self._transport.is_active():
            self._on_refused()


class _Interview:
    """One conversation with xlpyd."""

    def __init__(self, whole: Interviews) -> None:
        self.question: Question | None = None
        self._whole = whole
        self._channel: paramiko.Channel | None = None
        self._greeted = False
        self._asked = False
        self._over = False
        self._received = bytearray()
        self._window_bytes = WINDOW_BYTES

    def go_on(self) -> None:
        """Say what is to be said next: open the channel, ask the question, or hang up."""
        try:
            if self._channel is None:
                self._channel = self._whole.open(self)
            elif self.question is None:
                self._channel.close()
            elif self._greeted and not self._asked:
                self._asked = True
                self._whole.say(self._channel, self.question.line)
        except (paramiko.SSHException, EOFError, OSError):
            self.on_end()
        if self._over:  # it may have come to an end in between
            self._answer(None)

    def on_data(self, data: bytes) -> None:
        """In the session's thread: a piece of what xlpyd says."""
        self._whole.heard(len(data))
        self._received += data
        self._window_bytes -= len(data)
        if b"\n" not in data:
            if len(self._received) > LINE_LIMIT_BYTES:
                self._give_up()
            return
        line, _, rest = self._received.partition(b"\n")
        self._received = rest
        if self._greeted:
            self._heard(bytes(line))
        elif _is_greeting(bytes(line)):
            self._greeted = True
            self._whole.send(self.go_on)
        else:
            self._give_up()

    def on_end(self) -> None:
        """In the session's thread: nothing more comes."""
        self._over = True
        self._whole.remove(self, self._greeted)
        self._answer(None)

    def _heard(self, line: bytes) -> None:
        self._asked = False
        question, self.question = self.question, None
        if self._received or self._window_bytes <= LINE_LIMIT_BYTES or not self._whole.rest(self):
            self._give_up()
        if question is not None:
            question.answer(line)

    def _give_up(self) -> None:
        """Hang up, and let the question be asked otherwise."""
        self._whole.remove(self, was_greeted=True)
        self._answer(None)
        self._whole.send(self.go_on)

    def _answer(self, line: bytes | None) -> None:
        question, self.question = self.question, None
        if question is not None:
            question.answer(line)


def _is_greeting(line: bytes) -> bool:
    """Whether this is the Hello of an xlpyd that we understand."""
    try:
        kind, fields = decode_line(line)
    except ProtocolError:
        return False
    return kind == _HELLO and fields.get("protocol") == PROTOCOL_VERSION
