"""``xlpy broker``, ``--no-broker``, and the question about a new host key, as whole commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from broker_process import BrokerProcess
from fake_daemon import FakeDaemon
from pty_command import PtyCommand
from source_tree import ROOT
from ssh_hosts import SshLab


@pytest.fixture
def broker(ssh_lab: SshLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BrokerProcess]:
    """A host with xlpyd, and commands that reach it."""
    ssh_lab.add()
    daemon = FakeDaemon(tmp_path / "xlpyd")
    daemon.start()
    ssh_lab.inventory.write_text(f"version: 1\nhosts: {{host1: {{socket: {daemon.socket}}}}}\n")
    for name in [name for name in os.environ if name.startswith(("SSH_", "XDG_", "XLPY_"))]:
        monkeypatch.delenv(name)
    for name, value in ssh_lab.environ.items():
        monkeypatch.setenv(name, value)
    broker = BrokerProcess(Path(ssh_lab.environ["XLPY_BROKER"]))
    yield broker
    broker.close()
    daemon.stop()


def xlpy(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "xlpy", *words],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_status_and_stop(broker: BrokerProcess, ssh_lab: SshLab) -> None:
    nothing = xlpy("broker", "status")
    assert (nothing.returncode, nothing.stdout) == (1, "")
    assert "there is no broker" in nothing.stderr
    assert xlpy("-H", "host1", "domid", "Domain-0").stdout == "0\n"
    shown = xlpy("broker", "status", "-o", "json")
    assert shown.returncode == 0
    (row,) = json.loads(shown.stdout)["rows"]
    assert (row["host"], row["state"], row["clients"]) == ("host1", "connected", 0)
    host = ssh_lab.hosts[0]
    assert row["address"] == f"{host.user}@{host.address}:{host.port}"
    assert row["received_bytes"] > 0
    assert "host1" in xlpy("broker", "status", "-o", "table").stdout
    stopped = xlpy("broker", "stop")
    assert (stopped.returncode, stopped.stderr) == (0, "")
    assert xlpy("broker", "status").returncode == 1
    assert "there is no broker" in xlpy("broker", "stop").stderr


def test_no_broker(broker: BrokerProcess) -> None:
    assert xlpy("--no-broker", "-H", "host1", "domid", "Domain-0").stdout == "0\n"
    assert xlpy("-H", "host1", "domid", "Domain-0", "--no-broker").stdout == "0\n"
    assert not broker.path.exists()


def test_one_who_cannot_be_reached(broker: BrokerProcess, ssh_lab: SshLab) -> None:
    ssh_lab.hosts[0].stop()
    failed = xlpy("-H", "host1", "list")
    assert failed.returncode == 1
    assert failed.stderr.startswith("xlpy: host1: ")
    assert "refused the connection" in failed.stderr
    assert "(is sshd running there, and is this its port?)" in failed.stderr


@pytest.mark.parametrize("options", [(), ("--no-broker",)], ids=["broker", "no broker"])
def test_new_host_key(broker: BrokerProcess, ssh_lab: SshLab, options: tuple[str, ...]) -> None:
    ssh_lab.known_hosts.write_text("")
    unasked = xlpy(*options, "-H", "host1", "list")
    assert unasked.returncode == 1
    assert "the host key of" in unasked.stderr
    assert "key fingerprint is SHA256:" in unasked.stderr
    words = (*options, "-H", "host1", "domid", "Domain-0")
    with PtyCommand(*words) as command:
        command.expect(b"yes/no/its fingerprint")
        command.type(b"perhaps\n")
        command.expect(b"yes/no/its fingerprint")
        command.type(b"no\n")
        assert command.wait() == 1
    assert ssh_lab.known_hosts.read_text() == ""
    with PtyCommand(*words) as command:
        shown = command.expect(b"yes/no/its fingerprint")
        fingerprint = next(word for word in shown.split() if word.startswith(b"SHA256:"))
        command.type(fingerprint + b"\n")
        command.expect(b"Domain-0")
        assert command.wait() == 0
    assert ssh_lab.known_hosts.read_text().split() == ssh_lab.hosts[0].known_hosts_line.split()[:3]
    assert xlpy(*words).stdout == "0\n"


def test_a_command_over_the_broker_is_light(broker: BrokerProcess) -> None:
    assert xlpy("-H", "host1", "list").returncode == 0
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "xlpy", "-H", "host1", "list"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "|" in line}
    assert "xlpy.client.broker" in loaded
    assert not loaded & {
        "paramiko",
        "yaml",
        "typing",
        "threading",
        "subprocess",
        "logging",
        "xlpy.transport.switchboard",
    }
