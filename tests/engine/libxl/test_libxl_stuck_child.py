"""Children that were forked while another thread held a lock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from eventually import eventually

from xlpy.engine.libxl.stuck_child import StuckChildWatch, is_stuck

_ENDS_ITSELF_S = 60  # so that no test leaves a child behind


def forked(work: Callable[[], object]) -> int:
    child = os.fork()
    if child == 0:
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(_ENDS_ITSELF_S)
            work()
        finally:
            os._exit(0)
    return child


def waits_in(pid: int) -> str:
    return Path(f"/proc/{pid}/wchan").read_text()


@pytest.fixture
def held() -> threading.Lock:
    """A lock as a child finds it whose parent forked at a bad moment."""
    lock = threading.Lock()
    lock.acquire()
    return lock


def test_a_child_that_waits_for_a_lock_is_ended(
    held: threading.Lock, caplog: pytest.LogCaptureFixture
) -> None:
    with StuckChildWatch(look_every_s=0.01) as watch:
        child = forked(held.acquire)
        _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    assert watch.ended
    assert f"process {child}, forked by libxl," in caplog.text


def test_a_child_of_another_thread_is_left_alone(held: threading.Lock) -> None:
    children: list[int] = []
    thread = threading.Thread(target=lambda: children.append(forked(held.acquire)))
    with StuckChildWatch(look_every_s=0.01) as watch:
        thread.start()
        thread.join()
        eventually(lambda: is_stuck(children[0]))
    assert not watch.ended
    os.kill(children[0], signal.SIGKILL)
    os.waitpid(children[0], 0)


def test_a_child_that_waits_for_something_else_is_not_stuck() -> None:
    reader, writer = os.pipe()
    child = forked(lambda: os.read(reader, 1))
    eventually(lambda: "pipe" in waits_in(child))
    assert not is_stuck(child)
    os.write(writer, b"x")
    assert os.waitpid(child, 0)[1] == 0
    os.close(reader)
    os.close(writer)


def test_another_program_that_waits_for_a_lock_is_not_stuck() -> None:
    code = f"import signal, threading; signal.alarm({_ENDS_ITSELF_S}); l = threading.Lock(); l.acquire(); l.acquire()"
    with subprocess.Popen([sys.executable, "-c", code]) as program:
        eventually(lambda: "futex" in waits_in(program.pid))
        assert not is_stuck(program.pid)
        program.kill()
