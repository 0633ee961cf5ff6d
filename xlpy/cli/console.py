"""``xl console``: between the user's terminal, or a pipe, and a domain's console (xenconsole)."""

from __future__ import annotations

import os
import select
import sys

from xlpy.errors import UsageError, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session

STDIN = 0
STDOUT = 1
CTRL_CLOSING_BRACKET = b"\x1d"
_PIECE = 65536
_MOST_UNSENT = (
    65536  # what is typed ahead of a guest that doesn't read is not taken from the user beyond this
)


def console(session: Session, args: Arguments) -> None:
    """``xl console``; without ``-t`` it's the primary console, and xl takes no notice of ``-n`` then."""
    kind = args.value("type")
    if kind not in (None, "pv", "serial", "vuart"):
        raise XlError("console type supported are: pv, serial, vuart")
    number = _number(args.value("num")) if kind or not session.xl else 0
    escape = escape_character(args.value("escape"))
    dumping = args.flag("dump")
    stream = open_console(session, session.domid(args.rest[0]), kind, number, follow=not dumping)
    try:
        relay(session, stream, escape, listen=not (dumping or args.flag("no-input")))
    finally:
        os.close(stream)


def escape_character(text: str | None) -> bytes:
    """The byte that leaves the console: ``^X`` is a Ctrl key, another text its first character (xenconsole)."""
    if text is None:
        return CTRL_CLOSING_BRACKET
    if len(text) > 1 and text[0] == "^":
        return bytes([ord(text[1]) & 0x1F])
    if not text or not text[0].isascii():
        raise UsageError(f"{text!r} is no escape character", "one character, or ^X for a Ctrl key")
    return text[0].encode()


def open_console(
    session: Session, domid: int, kind: str | None = None, number: int = 0, *, follow: bool = True
) -> int:
    """Connect to a console and return a descriptor to it; what it has said so far comes first. The caller closes it.

    Without ``follow`` that is all that comes.
    """
    import socket

    near, far = socket.socketpair()
    fd = near.detach()
    try:
        session.host.open_console(domid, far.detach(), kind, number, True, follow)
    except BaseException:
        os.close(fd)
        raise
    return fd


def relay(session: Session, stream: int, escape: bytes, listen: bool = True) -> None:
    """Carry bytes both ways until the console ends or the user leaves.

    The escape character counts only on a terminal. When input that is no terminal ends, output goes on: a script may
    well say all it has to say before the domain answers.
    """
    sys.stdout.flush()
    if not (listen and os.isatty(STDIN)):
        _Relay(stream, None, listen).run()
        return
    from xlpy.cli.terminal import RawTerminal

    if not session.xl:
        session.say(f"Connected. {_spoken(escape)} leaves the console.")
    with RawTerminal(STDIN):
        _Relay(stream, escape, listen).run()
    sys.stderr.write("\n")


class _Relay:
    """One conversation. Never waits for the guest to read while it has something to show."""

    def __init__(self, stream: int, escape: bytes | None, listen: bool) -> None:
        self.stream = stream
        self.escape = escape
        self.listening = listen
        self.unsent = b""
        self.left = False

    def run(self) -> None:
        os.set_blocking(self.stream, False)
        while not self.left:
            wanted = self.stream_events()
            poll = select.poll()
            poll.register(self.stream, wanted)
            poll.register(STDOUT, 0)  # a pipe whose reader has gone says so without being asked
            if self.listening and len(self.unsent) < _MOST_UNSENT:
                poll.register(STDIN, select.POLLIN)
            for fd, events in poll.poll():
                if fd == STDOUT:
                    raise BrokenPipeError
                if fd == STDIN:
                    self.take_input()
                elif events & select.POLLOUT:
                    self.send()
                if fd == self.stream and events & ~select.POLLOUT and not self.show_output():
                    return

    def stream_events(self) -> int:
        return select.POLLIN | (select.POLLOUT if self.unsent else 0)

    def show_output(self) -> bool:
        """Print what the console says; False when it has ended."""
        try:
            piece = os.read(self.stream, _PIECE)
        except BlockingIOError:
            return True
        except ConnectionResetError:
            return False
        write_all(STDOUT, piece)
        return bool(piece)

    def take_input(self) -> None:
        try:
            typed = os.read(STDIN, _PIECE)
        except OSError:  # the terminal is gone
            typed = b""
        if not typed:
            self.listening = False
            self.left = self.escape is not None
            return
        if self.escape is not None and self.escape in typed:
            typed = typed[: typed.index(self.escape)]
            self.left = True
        self.unsent += typed
        if self.unsent:
            self.send()

    def send(self) -> None:
        try:
            self.unsent = self.unsent[os.write(self.stream, self.unsent) :]
        except BlockingIOError:
            pass
        except (BrokenPipeError, ConnectionResetError):
            self.unsent = b""  # what the console said last is still to be read
            self.listening = False


def write_all(fd: int, data: bytes) -> None:
    """Write all of it."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _number(text: str | None) -> int:
    if text is None:
        return 0
    if not (text.isascii() and text.isdigit()):
        raise UsageError(f"{text!r} is no console number", "numbers start at 0")
    return int(text)


def _spoken(escape: bytes) -> str:
    code = escape[0]
    return f"Ctrl-{chr(code + 0x40)}" if code < 0x20 else repr(escape.decode())
