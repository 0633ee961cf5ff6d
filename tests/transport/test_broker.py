"""The broker: one for a user, one connection for a host, and nothing that depends on its life."""

from __future__ import annotations

import os
import select
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from broker_process import BrokerProcess
from brokered import Waiting, entry, host
from eventually import eventually
from everybodys_python import everybodys_python
from fake_daemon import FakeDaemon
from source_tree import ROOT
from ssh_hosts import IS_ROOT, SshLab, ssh_hosts

from xlpy.client.broker import broker_status, open_host, resolve_names
from xlpy.client.call import Conversation
from xlpy.client.host import connect_entry
from xlpy.errors import ConnectError, Interrupted, PermissionRefused, UnknownHostKey, UsageError, XlError
from xlpy.inventory.entry import HostEntry
from xlpy.transport.unix import connect_unix

# -- one for a user


COMMAND = """
import sys
from xlpy.client.broker import resolve_names, broker_status
assert [entry.name for entry in resolve_names(["all"])] == ["host1", "host2"]
print(broker_status().pid)
"""


def test_many_first_commands_start_one(broker: BrokerProcess) -> None:
    commands = [
        subprocess.Popen([sys.executable, "-c", COMMAND], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(20)
    ]
    answers = [command.communicate(timeout=120)[0] for command in commands]
    assert {int(answer) for answer in answers} == {broker.status().pid}


def test_it_is_its_users_alone(broker: BrokerProcess) -> None:
    resolve_names(["all"])
    assert stat.S_IMODE(broker.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(broker.path.parent.stat().st_mode) == 0o700
    pid = broker.status().pid
    assert os.getsid(pid) != os.getsid(0)
    assert os.readlink(f"/proc/{pid}/fd/0") == os.devnull
    assert os.readlink(f"/proc/{pid}/fd/2") == os.devnull


def test_it_keeps_nothing_that_it_was_left(broker: BrokerProcess) -> None:
    """Whoever reads from a pipe of the first command sees its end."""
    reader, writer = os.pipe()
    try:
        os.set_inheritable(writer, True)
        done = subprocess.run(
            [sys.executable, "-c", COMMAND], cwd=ROOT, pass_fds=[writer], capture_output=True, timeout=120
        )
        assert done.returncode == 0
    finally:
        os.close(writer)
    assert select.select([reader], [], [], 60)[0]
    assert os.read(reader, 1) == b""
    os.close(reader)
    assert broker.status().lines == ()


@pytest.mark.skipif(not IS_ROOT, reason="only root can be somebody else")
def test_somebody_else_is_refused(broker: BrokerProcess) -> None:
    resolve_names(["all"])
    broker.path.chmod(0o666)
    broker.path.parent.chmod(0o755)
    for parent in broker.path.parents[1:4]:
        parent.chmod(parent.stat().st_mode | 0o011)
    code = (
        f"import socket; s = socket.socket(socket.AF_UNIX); s.connect({str(broker.path)!r}); print(s.recv(1))"
    )
    done = subprocess.run(
        [everybodys_python(), "-c", code],
        user=12345,
        group=12345,
        extra_groups=(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "b''\n", done.stderr


def test_a_directory_that_others_may_use_is_refused(broker: BrokerProcess) -> None:
    broker.path.parent.chmod(0o755)
    with pytest.raises(ConnectError) as caught:
        resolve_names(["all"])
    assert "is open to others" in (caught.value.detail or "")
    assert "--no-broker" in (caught.value.hint or "")


def test_everybodys_inventory_is_their_own(
    broker: BrokerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [entry.name for entry in resolve_names(["all"])] == ["host1", "host2"]
    broker.status()
    monkeypatch.delenv("XLPY_INVENTORY")
    for name in ("one", "two"):
        path = tmp_path / name / "xlpy" / "hosts.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(f"version: 1\nhosts:\n  {name}: {{}}\n")
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / name))
        assert [entry.name for entry in resolve_names(["all"])] == [name]
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "three"))
    assert [entry.name for entry in resolve_names(["some.host"])] == ["some.host"]


def test_names(broker: BrokerProcess, broker_lab: SshLab) -> None:
    assert [entry.name for entry in resolve_names(["host2", "ssh://me@[::1]:2222"])] == [
        "host2",
        "ssh://me@[::1]:2222",
    ]
    with pytest.raises(UsageError, match="there is no group 'rack'"):
        resolve_names(["@rack"])
    broker_lab.inventory.write_text(broker_lab.inventory.read_text() + "groups: {rack: [host2]}\n")
    assert [entry.name for entry in resolve_names(["@rack"])] == ["host2"]


# -- one connection for a host


def test_one_connection_is_used_again(broker: BrokerProcess, broker_lab: SshLab, daemon: FakeDaemon) -> None:
    hosts = [host(daemon) for _ in range(5)]
    for each in hosts:
        assert each.hello.engine == "fake"
        each.list_domains()
    (line,) = broker.status().lines
    assert (line.name, line.state, line.clients) == ("host1", "connected", 5)
    assert (
        line.address == f"{broker_lab.hosts[0].user}@{broker_lab.hosts[0].address}:{broker_lab.hosts[0].port}"
    )
    assert line.received_bytes > 0
    for each in hosts:
        each.close()
    eventually(lambda: broker.status().lines[0].clients == 0)


def test_a_host_that_is_reached_in_another_way_now(
    broker: BrokerProcess, broker_lab: SshLab, daemon: FakeDaemon
) -> None:
    first = host(daemon)
    first.list_domains()
    (before,) = broker.status().lines
    with broker_lab.ssh_config.open("a") as file:
        file.write(" ServerAliveInterval 7\n")
    second = host(daemon)
    second.list_domains()
    first.list_domains()  # it goes on over its own connection
    assert len(broker.status().lines) == 2
    first.close()
    eventually(lambda: len(broker.status().lines) == 1, timeout_s=60)
    (after,) = broker.status().lines
    assert after.since_s > before.since_s
    second.list_domains()
    second.close()


def test_a_slow_host_keeps_nobody_waiting(
    broker: BrokerProcess, broker_lab: SshLab, daemon: FakeDaemon
) -> None:
    broker_lab.hosts[1].pause()
    try:
        slow = Conversation(open_host(entry(daemon, "host2", connect_timeout_s=20.0)))
        quick = host(daemon)
        quick.list_domains()
        assert {line.name: line.state for line in broker.status().lines} == {
            "host1": "connected",
            "host2": "connecting",
        }
        quick.close()
    finally:
        broker_lab.hosts[1].resume()
    assert slow.greet().engine == "fake"
    slow.close()


# -- what goes wrong


def test_errors_come_as_they_are(broker: BrokerProcess, broker_lab: SshLab, daemon: FakeDaemon) -> None:
    with pytest.raises(PermissionRefused, match=r"host1: .* did not let nobody in"):
        host(daemon, user="nobody").list_domains()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    refused = connect_entry(HostEntry(name="gone", address="127.0.0.1", port=port))
    with pytest.raises(ConnectError, match=r"gone: 127.0.0.1 port .* refused the connection") as caught:
        refused.list_domains()
    assert caught.value.hint
    assert broker.status().lines == ()


def test_new_host_key(broker: BrokerProcess, broker_lab: SshLab, daemon: FakeDaemon) -> None:
    broker_lab.known_hosts.write_text("")
    with pytest.raises(UnknownHostKey) as caught:
        host(daemon).list_domains()
    shown = subprocess.run(
        ["ssh-keygen", "-lf", broker_lab.hosts[0].directory / "host_key.pub"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert caught.value.fingerprint == shown.stdout.split()[1]
    other = Conversation(open_host(entry(daemon), "SHA256:another"))
    with pytest.raises(UnknownHostKey):  # the answer is for the key that was shown
        other.greet()
    other.close()
    asked: list[str] = []
    agreeing = connect_entry(entry(daemon), lambda error: bool(asked.append(error.fingerprint)) or True)
    agreeing.list_domains()
    agreeing.close()
    assert asked == [caught.value.fingerprint]
    assert (
        broker_lab.known_hosts.read_text()
        == " ".join(broker_lab.hosts[0].known_hosts_line.split()[:3]) + "\n"
    )


def test_link_lost_in_mid_call(broker: BrokerProcess, broker_lab: SshLab, daemon: FakeDaemon) -> None:
    waiting = Waiting(host(daemon))
    broker_lab.hosts[0].drop_connections()
    error = waiting.outcome()
    assert isinstance(error, Interrupted)
    assert error.message == "the connection broke while wait domain end was running"
    assert "the connection to host1 was lost" in (error.detail or "")
    assert [info.name for info in waiting.host.list_domains()] == ["Domain-0", "web"]  # over a new one
    waiting.host.close()


def test_broker_killed_in_mid_call(broker: BrokerProcess, daemon: FakeDaemon) -> None:
    waiting = Waiting(host(daemon))
    broker.kill()
    error = waiting.outcome()
    assert isinstance(error, Interrupted)
    assert "the broker has ended" in (error.detail or "")
    assert [info.name for info in waiting.host.list_domains()] == ["Domain-0", "web"]
    assert broker.status().lines[0].state == "connected"
    waiting.host.close()


def test_xlpyd_killed_in_mid_call(broker: BrokerProcess, daemon: FakeDaemon) -> None:
    waiting = Waiting(host(daemon))
    daemon.kill()
    assert isinstance(waiting.outcome(), Interrupted)
    daemon.start()
    assert [info.name for info in waiting.host.list_domains()] == ["Domain-0", "web"]
    waiting.host.close()


@pytest.mark.root
def test_connection_that_died_unnoticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broker: BrokerProcess
) -> None:
    """The next command tries again by itself: nothing has been asked of the dead one."""
    daemon = FakeDaemon(tmp_path / "xlpyd")
    daemon.start()
    with ssh_hosts(tmp_path / "cabled", 1, network=True) as lab:
        for name, value in lab.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("XLPY_BROKER", str(broker.path))
        config = lab.ssh_config.read_text()
        lab.ssh_config.write_text(f"Host *\n ServerAliveInterval 1\n ServerAliveCountMax 2\n{config}")
        first, second = host(daemon), host(daemon)
        first.list_domains()
        first.close()
        (one,) = lab.hosts
        one.cut()
        one.drop_connections()  # nobody hears of it
        answers: list[object] = []
        asking = threading.Thread(target=lambda: answers.append(second.list_domains()))
        asking.start()
        eventually(lambda: broker.status().lines[0].clients == 1)
        one.restore()
        asking.join(60)
        assert len(answers) == 1
        second.close()
    daemon.stop()


@pytest.mark.parametrize("line", [b"nonsense\n", b"{}\n", b'{"want":"dance","build":""}\n', b"x" * (2 << 20)])
def test_nonsense_is_hung_up_on(broker: BrokerProcess, line: bytes) -> None:
    resolve_names(["all"])
    asker = connect_unix(str(broker.path))
    try:
        asker.send(line)
        assert asker.receive() == b""
    except Interrupted:
        pass  # it was quicker
    finally:
        asker.close()
    assert broker.status().lines == ()


# -- without it


def test_without_a_broker(
    broker: BrokerProcess, broker_lab: SshLab, daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XLPY_BROKER", "no")
    (found,) = resolve_names(["host1"])
    waiting = Waiting(connect_entry(found.replace(socket=str(daemon.socket))))
    assert not broker.path.exists()
    assert broker_status() is None
    broker_lab.hosts[0].drop_connections()
    error = waiting.outcome()
    assert isinstance(error, Interrupted)
    assert "the connection to host1 was lost" in (error.detail or "")
    waiting.host.close()


def test_a_bug_of_ours_is_told(
    broker: BrokerProcess, daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for a host hears of it, whatever happens in the thread that connects."""
    from xlpy.transport import boot_line

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setenv("XLPY_BROKER", "no")
    monkeypatch.setattr(boot_line, "introduce", fail)
    with pytest.raises(
        XlError, match=r"host1: connecting failed unexpectedly .ZeroDivisionError: by nothing."
    ) as caught:
        host(daemon).list_domains()
    assert "this is a bug in xlpy" in (caught.value.hint or "")
