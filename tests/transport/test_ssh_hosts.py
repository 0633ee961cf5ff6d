"""The hosts that tests reach over SSH are what they claim to be; OpenSSH's own client is the witness."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from eventually import eventually
from processes import pids_with
from ssh_hosts import IS_ROOT, SshHost, SshLab


def ssh(lab: SshLab, host: SshHost, command: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["ssh", "-F", lab.ssh_config, "-o", "BatchMode=yes", *options, host.name, command],
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_machines_of_their_own(ssh_lab: SshLab) -> None:
    one, two = ssh_lab.add(2)
    assert ssh(ssh_lab, one, "mkdir -p ~/mine && echo $HOME").returncode == 0
    assert (one.home / "mine").is_dir()
    assert not (two.home / "mine").exists()
    if IS_ROOT:
        assert ssh(ssh_lab, two, "hostname; id -u; ls /run /var/lib").stdout.split() == [
            "host2", "0", "/run:", "sshd", "/var/lib:"
        ]  # fmt: skip
        assert ssh(ssh_lab, two, "id -un; pwd", "-l", "admin").stdout.split() == ["admin", "/srv/admin"]


def test_what_a_session_leaves_ends_with_its_host(ssh_lab: SshLab) -> None:
    (host,) = ssh_lab.add()
    assert ssh(ssh_lab, host, "setsid sleep 1000 <&- >&- 2>&- &").returncode == 0
    variable = f"XLPY_TEST_HOST={host.token}"
    eventually(lambda: [comm(pid) for pid in pids_with(variable)] == ["sleep"])
    (sleeper,) = pids_with(variable)
    host.stop()
    eventually(lambda: sleeper not in pids_with(variable))


def test_connections_can_be_dropped(ssh_lab: SshLab) -> None:
    (host,) = ssh_lab.add()
    client = subprocess.Popen(
        ["ssh", "-F", ssh_lab.ssh_config, host.name, "echo up; cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert client.stdout is not None
    assert client.stdout.readline() == b"up\n"
    assert host.connections()
    host.drop_connections()
    client.communicate(timeout=60)
    assert client.returncode == 255
    assert ssh(ssh_lab, host, "true").returncode == 0


@pytest.mark.root
def test_cables_can_be_pulled(cabled_lab: SshLab) -> None:
    one, two = cabled_lab.add(2)
    # pulled while a session runs: nothing arrives any more, and nothing is lost once the cable is back
    client = subprocess.Popen(
        ["ssh", "-F", cabled_lab.ssh_config, one.name, "echo up; head -c 3"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert client.stdout is not None
    assert client.stdin is not None
    assert client.stdout.readline() == b"up\n"
    one.cut()
    failed = ssh(cabled_lab, one, "true", "-o", "ConnectTimeout=1")
    assert failed.returncode == 255
    assert ssh(cabled_lab, two, "true").returncode == 0
    client.stdin.write(b"abc")
    client.stdin.flush()
    one.restore()
    assert client.communicate(timeout=60)[0] == b"abc"


def comm(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()
