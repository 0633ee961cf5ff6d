"""Calls from a client through the wire to the fake engine and back."""

from __future__ import annotations

import os
import socket

import pytest
from fake_engine import FakeEngine
from in_process import InProcessHost
from sample_configs import tiny

from xlpy.client.host import Host
from xlpy.errors import ConnectError, DomainNotFound, EngineError, Interrupted
from xlpy.model.domain import SchedParams


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


def test_wrong_arguments_are_python_errors(host: Host) -> None:
    with pytest.raises(TypeError):
        host.domain_info()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        host.domain_info(1, domid=1)  # type: ignore[misc]
