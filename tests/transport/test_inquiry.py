"""The same question to many hosts at once: over channels that sshd forwards to xlpyd, and what happens where it can't."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from pathlib import Path

import pytest
from broker_process import BrokerProcess
from eventually import eventually
from fake_daemon import FakeDaemon
from processes import children, end, pids_with
from sample_configs import tiny
from ssh_hosts import IS_ROOT, SshHost, SshLab, ssh_hosts

from xlpy.client.ask import ask_ahead
from xlpy.client.broker import resolve_names, stop_broker
from xlpy.client.host import connect_entry
from xlpy.client.many import Part
from xlpy.errors import ConnectError, NotSupported
from xlpy.protocol.messages import PROTOCOL_VERSION, Request, encode_message
from xlpy.transport.inquiry import Inquiry

needs_root = pytest.mark.skipif(
    not IS_ROOT,
    reason="another user's test hosts have their sockets below /tmp, where no agent vouches for them",
)


def parts_of_all(limit_s: float = 60) -> list[Part]:
    """A part for each host of the inventory."""
    return [Part(one, connect_entry(one), limit_s) for one in resolve_names(["all"])]


def names_of(part: Part) -> list[str | None]:
    try:
        return [domain.name for domain in part.host.list_domains()]
    finally:
        part.host.close()


def agents(one: SshHost) -> list[int]:
    """The processes of the host that were started for a login, xlpyd aside."""
    started = {pid for connection in one.connections() for pid in children(connection)}
    return sorted(started - set(one.connections()))


def xlpyd_of(one: SshHost) -> int:
    """The xlpyd that was shipped there."""
    pid = int((one.run_dir / "xlpyd.lock").read_text())
    found = [one for one in pids_with(f"XLPY_TEST_HOST={one.token}") if _pid_there(one) == pid]
    (own,) = found
    return own


def _pid_there(pid: int) -> int:
    """What the process is called in its own namespace."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("NSpid:")).split()[-1])


@pytest.fixture
def visited(broker: BrokerProcess, broker_lab: SshLab) -> list[SshHost]:
    """Hosts where xlpyd runs and is known to, and a broker without connections."""
    for part in parts_of_all():
        part.host.list_domains()
        part.host.close()
    stop_broker(force=True)
    for one in broker_lab.hosts:
        eventually(lambda one=one: not one.connections())
    return broker_lab.hosts


@needs_root
def test_hosts_that_are_known_need_no_agent(visited: list[SshHost]) -> None:
    for _ in range(3):
        parts = parts_of_all()
        assert set(ask_ahead(parts, "list_domains")) == set(parts)
        assert [names_of(part) for part in parts] == [["Domain-0"], ["Domain-0"]]
        assert [agents(one) for one in visited] == [[], []]


@needs_root
def test_an_agent_comes_when_it_is_needed(visited: list[SshHost], broker: BrokerProcess) -> None:
    parts = parts_of_all()
    ask_ahead(parts, "list_domains")
    assert names_of(parts[0]) == ["Domain-0"]
    domid = parts[0].host.create_domain(tiny("web"))
    assert len(agents(visited[0])) == 1
    again = parts_of_all()
    assert set(ask_ahead(again, "list_domains")) == set(again)
    assert [names_of(part) for part in again] == [["Domain-0", "web"], ["Domain-0"]]
    parts[0].host.destroy_domain(domid)
    parts[0].host.close()
    (first, second) = broker.status().lines
    assert first.received_bytes > second.received_bytes > 0


def test_hosts_that_nobody_has_visited_are_asked_in_the_usual_way(
    broker: BrokerProcess, broker_lab: SshLab
) -> None:
    shutil.rmtree(broker_lab.home / ".cache", ignore_errors=True)
    assert ask_ahead(parts_of_all(), "list_domains") == []


def test_socket_in_a_place_of_everybodys_is_not_trusted(
    tmp_path: Path, broker: BrokerProcess, daemon: FakeDaemon, broker_lab: SshLab
) -> None:
    tmp_path.chmod(0o1777)
    text = broker_lab.inventory.read_text()
    broker_lab.inventory.write_text(text.replace("{address", f"{{socket: {daemon.socket}, address"))
    parts = parts_of_all()
    for part in parts:
        assert names_of(part) == ["Domain-0"]
    assert ask_ahead(parts, "list_domains") == []


@needs_root
def test_an_answer_is_good_for_one_call(visited: list[SshHost]) -> None:
    parts = parts_of_all()
    ask_ahead(parts, "list_domains")
    assert names_of(parts[0]) == ["Domain-0"]
    domid = parts[0].host.create_domain(tiny("fresh"))
    assert names_of(parts[0]) == ["Domain-0", "fresh"]
    parts[0].host.destroy_domain(domid)
    parts[0].host.close()


@needs_root
def test_sshd_that_forwards_nothing(
    tmp_path: Path, broker: BrokerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ssh_hosts(tmp_path / "lab", 0) as lab:
        lab.add(2, extra="AllowStreamLocalForwarding no")
        monkeypatch.setenv("HOME", str(lab.home))
        monkeypatch.setenv("XLPY_INVENTORY", str(lab.inventory))
        for part in parts_of_all():
            assert names_of(part) == ["Domain-0"]
        parts = parts_of_all()
        assert ask_ahead(parts, "list_domains") == []
        assert [names_of(part) for part in parts] == [["Domain-0"], ["Domain-0"]]


@needs_root
def test_xlpyd_that_was_restarted_meanwhile(visited: list[SshHost]) -> None:
    parts = parts_of_all()
    ask_ahead(parts, "list_domains")
    end(xlpyd_of(visited[0]))
    again = parts_of_all()
    assert again[1] in ask_ahead(again, "list_domains")
    assert [names_of(part) for part in again] == [["Domain-0"], ["Domain-0"]]


@needs_root
def test_host_that_hangs(visited: list[SshHost]) -> None:
    parts = parts_of_all()
    ask_ahead(parts, "list_domains")
    stopped = visited[0].connections()
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        again = parts_of_all(limit_s=2)
        assert set(ask_ahead(again, "list_domains")) == set(again)
        assert isinstance(again[0].error, ConnectError)
        assert "no answer within 2 s" in str(again[0].error)
        assert again[0].lost
        assert names_of(again[1]) == ["Domain-0"]
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


@needs_root
def test_connection_that_breaks(visited: list[SshHost]) -> None:
    ask_ahead(parts_of_all(), "list_domains")
    visited[0].drop_connections()
    parts = parts_of_all()
    ask_ahead(parts, "list_domains")
    assert [names_of(part) for part in parts] == [["Domain-0"], ["Domain-0"]]


@needs_root
def test_what_xlpyd_refuses_is_its_answer(visited: list[SshHost]) -> None:
    parts = parts_of_all()
    assert set(ask_ahead(parts, "psr_hardware")) == set(parts)
    with pytest.raises(NotSupported, match="platform shared resources"):
        parts[0].host.psr_hardware()


@needs_root
def test_host_that_is_down(visited: list[SshHost]) -> None:
    visited[0].stop()
    try:
        parts = parts_of_all()
        assert set(ask_ahead(parts, "list_domains")) == set(parts)
        assert "host1" in str(parts[0].error)
        assert "refused" in str(parts[0].error)
        assert names_of(parts[1]) == ["Domain-0"]
    finally:
        visited[0].start()
        visited[0].wait()


# -- the answers' way to the command


def request() -> bytes:
    return encode_message(Request(id=1, operation="list_domains", protocol=PROTOCOL_VERSION))


def test_first_word_of_a_host_counts() -> None:
    ours, theirs = socket.socketpair()
    inquiry = Inquiry(theirs, request(), 2)
    inquiry.answer(1, b"first")
    inquiry.answer(1, b"second")
    inquiry.question(0).answer(None)
    with ours, ours.makefile("rb") as answers:
        assert answers.read() == b"1 first\n0 \n"


def test_command_that_reads_slowly_loses_nothing() -> None:
    ours, theirs = socket.socketpair()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    inquiry = Inquiry(theirs, request(), 20)
    line = b"x" * 100_000
    for number in range(20):
        inquiry.answer(number, line)
    with ours, ours.makefile("rb") as answers:
        assert answers.read() == b"".join(b"%d %s\n" % (number, line) for number in range(20))


def test_command_that_has_gone() -> None:
    ours, theirs = socket.socketpair()
    inquiry = Inquiry(theirs, request(), 2)
    ours.close()
    inquiry.answer(0, b"said")
    inquiry.answer(1, b"said")
    assert theirs.fileno() == -1


def test_question_to_nobody() -> None:
    ours, theirs = socket.socketpair()
    Inquiry(theirs, request(), 0)
    with ours:
        assert ours.recv(1) == b""
