"""``xl console``: between the user's terminal, or a pipe, and a domain's console (xenconsole)."""

from __future__ import annotations

import os
import sys

from xlpy.cli.console_relay import RECONNECT_TIMEOUT_S, STDIN, ConsoleRelay
from xlpy.cli.numbers import number_of, seconds
from xlpy.client.console import ConsoleView
from xlpy.errors import UsageError, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session

CTRL_CLOSING_BRACKET = b"\x1d"


def console(session: Session, args: Arguments) -> None:
    """``xl console``; without ``-t`` it's the primary console, and xl takes no notice of ``-n`` then."""
    kind = args.value("type")
    if kind not in (None, "pv", "serial", "vuart"):
        raise XlError("console type supported are: pv, serial, vuart")
    number = (
        number_of(args, "num", "console number", hint="numbers start at 0") or 0
        if kind or not session.xl
        else 0
    )
    escape = escape_character(args.value("escape"))
    reconnect_timeout_s = _reconnect_timeout_s(args)
    dumping = args.flag("dump")
    listen = not (dumping or args.flag("no-input"))
    domid = session.domid(args.rest[0])
    with ConsoleView(session.host, domid, kind, number, follow=not dumping) as view:
        relay(session, view, escape, listen, reconnect_timeout_s)


def escape_character(text: str | None) -> bytes:
    """The byte that leaves the console: ``^X`` is a Ctrl key, another text its first character (xenconsole)."""
    if text is None:
        return CTRL_CLOSING_BRACKET
    if len(text) > 1 and text[0] == "^":
        return bytes([ord(text[1]) & 0x1F])
    if not text or not text[0].isascii():
        raise UsageError(f"{text!r} is no escape character", "one character, or ^X for a Ctrl key")
    return text[0].encode()


def relay(
    session: Session,
    view: ConsoleView,
    escape: bytes = CTRL_CLOSING_BRACKET,
    listen: bool = True,
    reconnect_timeout_s: float = RECONNECT_TIMEOUT_S,
) -> None:
    """Carry bytes both ways until the console ends or the user leaves. Raises ConnectError when the host stays lost.

    The escape character counts only on a terminal. When input that is no terminal ends, output goes on: a script may
    well say all it has to say before the domain answers.
    """
    sys.stdout.flush()
    if not (listen and os.isatty(STDIN)):
        ConsoleRelay(session, view, listen, reconnect_timeout_s).run()
        return
    from xlpy.cli.terminal import RawTerminal

    if not session.xl:
        session.say(f"Connected. {_spoken(escape)} leaves the console.")
    size = os.get_terminal_size(STDIN)
    if size.lines and size.columns:
        # neither a serial line nor the virtio console of QEMU or Xen can tell the guest
        session.note(f"For full-screen programs in the guest: stty rows {size.lines} cols {size.columns}")
    with RawTerminal(STDIN) as terminal:
        ConsoleRelay(session, view, listen, reconnect_timeout_s, terminal, escape).run()
    sys.stderr.write("\n")


def _reconnect_timeout_s(args: Arguments) -> float:
    text = args.value("reconnect-timeout")
    if text is None:
        return RECONNECT_TIMEOUT_S
    return seconds(text, "number of seconds", zero=True, hint="e.g. 60; 0 to give up at once")


def _spoken(escape: bytes) -> str:
    code = escape[0]
    return f"Ctrl-{chr(code + 0x40)}" if code < 0x20 else repr(escape.decode())
