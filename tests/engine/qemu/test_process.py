from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from xlpy.engine.qemu.process import QemuProcess, log_tail, process_start_ticks, spawn_qemu
from xlpy.engine.reactor import Reactor
from xlpy.errors import MissingProgram


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    reactor = Reactor()
    yield reactor
    reactor.close()


def test_a_child_by_its_pidfd(reactor: Reactor, tmp_path: Path) -> None:
    process = spawn_qemu(["/bin/sleep", "1000"], (), str(tmp_path / "log"))
    gone = threading.Event()
    process.watch(reactor, gone.set)
    assert not process.wait(0)
    assert os.getsid(process.pid) == process.pid
    process.signal(signal.SIGTERM)
    assert process.wait(10)
    assert gone.wait(10)
    assert process.exit_status == -signal.SIGTERM
    process.signal(signal.SIGKILL)  # nobody is hit any more
    assert not Path(f"/proc/{process.pid}").exists()


def test_descriptors_have_their_numbers_in_the_arguments(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    data = os.open(tmp_path / "in", os.O_RDWR | os.O_CREAT)
    script = "import os; os.write({fd1}, b'to {fd1}'); os.fstat({fd0}); os.fstat(%d)"
    process = spawn_qemu([sys.executable, "-c", script % reading], (data, writing), str(tmp_path / "log"))
    os.close(writing)
    os.close(data)
    assert process.wait(20)
    process.forget()
    assert os.read(reading, 100).startswith(b"to ")
    os.close(reading)
    # what wasn't passed isn't there
    assert log_tail(str(tmp_path / "log")).endswith("Bad file descriptor")


def test_an_adopted_one_is_watched_too(reactor: Reactor) -> None:
    with subprocess.Popen(["/bin/sh", "-c", "sleep 1000 & echo $!"], stdout=subprocess.PIPE) as shell:
        assert shell.stdout is not None
        pid = int(shell.stdout.readline())
    ticks = process_start_ticks(pid)
    assert ticks is not None
    assert QemuProcess.adopt(pid, ticks + 1) is None
    process = QemuProcess.adopt(pid, ticks)
    assert process is not None
    gone = threading.Event()
    process.watch(reactor, gone.set)
    process.signal(signal.SIGKILL)
    assert gone.wait(10)
    assert process.exit_status is None


def test_one_that_has_ended_is_not_adopted(tmp_path: Path) -> None:
    process = spawn_qemu(["/bin/true"], (), str(tmp_path / "log"))
    ticks = process.start_ticks
    assert process.wait(10)
    assert process.exit_status == 0
    process.forget()
    assert QemuProcess.adopt(process.pid, ticks) is None


def test_no_such_program(tmp_path: Path) -> None:
    with pytest.raises(MissingProgram, match="/no/qemu"):
        spawn_qemu(["/no/qemu"], (), str(tmp_path / "log"))
