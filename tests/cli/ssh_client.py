"""The command line of somebody whose hosts are behind SSH."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

from command_line import Result
from ssh_hosts import SshLab

ROOT = Path(__file__).parents[2]


class SshClient:
    """xlpy as a program, on the client's side of a lab; ``environ`` changes the environment that it has there."""

    def __init__(self, lab: SshLab, **environ: str) -> None:
        self.lab = lab
        self.environ = {**lab.environ, **environ, "PYTHONPATH": str(ROOT)}
        self.argv = [sys.executable, "-m", "xlpy"]

    def forget_hosts(self) -> None:
        """Empty known_hosts and the inventory."""
        self.lab.known_hosts.write_text("")
        self.lab.inventory.unlink(missing_ok=True)

    def __call__(self, *words: str) -> Result:
        environ = dict(self.environ)
        if not self.lab.inventory.exists():  # not made yet, in its usual place
            del environ["XLPY_INVENTORY"]
        done = subprocess.run([*self.argv, *words], capture_output=True, text=True, timeout=120, env=environ)
        return Result(done.returncode, done.stdout, done.stderr)

    def on_terminal(self, answer: str, *words: str) -> tuple[int, str]:
        """What is said on a terminal where somebody answers the one question."""
        environ = dict(self.environ)
        del environ["XLPY_INVENTORY"]
        terminal, inside = pty.openpty()
        child = subprocess.Popen(
            [*self.argv, *words], stdin=inside, stdout=inside, stderr=inside, env=environ
        )
        os.close(inside)
        said = b""
        while b"fingerprint)? " not in said:
            said += os.read(terminal, 4096)
        os.write(terminal, f"{answer}\n".encode())
        status = child.wait(120)
        os.close(terminal)
        return status, said.decode()
