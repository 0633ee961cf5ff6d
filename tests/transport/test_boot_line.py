"""Starting the agent on a bare machine: what can go wrong there is told in words, and nothing but xlpyd's directory stays."""

from __future__ import annotations

import ast
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from eventually import eventually
from relayed import Box
from subprocess_link import SubprocessLink, private_environment

from xlpy.errors import ConnectError, MissingProgram, NotSupported, PermissionRefused
from xlpy.protocol.introduction import Introduction
from xlpy.transport import boot_line
from xlpy.transport.boot_line import introduce, remote_command
from xlpy.transport.near_relay import NearRelay


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = Box(tmp_path)
    yield box
    box.close()


def try_to_boot(
    tmp_path: Path, command: str, *, sudo: bool = False, socket: str | None = None, timeout_s: float = 20
) -> Introduction:
    link = SubprocessLink(command, private_environment(tmp_path))
    try:
        return introduce(link, sudo=sudo, socket=socket or f"{tmp_path}/run/xlpy.sock", timeout_s=timeout_s)
    finally:
        link.dispose()


def program(tmp_path: Path, text: str) -> str:
    """A program in the place of python3 or sudo."""
    path = tmp_path / "program"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


# -- a bare machine


def test_xlpyd_is_started_once_and_found_afterwards(box: Box) -> None:
    box.log_in()
    assert box.introduction is not None
    assert box.introduction.started
    assert not box.introduction.installed
    version = subprocess.run(["python3", "-V"], capture_output=True, text=True, check=True).stdout
    assert f"Python {box.introduction.python}" == version.strip()
    host = box.connect()
    pid = host.hello.pid
    assert [info.domid for info in host.list_domains()] == [0]
    box.relays[0].close()
    assert box.links[0].exit_status() == 0

    box.log_in()
    assert not box.introduction.started
    host.close()
    assert host.hello.pid == pid


def test_xlpyd_stands_on_its_own(box: Box) -> None:
    box.log_in()
    pid = box.connect().hello.pid
    assert os.getsid(pid) not in (os.getsid(0), os.getsid(box.links[0].process.pid))
    assert Path(f"/proc/{pid}/comm").read_text() == "xlpyd\n"
    targets = {os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir()}
    assert not any(target.startswith("pipe:") for target in targets - pipes_of_its_own(pid))


def pipes_of_its_own(pid: int) -> set[str]:
    """Pipes of which this process has both ends."""
    ends = [os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir()]
    return {end for end in ends if ends.count(end) > 1}


def test_nothing_is_left_but_its_directory(box: Box) -> None:
    box.log_in()
    box.connect().list_domains()
    assert [path.name for path in box.directory.iterdir()] == ["run"]


def test_two_who_come_at_once_start_one(box: Box) -> None:
    command, environment = remote_command(), private_environment(box.directory)
    links = [SubprocessLink(command, environment) for _ in range(4)]
    box.links += links
    started = [introduce(link, socket=str(box.daemon.socket)).started for link in links]
    assert started.count(True) == 1


def test_dead_xlpyd_is_started_anew_on_the_same_connection(box: Box) -> None:
    box.log_in()
    host = box.connect()
    first = host.hello.pid
    os.kill(first, signal.SIGKILL)
    eventually(lambda: not Path(f"/proc/{first}").exists())
    host.close()
    assert host.hello.pid != first
    assert [info.domid for info in host.list_domains()] == [0]


def test_its_code_is_gone(box: Box) -> None:
    box.log_in()
    host = box.connect()
    first = host.hello.pid
    (box.directory / "run/xlpyd.code").unlink()
    os.kill(first, signal.SIGKILL)
    eventually(lambda: not Path(f"/proc/{first}").exists())
    host.close()
    with pytest.raises(ConnectError, match="hung up without a word"):  # over a broker it is tried once more
        host.list_domains()
    box.log_in()
    host.close()
    assert [info.domid for info in host.list_domains()] == [0]


def test_traceback_shows_lines_of_shipped_code(tmp_path: Path) -> None:
    modules_line = "import sys; from xlpy.protocol import introduction; introduction.read_parcel(None)"
    probe = f'm["xlpy.agent.remote"] = {modules_line!r}; exec(compile(m["xlpy.agent.boot"]'
    command = remote_command().replace('exec(compile(m["xlpy.agent.boot"]', probe.replace("'", '"'))
    link = SubprocessLink(command, private_environment(tmp_path))
    with pytest.raises(ConnectError) as caught:
        introduce(link, socket=f"{tmp_path}/run/xlpy.sock")
    link.dispose()
    detail = caught.value.detail or ""
    assert 'File "shipped:xlpy/protocol/introduction.py", line ' in detail
    assert "first = channel.readline()" in detail


@pytest.mark.parametrize("shell", ["sh", "bash", "fish", "tcsh", "zsh"])
def test_any_login_shell(box: Box, shell: str) -> None:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed")
    link = SubprocessLink(remote_command(), private_environment(box.directory), path)
    box.links.append(link)
    assert introduce(link, socket=str(box.daemon.socket)).started


def test_noisy_login_script(box: Box) -> None:
    noise = "seq 1 20000; printf 'xlpy agent\\n'; printf '\\000xlpy'; echo noise >&2; exec "
    link = SubprocessLink(noise + remote_command(), private_environment(box.directory), "/bin/bash")
    box.links.append(link)
    assert introduce(link, socket=str(box.daemon.socket)).started
    relay = NearRelay(link)
    relay.start()
    box.relays.append(relay)
    assert len(box.connect().list_domains()) == 1


# -- what can go wrong


def test_no_python(tmp_path: Path) -> None:
    with pytest.raises(MissingProgram, match=r"^box: there is no python3$") as caught:
        try_to_boot(tmp_path, remote_command().replace("python3", "python-is-not-here", 1))
    assert "apt install python3" in (caught.value.hint or "")


def test_python_that_cannot_be_run(tmp_path: Path) -> None:
    (tmp_path / "python3").write_text("")
    with pytest.raises(MissingProgram, match="cannot be run"):
        try_to_boot(tmp_path, remote_command(f"{tmp_path}/python3"))


def test_old_python(tmp_path: Path) -> None:
    command = remote_command().replace("v=sys.version_info", "v=(3,7,3)")
    with pytest.raises(NotSupported, match=r"^box: its Python is too old \(Python 3\.7\)$"):
        try_to_boot(tmp_path, command)


def test_incomplete_python(tmp_path: Path) -> None:
    command = remote_command().replace("import os,sys;", 'import os,sys;sys.modules["sqlite3"]=None;', 1)
    with pytest.raises(MissingProgram, match=r"is not complete: it has no module sqlite3$") as caught:
        try_to_boot(tmp_path, command)
    assert caught.value.message.startswith("box: the Python on ")


def test_loader_is_read_by_old_pythons_and_expanded_by_no_shell() -> None:
    command = remote_command()
    loader = command[command.index("'") + 1 : -1]
    ast.parse(loader, feature_version=(3, 4))
    assert not set(loader) & set("'\\!`$\n")
    assert loader.isascii()


@pytest.mark.parametrize("name", ["", "python 3", "python3;reboot", "-c", "$(reboot)", "pythön"])
def test_interpreter_that_is_no_name(name: str) -> None:
    with pytest.raises(ConnectError, match="interpreter"):
        remote_command(name)


def test_sudo_that_wants_a_password(tmp_path: Path) -> None:
    sudo = program(tmp_path, 'echo "sudo: a password is required" >&2; exit 1')
    with pytest.raises(PermissionRefused, match=r"^box: sudo refused$") as caught:
        try_to_boot(tmp_path, remote_command(sudo=True).replace("sudo", sudo, 1), sudo=True)
    assert "NOPASSWD" in (caught.value.hint or "")
    assert caught.value.detail == "sudo: a password is required"


def test_no_sudo(tmp_path: Path) -> None:
    command = remote_command(sudo=True).replace("sudo", "sudo-is-not-here", 1)
    with pytest.raises(MissingProgram, match=r"^box: there is no sudo$"):
        try_to_boot(tmp_path, command, sudo=True)


def test_no_python_for_sudo(tmp_path: Path) -> None:
    sudo = program(tmp_path, 'echo "sudo: python3: command not found" >&2; exit 1')
    with pytest.raises(MissingProgram, match=r"^box: there is no python3$"):
        try_to_boot(tmp_path, remote_command(sudo=True).replace("sudo", sudo, 1), sudo=True)


@pytest.mark.skipif(os.getuid() != 0 or shutil.which("sudo") is None, reason="needs root and sudo")
def test_sudo(box: Box) -> None:
    link = SubprocessLink(remote_command(sudo=True), private_environment(box.directory))
    box.links.append(link)
    assert introduce(link, socket=str(box.daemon.socket), sudo=True).started


def test_agent_that_ends_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConnectError, match=r"^box: the agent ended at once with status 3$") as caught:
        try_to_boot(tmp_path, program(tmp_path, "echo out of order >&2; exit 3"))
    assert caught.value.detail == "out of order"


def test_agent_that_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConnectError, match=r"did not answer within 0\.2 s"):
        try_to_boot(tmp_path, "sleep 20", timeout_s=0.2)


def test_noise_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boot_line, "_NOISE_LIMIT_BYTES", 10_000)
    with pytest.raises(ConnectError, match="sends other things"):
        try_to_boot(tmp_path, "yes")


def test_place_where_nobody_may_write(tmp_path: Path) -> None:
    with pytest.raises(ConnectError, match=r"^box: cannot start xlpyd on .*: /proc/none: ") as caught:
        try_to_boot(tmp_path, remote_command(), socket="/proc/none/xlpy.sock")
    assert "sudo: true" in (caught.value.hint or "")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make what belongs to somebody else")
def test_directory_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    os.chown(tmp_path / "run", 12345, 12345)
    with pytest.raises(PermissionRefused, match="belongs to uid 12345"):
        try_to_boot(tmp_path, remote_command())


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount")
def test_disk_that_is_full(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", tmp_path / "run"], check=True)
    try:
        with pytest.raises(ConnectError, match="No space left on device"):
            try_to_boot(tmp_path, remote_command())
    finally:
        subprocess.run(["umount", tmp_path / "run"], check=True)


def test_xlpyd_that_does_not_come_up(tmp_path: Path) -> None:
    state = tmp_path / "run" / "state"
    state.mkdir(parents=True, mode=0o700)
    (tmp_path / "run").chmod(0o700)
    (state / "xlpyd.db").write_text("this is no database" * 100)
    with pytest.raises(ConnectError, match="xlpyd could not be started") as caught:
        try_to_boot(tmp_path, remote_command())
    assert "cannot use the database" in (caught.value.detail or "")
