"""Calls from a client through the wire to the fake engine and back."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from fake_engine import FakeEngine
from in_process import InProcessHost
from sample_configs import tiny

from xlpy.client.host import Host
from xlpy.errors import ConnectError, DomainNotFound, EngineError, Interrupted, ProtocolError
from xlpy.model.domain import SchedParams
from xlpy.protocol.messages import PROTOCOL_VERSION, Failure, Hello, Reply, Request, encode_message
from xlpy.transport.unix import UnixChannel

if TYPE_CHECKING:
    from xlpy.protocol.messages import Message

HELLO = Hello(protocol=PROTOCOL_VERSION, version="1", engine="fake")


def test_result_is_the_same_value_as_the_engines(host: Host, fake: FakeEngine) -> None:
    assert host.host_info() == fake.host
    assert host.list_domains() == fake.list_domains()


def test_arguments_arrive(host: Host, fake: FakeEngine) -> None:
    domid = host.create_domain(tiny("web"), paused=True)
    assert host.domain_info(domid).paused
    host.set_sched_params(domid, cap=50)
    assert host.sched_params(domid) == SchedParams(cap=50)


def test_error_keeps_class_message_hint_and_detail(host: Host, fake: FakeEngine) -> None:
    with pytest.raises(DomainNotFound, match="7 is an invalid domain identifier"):
        host.domain_info(7)
    domid = host.create_domain(tiny("web"))
    fake.fail_next("shutdown_domain", EngineError("no", "do", detail="why", where="there"))
    with pytest.raises(EngineError) as caught:
        host.shutdown_domain(domid)
    error = caught.value
    assert (error.message, error.hint, error.detail, error.where) == ("no", "do", "why", "there")


def test_console_shows_history_and_echoes(host: Host) -> None:
    domid = host.create_domain(tiny("web"))
    ours, theirs = socket.socketpair()
    with ours:
        host.open_console(domid, theirs.detach())
        ours.settimeout(10)
        assert ours.recv(100) == b"guest up\r\n# "
        ours.sendall(b"ls\r")
        assert ours.recv(100) == b"ls\r\n"
        host.destroy_domain(domid)
        assert ours.recv(100) == b""


def test_stream_is_closed_when_the_operation_fails(host: Host) -> None:
    reader, writer = os.pipe()
    with pytest.raises(DomainNotFound):
        host.dump_core(99, writer)
    with os.fdopen(reader, "rb") as left:
        assert left.read() == b""


def test_connection_that_breaks_during_a_call_leaves_the_outcome_unknown(
    agent: InProcessHost, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = agent.connect()
    assert host.hello.engine == fake.name
    monkeypatch.setattr(fake, "host_info", agent.hang_up)
    with pytest.raises(Interrupted) as caught:
        host.host_info()
    assert "unknown" in (caught.value.hint or "")
    assert host.cpu_topology() == fake.topology  # the next one connects anew


def test_connection_that_broke_before_a_call_did_nothing(agent: InProcessHost) -> None:
    host = agent.connect()
    host.host_info()
    agent.hang_up()
    with pytest.raises(ConnectError) as caught:
        host.create_domain(tiny("web"))
    assert "nothing was done" in (caught.value.hint or "")
    assert len(host.list_domains()) == 1


class Peer:
    """What answers a client is the test, message by message."""

    def __init__(self) -> None:
        near, self._socket = socket.socketpair()
        self._socket.settimeout(20)
        self._reader = self._socket.makefile("rb")
        self.host = Host(lambda: UnixChannel(near, "peer"))

    def hear(self) -> dict[str, object]:
        message: dict[str, object] = json.loads(self._reader.readline())
        return message

    def say(self, *messages: Message) -> None:
        self._socket.sendall(b"".join(map(encode_message, messages)))

    def hang_up(self) -> None:
        self._reader.close()
        self._socket.close()


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer()
    yield peer
    peer.hang_up()
    peer.host.close()


def test_a_question_does_not_wait_for_the_greeting(peer: Peer) -> None:
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(peer.host.find_domain, "web")
        request = peer.hear()
        assert (request["operation"], request["protocol"]) == ("find_domain", PROTOCOL_VERSION)
        peer.say(HELLO, Failure(id=1, error={"code": "domain-not-found", "message": "none"}))
        with pytest.raises(DomainNotFound):
            answer.result(20)
        answer = pool.submit(peer.host.restored_outcome, "x")
        assert peer.hear()["protocol"] is None
        peer.say(Reply(id=2, value="absent"))
        assert answer.result(20) == "absent"


def test_a_question_to_nobody_hears_why(peer: Peer) -> None:
    peer.say(Failure(id=0, error={"code": "connect", "message": "no way there"}))
    peer.hang_up()
    with pytest.raises(ConnectError, match="no way there"):
        peer.host.list_domains()


def test_what_changes_something_waits_for_the_greeting(peer: Peer) -> None:
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(peer.host.pause_domain, 1)
        peer.say(HELLO.replace(protocol=PROTOCOL_VERSION + 1))
        with pytest.raises(ProtocolError, match=f"speaks protocol {PROTOCOL_VERSION + 1}"):
            answer.result(20)
    peer.host.close()
    with pytest.raises(json.JSONDecodeError):  # nothing was asked
        peer.hear()


def test_an_agent_refuses_a_question_in_another_protocol(agent: InProcessHost) -> None:
    channel = agent.open_channel()
    channel.send(encode_message(Request(id=1, operation="list_domains", protocol=PROTOCOL_VERSION + 1)))
    said = b""
    while said.count(b"\n") < 2:
        said += channel.receive()
    channel.close()
    hello, refusal = map(json.loads, said.splitlines())
    assert (hello["message"], refusal["message"]) == ("hello", "failure")
    assert refusal["error"]["code"] == "protocol"


def test_wrong_arguments_are_python_errors(host: Host) -> None:
    with pytest.raises(TypeError):
        host.domain_info()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        host.domain_info(1, domid=1)  # type: ignore[misc]
