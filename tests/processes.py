"""Other processes, by their numbers: who started them, what they have, and their end."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path


def end(pid: int, number: int = signal.SIGKILL) -> None:
    """Send this process a signal and return when it is gone."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        signal.pidfd_send_signal(pidfd, number)
        wait_for_end(pidfd)
    except ProcessLookupError:
        pass
    finally:
        os.close(pidfd)


def wait_for_end(pidfd: int) -> None:
    """Return when the process of this descriptor has ended."""
    assert select.select([pidfd], [], [], 60)[0], "the process doesn't end"


def children(pid: int) -> list[int]:
    """Those that this process has started, and that it has adopted."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def pids_with(variable: str) -> Iterator[int]:
    """The processes that have this ``NAME=value`` in their environment, as far as we may look."""
    wanted = variable.encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    yield int(entry.name)
