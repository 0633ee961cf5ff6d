"""A real xlpyd process over the fake engine, that tests start, stop and kill."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

from xlpy.client.host import Host, connect

PROGRAM = str(Path(__file__).parent / "fake_xlpyd.py")


class FakeDaemon:
    """xlpyd with its socket in ``run_dir`` and its records beside it; ``program`` is another one than the fake."""

    def __init__(self, run_dir: Path, program: tuple[str, ...] = (PROGRAM,)) -> None:
        self._program = program
        self.run_dir = run_dir
        self.socket = run_dir / "xlpy.sock"
        self.address = f"unix://{self.socket}"
        self.pid = 0

    def start(self) -> None:
        """Return when it serves; it is no child of ours."""
        started = subprocess.run(
            [sys.executable, *self._program, "--socket", self.socket],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert started.returncode == 0, started.stderr
        self.pid = int((self.run_dir / "xlpyd.lock").read_text())

    def connect(self) -> Host:
        """A client."""
        return connect(self.address)

    def kill(self) -> None:
        """End it at once."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in good order."""
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        if not self.pid:
            return
        pidfd = os.pidfd_open(self.pid)
        try:
            signal.pidfd_send_signal(pidfd, number)
            assert select.select([pidfd], [], [], 60)[0], "xlpyd doesn't end"
        finally:
            os.close(pidfd)
        self.pid = 0
