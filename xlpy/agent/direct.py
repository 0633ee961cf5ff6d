"""Sending a domain's state to another host by ourselves: through a remote shell, which is a process of this host.

No shell is involved here. At the target one is, the login shell; what it gets is constant but for the path of the meeting
place, and that is in hexadecimal.
"""

from __future__ import annotations

import os
import re
import socket

from xlpy.errors import ConnectError, InvalidState, MissingProgram

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from types import TracebackType

    from xlpy.model.migration import DirectRoute

# Connects to the meeting place and copies its standard input there: the state goes one way only.
_AT_TARGET = (
    "import os,socket,sys;"
    "p=bytes.fromhex(sys.argv[1]);"
    "d=os.open(os.path.dirname(p),os.O_PATH);"
    's=socket.socket(socket.AF_UNIX);s.connect("/proc/self/fd/%d/"%d+os.path.basename(p).decode());'
    "b=bytearray(1<<18);v=memoryview(b);"
    "any(s.sendall(v[:n])for n in iter(lambda:os.readv(0,[b]),0));"
    "s.shutdown(1)"
)
_PYTHON = re.compile(r"[\w./+-]+\Z")
_END_TIMEOUT_S = 60.0
_SAID_BYTES = 4096


def target_command(route: DirectRoute) -> str:
    """What is run at the target. Raises InvalidState for an interpreter whose name needs quoting."""
    if not _PYTHON.match(route.python):
        raise InvalidState(f"{route.python!r} is no name of an interpreter", "check python: in the inventory")
    place = os.fsencode(route.meeting_place).hex()
    return f"exec {route.python} -I -S -c '{_AT_TARGET}' {place}"


class DirectStream:
    """A remote shell to the target. ``stream`` is a socket whose bytes come out at the meeting place.

    Raises MissingProgram when the remote shell isn't there.
    """

    def __init__(self, route: DirectRoute) -> None:
        import subprocess

        argv = [*route.command, target_command(route)]
        self._name = os.path.basename(argv[0])
        self._ours, theirs = socket.socketpair()
        self._said = os.fdopen(os.memfd_create("said"), "w+b")
        try:
            with theirs:
                self._process: subprocess.Popen[bytes] = subprocess.Popen(
                    argv,
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=self._said.fileno(),
                    start_new_session=True,
                )
        except OSError as error:
            self._close()
            raise MissingProgram(
                f"cannot run {argv[0]} on this host: {error.strerror}",
                "on Debian: apt install openssh-client",
            ) from error

    def take(self) -> int:
        """The descriptor to send to, for somebody else to close."""
        return self._ours.detach()

    def __enter__(self) -> DirectStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The state is complete, or will never be: see the remote shell off, and say what it had to say."""
        import subprocess

        self._ours.close()
        try:
            status = self._process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        said = self._last_words()
        self._close()
        if error is not None and status > 0 and said:
            raise ConnectError(
                f"{self._name} on the source's host says: {said[-1]}",
                _hint(said[-1]),
                detail="\n".join(said[:-1]) or None,
            ) from error

    def _last_words(self) -> list[str]:
        size = self._said.seek(0, os.SEEK_END)
        self._said.seek(max(0, size - _SAID_BYTES))
        text = self._said.read().decode("utf-8", "backslashreplace")
        return [line.strip() for line in text.splitlines() if line.strip()]

    def _close(self) -> None:
        self._ours.close()
        self._said.close()


def _hint(words: str) -> str:
    if "Host key verification failed" in words or "host key" in words.lower():
        return "make the target's key known there (ssh-keyscan, or log in once), or leave --direct out"
    if "Permission denied" in words:
        return "the source's host has no key for the target; leave --direct out, and the state goes through the client"
    return "can the source's host reach the target? without --direct the state goes through the client"
