"""A broker process of one test's own, which ends with the test."""

from __future__ import annotations

import signal
from pathlib import Path

from processes import end

from xlpy.client.broker import broker_status
from xlpy.transport.broker_message import Answer


class BrokerProcess:
    """The broker at ``path``, which commands with XLPY_BROKER=``path`` start by themselves."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(mode=0o700, exist_ok=True)
        self._pids: set[int] = set()

    def status(self) -> Answer:
        """What it says of itself; there must be one. The environment is the test's."""
        answer = broker_status()
        assert answer is not None
        self._pids.add(answer.pid)
        return answer

    def kill(self) -> None:
        """End it at once, without a chance to clean up."""
        end(self.status().pid, signal.SIGKILL)

    def close(self) -> None:
        """End the one there is, and those that were seen."""
        if self.path.exists():
            answer = broker_status()
            if answer is not None:
                self._pids.add(answer.pid)
        for pid in self._pids:
            end(pid, signal.SIGKILL)
