"""Inquiry: the same question to many hosts, on behalf of one command; their answers go to it as they come.

To the command's socket goes a line for each host: its number in the wish, and what it said, a Reply or a Failure; or
nothing, when the host has to be asked in the usual way. When all have had their say, the socket is closed.
"""

from __future__ import annotations

import socket
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_PATIENCE_S = 60.0


class Question:
    """The line of a Request. ``answer`` is called once: with the line of the Reply or Failure, or None for none."""

    __slots__ = ("answer", "line")

    def __init__(self, line: bytes, answer: Callable[[bytes | None], None]) -> None:
        self.line = line
        self.answer = answer


class Inquiry:
    """What ``asker`` wants to know of so many hosts: ``request`` is the line of the Request. From several threads."""

    def __init__(self, asker: socket.socket, request: bytes, count: int) -> None:
        self._asker = asker
        self._request = request
        self._changing = threading.Lock()
        self._unheard = set(range(count))
        self._unsent = b""
        self._draining = False
        if not count:
            asker.close()

    def question(self, number: int) -> Question:
        """What to ask the host of this number."""
        return Question(self._request, lambda line: self.answer(number, line))

    def answer(self, number: int, line: bytes | None) -> None:
        """Pass on what this host said; the first word counts. Never waits."""
        with self._changing:
            if number not in self._unheard:
                return
            self._unheard.remove(number)
            self._unsent += b"%d %s\n" % (number, line or b"")
            if not self._draining:
                self._send()

    def _send(self) -> None:
        """Send what the command takes now; a thread waits with the rest."""
        try:
            sent = self._asker.send(self._unsent, socket.MSG_DONTWAIT)
            self._unsent = self._unsent[sent:]
        except BlockingIOError:
            pass
        except OSError:  # it doesn't wait any more
            self._unsent = b""
        if self._unsent:
            self._draining = True
            threading.Thread(target=self._drain, daemon=True).start()
        elif not self._unheard:
            self._asker.close()

    def _drain(self) -> None:
        self._asker.settimeout(_PATIENCE_S)
        while True:
            with self._changing:
                data, self._unsent = self._unsent, b""
                if not data:
                    self._draining = False
                    if not self._unheard:
                        self._asker.close()
                    return
            try:
                self._asker.sendall(data)
            except OSError:
                pass  # as above; what else is said goes the same way
