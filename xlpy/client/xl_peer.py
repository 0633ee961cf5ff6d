"""The way to ``xl migrate-receive`` on another host: a command, what goes in and comes out of it, and what it complains of."""

from __future__ import annotations

import os
import socket
import subprocess

from xlpy.client.xl_wire import expect
from xlpy.errors import ConnectError, MissingProgram, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

_END_TIMEOUT_S = 5.0
_SAID_BYTES = 4096
# Ctrl-C is ours to answer: it must not end the way to the other host while that may be starting the domain.
_GUARD = "trap '' INT\n"


class XlPeer:
    """A shell command that runs (``with``); its end is waited for, but not long. ``name`` is what to call the other host.

    One socket is its standard input and output. With ``aloud`` what it says on standard error goes to ours. Raises
    MissingProgram without a shell.
    """

    def __init__(self, rune: str, name: str, aloud: bool = False) -> None:
        self.name = name
        self._rune = rune
        self._said = os.fdopen(os.memfd_create("said"), "w+b")
        self._socket, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = subprocess.Popen(
                    ["/bin/sh", "-c", f"{_GUARD}{rune}"],
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    stderr=None if aloud else self._said.fileno(),
                )
        except OSError as error:
            self._close()
            raise MissingProgram(f"cannot run a shell: {error.strerror}") from error

    def fileno(self) -> int:
        """The socket, to read from and to write to."""
        return self._socket.fileno()

    def expect(self, message: bytes) -> None:
        """Hear this. Raises ProtocolError for anything else, OSError."""
        expect(self.fileno(), message, self.name)

    def hang_up(self) -> None:
        """Say no more to it, and wait until it has seen that and ended, but not long."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has hung up before
        try:
            self._process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.terminate()

    def explain(self, what: str, error: XlError) -> XlError:
        """``what`` happened because of this error, and of what the command complains of. It has to have ended."""
        said, complaint = self._words()
        message = f"{what}: {error.message}" + (f"; {self.name} says: {complaint}" if complaint else "")
        return type(error)(message, error.hint, detail="\n".join(filter(None, (error.detail, *said))) or None)

    def unreachable(self, error: XlError) -> XlError:
        """The error of a command that never got to ``xl migrate-receive``."""
        said, complaint = self._words()
        return ConnectError(
            f"no xl receives a domain at {self.name}: {complaint or error.message}",
            f"try it by hand: {self._rune}",
            detail="\n".join(said) or None,
        )

    def _words(self) -> tuple[list[str], str | None]:
        """What it said, and the line of that which says most: the last that is no hint."""
        size = self._said.seek(0, os.SEEK_END)
        self._said.seek(max(0, size - _SAID_BYTES))
        text = self._said.read().decode("utf-8", "backslashreplace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        telling = [line for line in lines if not line.startswith("(")]
        return lines, telling[-1] if telling else None

    def __enter__(self) -> XlPeer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hang_up()
        try:
            self._process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._close()

    def _close(self) -> None:
        self._socket.close()
        self._said.close()
