"""The daemon of driver domains, as far as it goes without a driver domain."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from eventually import eventually

ROOT = Path(__file__).parents[2]
# libxl's part, in a process of which all else is real
STUB = """
import os, signal, sys
from xlpy.agent import devd
class DeviceEvents:
    def __init__(self, log): self.log = log
    def run(self):
        os.write(self.log, b"libxl is at work\\n")
        os.write(2, b"a script complains\\n")
        signal.pause()
devd.LOG_DIR = sys.argv[1]
devd.choose_device_events = lambda: DeviceEvents
sys.exit(devd.main(sys.argv[2:]))
"""


def xlpy(*words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "xlpy", *words]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def stub(log_dir: Path, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-c", STUB, str(log_dir), *words]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def is_gone(pid: int) -> bool:
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_it_detaches_writes_its_pid_and_ends_by_a_signal(tmp_path: Path) -> None:
    pidfile, log = tmp_path / "devd.pid", tmp_path / "xldevd.log"
    pidfile.write_text("what stood there before, and was longer")
    log.write_text("of yesterday")
    (tmp_path / "xldevd.log.1").write_text("of the day before")
    done = stub(tmp_path, "--pidfile", str(pidfile))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    pid = int(pidfile.read_text())
    try:
        assert os.getsid(pid) != os.getsid(0)
        eventually(lambda: log.read_text() == "libxl is at work\na script complains\n")
    finally:
        os.kill(pid, signal.SIGTERM)
    eventually(lambda: is_gone(pid))
    older = [(tmp_path / f"xldevd.log.{number}").read_text() for number in (1, 2)]
    assert older == ["of yesterday", "of the day before"]


def test_in_the_foreground_it_stays(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", STUB, str(tmp_path), "--foreground"]
    with subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.PIPE) as process:
        assert process.stderr
        assert process.stderr.readline() == b"libxl is at work\n"
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == -signal.SIGINT
    assert not (tmp_path / "xldevd.log").exists()


def test_what_keeps_it_from_starting_is_said_to_who_started_it(tmp_path: Path) -> None:
    done = stub(tmp_path / "missing")
    assert done.returncode == 1
    assert done.stderr == f"xlpy: cannot write {tmp_path}/missing/xldevd.log: No such file or directory\n"
    done = stub(tmp_path, "--pidfile", "/dev/null/devd.pid")
    assert done.stderr == "xlpy: cannot write /dev/null/devd.pid: Not a directory\n"


def test_without_xen_engine_and_operation_are_named() -> None:
    if Path("/sys/hypervisor/version").exists():
        pytest.skip("there is Xen: libxl has the word")
    for words in (("devd",), ("devd", "-F"), ("devd", "-p", "devd.pid")):
        done = xlpy(*words)
        assert done.returncode == 1
        assert done.stderr.startswith("xlpy: the qemu engine cannot handle device events (devd)\n")


def test_it_is_not_sent_to_other_hosts() -> None:
    done = xlpy("-H", "unix:///nowhere", "devd")
    assert done.returncode == 2
    assert "devd works in the domain that it is started in" in done.stderr
    assert xlpy("devd", "surplus").returncode == 2
