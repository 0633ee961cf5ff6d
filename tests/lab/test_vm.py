"""One QEMU in a directory, with a real QEMU that has nothing to run."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from xlpy.errors import EngineError
from xlpy.lab.machine import DISK_NODE, MONITOR, PID_FILE
from xlpy.lab.programs import find_program
from xlpy.lab.vm import Vm

LONG = (
    "a-directory-whose-name-is-so-long-that-no-address-of-a-unix-socket-could-ever-hold-the-whole-of-its-path-"
    * 2
)


@pytest.fixture
def argv() -> list[str]:
    return [
        *(
            find_program("qemu-system-x86_64"),
            "-machine",
            "none",
            "-accel",
            "tcg",
            "-display",
            "none",
            "-nodefaults",
        ),
        *("-qmp", f"unix:{MONITOR},server=on,wait=off", "-pidfile", PID_FILE),
    ]


@pytest.fixture
def vm(tmp_path: Path) -> Iterator[Vm]:
    directory = tmp_path / LONG
    directory.mkdir()
    vm = Vm(str(directory))
    yield vm
    vm.stop()


def kill(vm: Vm) -> None:
    """kill -9, and wait until it has happened."""
    pid = vm.pid()
    assert pid is not None
    pidfd = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    select.select([pidfd], [], [], 10)
    os.close(pidfd)


def test_it_runs_until_it_is_stopped(vm: Vm, argv: list[str]) -> None:
    assert vm.pid() is None
    vm.start(argv)
    assert vm.pid() is not None
    with vm.monitor() as monitor:
        assert monitor.execute("query-status")["running"]
    vm.stop()
    assert vm.pid() is None
    vm.stop()


def test_killed_is_not_running(vm: Vm, argv: list[str]) -> None:
    vm.start(argv)
    kill(vm)
    assert vm.pid() is None
    vm.start(argv)
    assert vm.pid() is not None


def test_the_number_of_another_process_is_none_of_ours(tmp_path: Path) -> None:
    """A pid file that was left behind, and its number means somebody else by now."""
    with subprocess.Popen(["sleep", "60"]) as bystander:
        (tmp_path / PID_FILE).write_text(f"{bystander.pid}\n")
        vm = Vm(str(tmp_path))
        assert vm.pid() is None
        vm.stop()
        assert bystander.poll() is None
        bystander.kill()


def test_one_that_does_not_listen_is_killed(vm: Vm, argv: list[str]) -> None:
    vm.start(argv)
    pid = vm.pid()
    assert pid is not None
    os.unlink(f"/proc/{pid}/cwd/{MONITOR}")
    vm.stop()
    assert vm.pid() is None


def test_qemus_own_words_when_it_does_not_start(vm: Vm, argv: list[str]) -> None:
    with pytest.raises(EngineError, match="QEMU does not start") as caught:
        vm.start([*argv, "-device", "nosuch"])
    assert "'nosuch' is not a valid device model name" in (caught.value.detail or "")
    assert vm.pid() is None


def test_a_refused_command_says_why(vm: Vm, argv: list[str]) -> None:
    vm.start(argv)
    with vm.monitor() as monitor:
        with pytest.raises(EngineError, match="refused device_del") as caught:
            monitor.execute("device_del", id="nosuch")
        assert "nosuch" in (caught.value.detail or "")
        assert monitor.execute("query-status")["running"]


def test_a_question_to_one_that_ended(vm: Vm, argv: list[str]) -> None:
    vm.start(argv)
    with vm.monitor() as monitor:
        kill(vm)
        with pytest.raises(EngineError, match="ended before it answered"):
            monitor.execute("query-status")
    with pytest.raises(EngineError, match="does not answer"):
        vm.monitor()


def test_snapshots(vm: Vm, argv: list[str], tmp_path: Path) -> None:
    """Kept twice under the same name is kept once; what is wrong with a job is said."""
    disk = tmp_path / LONG / "disk.qcow2"
    subprocess.run([find_program("qemu-img"), "create", "-q", "-f", "qcow2", str(disk), "8M"], check=True)
    words = [
        *(
            word if word != "none" or before != "-machine" else "q35"
            for before, word in pairwise(["", *argv])
        ),
        *("-S", "-m", "8"),
        *(
            "-blockdev",
            "file,node-name=file,filename=disk.qcow2",
            "-blockdev",
            f"qcow2,node-name={DISK_NODE},file=file",
        ),
        *("-device", f"virtio-blk-pci,drive={DISK_NODE}"),
    ]
    vm.start(words)
    vm.save_snapshot("one")
    vm.save_snapshot("one")
    vm.save_snapshot("two")
    with vm.monitor() as monitor:
        (node,) = [
            n for n in monitor.execute("query-named-block-nodes", flat=True) if n["node-name"] == DISK_NODE
        ]
        assert sorted(entry["name"] for entry in node["image"]["snapshots"]) == ["one", "two"]
        with pytest.raises(EngineError, match="could not carry out snapshot-load") as caught:
            monitor.run_job("snapshot-load", 10, tag="nosuch", vmstate=DISK_NODE, devices=[DISK_NODE])
        assert "nosuch" in (caught.value.detail or "")
