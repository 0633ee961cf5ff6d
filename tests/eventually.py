"""Waiting for what another thread is about to do, with an end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


def eventually(condition: Callable[[], object], timeout_s: float = 20) -> None:
    """Return when the condition holds; fail when it doesn't within the time."""
    deadline = time.monotonic() + timeout_s
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "what was expected did not happen"
        pause.wait(0.005)
