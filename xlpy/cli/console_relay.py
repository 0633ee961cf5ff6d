"""Carrying bytes between standard input and output and a console, and on when the way to its host was broken."""

from __future__ import annotations

import os
import select
import sys
import time

from xlpy.cli.deadline import Deadline, DeadlineMissed
from xlpy.client.whole_bytes import write_all
from xlpy.errors import ConnectError, Interrupted, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.session import Session
    from xlpy.cli.terminal import RawTerminal
    from xlpy.client.console import ConsoleView

STDIN = 0
STDOUT = 1
RECONNECT_TIMEOUT_S = 60.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0
_PIECE_BYTES = 65536
# what is typed ahead of a guest that doesn't read is not taken from the user beyond this
_MOST_UNSENT_BYTES = 65536


class ConsoleRelay:
    """One conversation. Never waits for the guest to read while it has something to show.

    With a ``terminal`` the ``escape`` key ends it, as does the end of its input.
    """

    def __init__(
        self,
        session: Session,
        view: ConsoleView,
        listen: bool,
        reconnect_timeout_s: float,
        terminal: RawTerminal | None = None,
        escape: bytes = b"",
    ) -> None:
        self._session = session
        self._view = view
        self._listening = listen
        self._reconnect_timeout_s = reconnect_timeout_s
        self._terminal = terminal
        self._escape = escape
        self._unsent = b""
        self._left = False

    def run(self) -> None:
        """Return when the console has ended or the user has left it.

        Raises ConnectError when the host is out of reach for too long, BrokenPipeError when nobody reads what we print.
        """
        while True:
            self._carry()
            if self._left or not self._take_up():
                return

    def _carry(self) -> None:
        """Until the stream ends, or the user leaves."""
        while not self._left:
            poll = self._poll_user()
            poll.register(self._view, select.POLLIN | (select.POLLOUT if self._unsent else 0))
            ready = dict(poll.poll())
            self._take_input_of(ready)
            events = ready.get(self._view.fileno(), 0)
            if events & select.POLLOUT:
                self._send()
            if events & ~select.POLLOUT and not self._show_output():
                return

    def _poll_user(self) -> select.poll:
        poll = select.poll()
        poll.register(STDOUT, 0)  # a pipe whose reader has gone says so without being asked
        if self._listening and len(self._unsent) < _MOST_UNSENT_BYTES:
            poll.register(STDIN, select.POLLIN)
        return poll

    def _take_input_of(self, ready: dict[int, int]) -> None:
        if STDOUT in ready:
            raise BrokenPipeError
        if STDIN in ready:
            self._take_input()

    def _show_output(self) -> bool:
        """Print what the console says; False at the end of the stream."""
        piece = self._view.read()
        if piece:
            write_all(STDOUT, piece)
        return piece != b""

    def _take_input(self) -> None:
        try:
            typed = os.read(STDIN, _PIECE_BYTES)
        except OSError:  # the terminal is gone
            typed = b""
        if not typed:
            self._listening = False
            self._left = self._terminal is not None
            return
        if self._terminal is not None and self._escape in typed:
            typed = typed[: typed.index(self._escape)]
            self._left = True
        self._unsent += typed
        if self._unsent and not self._view.is_lost:
            self._send()

    def _send(self) -> None:
        try:
            self._unsent = self._unsent[self._view.write(self._unsent) :]
        except BrokenPipeError:
            pass  # what the console said last is still to be read, and then we shall see why

    # -- when the stream has ended

    def _take_up(self) -> bool:
        """Go on, if the console hasn't ended; reconnect if need be."""
        try:
            goes_on = self._view.take_up()
        except (ConnectError, Interrupted) as error:
            goes_on = self._reconnect(error)
        if goes_on and self._view.lost_bytes != 0:
            self._tell(
                "what was said meanwhile is not kept there"
                if self._view.lost_bytes is None
                else f"{self._view.lost_bytes} bytes of output are not kept any more"
            )
        return goes_on

    def _reconnect(self, error: XlError) -> bool:
        """Try again and again, until it works, the user leaves, or the time is up."""
        if self._reconnect_timeout_s <= 0:
            raise self._given_up(error) from error
        self._tell(f"connection to {self._view.host_name} lost; reconnecting")
        try:
            if self._terminal is None:
                goes_on = self._try(error)
            else:
                with self._terminal.interruptible(self._escape):
                    goes_on = self._try(error)
        except KeyboardInterrupt:
            if self._terminal is None:
                raise
            self._left = True
        if self._left:
            return False
        self._tell("connected again" if goes_on else "the domain has ended meanwhile")
        return goes_on

    def _try(self, error: XlError) -> bool:
        give_up_s = time.monotonic() + self._reconnect_timeout_s
        pause_s = _FIRST_PAUSE_S
        while not self._left:
            left_s = give_up_s - time.monotonic()
            if left_s <= 0:
                raise self._given_up(error) from error
            try:
                with Deadline(left_s):
                    self._wait(pause_s)
                    if not self._left:
                        return self._view.take_up()
            except (ConnectError, Interrupted) as again:
                error = again
            except DeadlineMissed:
                pass
            pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)
        return False

    def _wait(self, pause_s: float) -> None:
        """Let time pass, with an eye on the user."""
        end_s = time.monotonic() + pause_s
        while not self._left and (left_s := end_s - time.monotonic()) > 0:
            poll = self._poll_user() if self._terminal is not None else select.poll()
            self._take_input_of(dict(poll.poll(left_s * 1000)))

    def _given_up(self, error: XlError) -> ConnectError:
        within = f" for {self._reconnect_timeout_s:g} s" if self._reconnect_timeout_s else ""
        return ConnectError(
            f"the connection to {self._view.host_name} is lost{within}",
            "the domain does not notice; 'xlpy console' shows later what it says meanwhile",
            detail=str(error),
        )

    def _tell(self, text: str) -> None:
        if not self._session.options.quiet:
            sys.stderr.write(f"\r\n[{text}]\r\n" if self._terminal else f"[{text}]\n")
            sys.stderr.flush()
