"""The first command starts xlpyd; twenty first commands start one."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from source_tree import ROOT

from xlpy.client.autostart import start_xlpyd
from xlpy.client.host import Host, connect
from xlpy.errors import ConnectError, PermissionRefused
from xlpy.protocol.places import default_socket, default_state_dir
from xlpy.transport.unix import connect_unix

COMMAND = """
import sys
from xlpy.client.autostart import start_xlpyd
from xlpy.client.host import Host
from xlpy.transport.unix import connect_unix
start_xlpyd(sys.argv[1])
print(Host(lambda: connect_unix(sys.argv[1])).hello.pid)
"""


def end(pid: int) -> None:
    pidfd = os.pidfd_open(pid)
    signal.pidfd_send_signal(pidfd, signal.SIGTERM)
    assert select.select([pidfd], [], [], 60)[0]
    os.close(pidfd)


def test_many_first_commands_start_one(tmp_path: Path) -> None:
    path = f"{tmp_path}/xlpy/xlpy.sock"
    commands = [
        subprocess.Popen([sys.executable, "-c", COMMAND, path], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(20)
    ]
    answers = [command.communicate(timeout=120)[0] for command in commands]
    pids = {int(answer) for answer in answers}
    assert len(pids) == 1
    assert all(command.returncode == 0 for command in commands)
    end(pids.pop())


def test_what_it_starts_is_on_its_own(tmp_path: Path) -> None:
    path = f"{tmp_path}/xlpy/xlpy.sock"
    start_xlpyd(path)
    host = Host(lambda: connect_unix(path))
    pid = host.hello.pid
    host.close()
    assert os.getsid(pid) != os.getsid(0)
    assert os.readlink(f"/proc/{pid}/fd/0") == os.devnull
    assert os.readlink(f"/proc/{pid}/fd/2") == os.devnull
    end(pid)


def test_failure_comes_with_its_reason(tmp_path: Path) -> None:
    state = tmp_path / "xlpy" / "state"
    state.mkdir(parents=True)
    state.chmod(0o700)
    (tmp_path / "xlpy").chmod(0o700)
    (state / "xlpyd.db").write_text("this is no database" * 100)
    with pytest.raises(ConnectError) as caught:
        start_xlpyd(f"{tmp_path}/xlpy/xlpy.sock")
    assert "cannot use the database" in (caught.value.detail or "")


def test_nobody_is_started_at_an_address_somebody_chose(tmp_path: Path) -> None:
    path = f"{tmp_path}/xlpy.sock"
    with pytest.raises(ConnectError, match="there is no socket") as caught:
        connect(f"unix://{path}").list_domains()
    assert caught.value.hint == f"start one there with 'xlpyd --socket {path}'"


def test_default_places() -> None:
    assert default_socket(0, {"XDG_RUNTIME_DIR": "/run/user/0"}) == "/run/xlpy/xlpy.sock"
    assert default_state_dir(0, {"XDG_STATE_HOME": "/x"}) == "/var/lib/xlpy"
    assert default_socket(1000, {"XDG_RUNTIME_DIR": "/run/user/1000"}) == "/run/user/1000/xlpy/xlpy.sock"
    assert default_socket(1000, {}) == default_socket(1000, {"XDG_RUNTIME_DIR": "relative"})
    assert default_socket(1000, {}) == "/tmp/xlpy-1000/xlpy.sock"
    assert default_state_dir(1000, {"HOME": "/home/u"}) == "/home/u/.local/state/xlpy"
    assert default_state_dir(1000, {"HOME": "/home/u", "XDG_STATE_HOME": "/s"}) == "/s/xlpy"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make what belongs to somebody else")
def test_directory_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "xlpy").mkdir()
    os.chown(tmp_path / "xlpy", 12345, 12345)
    with pytest.raises(PermissionRefused, match="belongs to uid 12345"):
        start_xlpyd(f"{tmp_path}/xlpy/xlpy.sock")
