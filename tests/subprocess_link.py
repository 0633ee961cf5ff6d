"""A link to a process of this machine, in the place of one to a command on another machine."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

_READ_BYTES = 1 << 18


class SubprocessLink:
    """Runs ``command`` by a shell with nothing in its environment but what is given, as sshd would."""

    def __init__(self, command: str, environment: dict[str, str], shell: str = "/bin/sh") -> None:
        self.label = "box"
        self.process = subprocess.Popen(
            [shell, "-c", command],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdin
        assert self.process.stdout
        assert self.process.stderr
        self._stdin = self.process.stdin.fileno()
        self._stdout = self.process.stdout.fileno()
        self._said = b""
        os.set_blocking(self._stdout, False)
        os.set_blocking(self.process.stderr.fileno(), False)

    def fileno(self) -> int:
        return self._stdout

    def read(self) -> bytes:
        return os.read(self._stdout, _READ_BYTES)

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._stdin, view) :]

    def close(self) -> None:
        """Hang up as a client that ends does."""
        assert self.process.stdin
        assert self.process.stdout
        if not self.process.stdin.closed:
            self.process.stdin.close()

    def said(self) -> str:
        assert self.process.stderr
        while True:
            try:
                data = os.read(self.process.stderr.fileno(), _READ_BYTES)
            except BlockingIOError:
                break
            if not data:
                break
            self._said += data
        return self._said.decode()

    def exit_status(self) -> int | None:
        return self.process.wait(20)

    def kill(self) -> None:
        """End the process as a power cut would."""
        self.process.send_signal(signal.SIGKILL)

    def dispose(self) -> None:
        """Close what is left, and wait for the process."""
        self.close()
        self.process.kill()
        self.process.wait(20)
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()


def private_environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a login to a machine of its own."""
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
