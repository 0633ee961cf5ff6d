"""One command on several hosts behind SSH: real sshds, the broker, and the agent that travels."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from command_line import Result
from ssh_client import SshClient
from ssh_hosts import SshHost, SshLab, ssh_hosts


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshLab]:
    with ssh_hosts(tmp_path_factory.mktemp("lab"), 3) as lab:
        yield lab


@pytest.fixture(scope="module")
def xlpy(lab: SshLab) -> Iterator[SshClient]:
    """xlpy with a broker of its own."""
    client = SshClient(lab)
    yield client
    client("broker", "stop", "--force")


def hosts_shown(result: Result) -> list[str]:
    """Whose Domain-0 is in the list."""
    lines = [line.split() for line in result.out.splitlines()[1:]]
    return [line[0] for line in lines if line[1] == "Domain-0"]


def sessions_of(host: SshHost) -> list[int]:
    """The processes that serve connections to its sshd."""
    with open(f"/proc/{host.sshd_pid}/task/{host.sshd_pid}/children") as children:
        return [int(word) for word in children.read().split()]


def test_hosts_without_anything_installed(xlpy: SshClient) -> None:
    result = xlpy("-H", "all", "list")
    assert (result.status, result.err) == (0, "")
    assert hosts_shown(result) == ["host1", "host2", "host3"]
    result = xlpy("-H", "host3,host1", "--no-broker", "list")
    assert (result.status, hosts_shown(result)) == (0, ["host3", "host1"])


def test_connections_that_were_cut_meanwhile_are_made_anew(lab: SshLab, xlpy: SshClient) -> None:
    assert xlpy("-H", "all", "list").status == 0
    for host in lab.hosts:
        for pid in sessions_of(host):
            os.kill(pid, signal.SIGKILL)
    result = xlpy("-H", "all", "list")
    assert (result.status, result.err) == (0, "")
    assert hosts_shown(result) == ["host1", "host2", "host3"]


def test_a_host_that_hangs_costs_the_others_nothing(lab: SshLab, xlpy: SshClient) -> None:
    assert xlpy("-H", "all", "list").status == 0
    asleep = sessions_of(lab.hosts[1])
    for pid in asleep:
        os.kill(pid, signal.SIGSTOP)
    try:
        result = xlpy("-H", "all", "--timeout", "3", "list")
    finally:
        for pid in asleep:
            os.kill(pid, signal.SIGCONT)
    assert (result.status, hosts_shown(result)) == (4, ["host1", "host3"])
    assert result.err.startswith("xlpy: host2: no answer within 3 s")
    assert hosts_shown(xlpy("-H", "all", "list")) == ["host1", "host2", "host3"]


def test_every_failure_is_said_with_its_host_once(lab: SshLab, xlpy: SshClient) -> None:
    with lab.inventory.open("a") as inventory:
        inventory.write(
            "  nobody: {address: 127.0.0.1, port: 1}\n  nowhere: {address: no-such-host.invalid}\n"
        )
    result = xlpy("-H", "all", "list")
    lab.write_client()
    assert (result.status, hosts_shown(result)) == (4, ["host1", "host2", "host3"])
    nobody, nowhere = result.err.splitlines()
    assert nobody.startswith("xlpy: nobody: 127.0.0.1 port 1 refused the connection (")
    assert nowhere.startswith("xlpy: nowhere: there is no host named no-such-host.invalid (")
