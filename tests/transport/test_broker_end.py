"""The broker's end: in peace, on request, by force, or because another version comes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from broker_process import BrokerProcess
from brokered import Waiting, host
from eventually import eventually
from fake_daemon import FakeDaemon
from processes import end, wait_for_end
from source_tree import ROOT

from xlpy.client.broker import broker_status, resolve_names, stop_broker
from xlpy.errors import Interrupted
from xlpy.transport import broker_message
from xlpy.transport.unix import connect_unix


def test_it_ends_when_nobody_needs_it(broker: BrokerProcess) -> None:
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "xlpy.transport.broker",
            "--foreground",
            "--socket",
            broker.path,
            "--idle",
            "0.2",
        ],
        cwd=ROOT,
    )
    assert process.wait(60) == 0
    assert not broker.path.exists()


def test_it_does_not_end_while_somebody_is_connected(broker: BrokerProcess, daemon: FakeDaemon) -> None:
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "xlpy.transport.broker",
            "--foreground",
            "--socket",
            broker.path,
            "--idle",
            "0.5",
        ],
        cwd=ROOT,
    )
    eventually(broker.path.exists)
    waiting = Waiting(host(daemon))
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(2)
    waiting.host.hang_up()
    assert isinstance(waiting.outcome(), Interrupted)
    waiting.host.close()
    assert process.wait(60) == 0


def test_stop_waits_for_what_is_under_way(broker: BrokerProcess, daemon: FakeDaemon) -> None:
    waiting = Waiting(host(daemon))
    pidfd = os.pidfd_open(broker.status().pid)
    try:
        answer = stop_broker()
        assert answer is not None
        assert answer.lines[0].clients == 1
        assert broker_status() is None  # there is room for another one
        other = host(daemon)
        other.list_domains()
        assert broker.status().pid != answer.pid
        other.destroy_domain(waiting.domid)
        other.close()
        assert waiting.outcome() is None
        waiting.host.close()
        wait_for_end(pidfd)
    finally:
        os.close(pidfd)


def test_stop_at_once(broker: BrokerProcess, daemon: FakeDaemon) -> None:
    waiting = Waiting(host(daemon))
    pidfd = os.pidfd_open(broker.status().pid)
    stop_broker(force=True)
    wait_for_end(pidfd)
    os.close(pidfd)
    assert isinstance(waiting.outcome(), Interrupted)
    assert not broker.path.exists()
    assert stop_broker() is None
    waiting.host.close()


def test_sigterm_ends_it(broker: BrokerProcess) -> None:
    resolve_names(["all"])
    end(broker.status().pid, signal.SIGTERM)
    assert not broker.path.exists()


def test_another_version_takes_its_place(
    broker: BrokerProcess, daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = Waiting(host(daemon))
    old = broker.status().pid
    # the old one cannot tell that this is the same version under another name
    channel = connect_unix(str(broker.path))
    wish = broker_message.Wish(want=broker_message.RESOLVE, build="99.0 /elsewhere", names=("all",))
    channel.send(broker_message.encode(wish))
    assert broker_message.decode(broker_message.Answer, channel.receive()).replaced
    channel.close()
    assert [entry.name for entry in resolve_names(["host1"])] == ["host1"]
    assert broker.status().pid != old
    other = host(daemon)
    other.destroy_domain(waiting.domid)
    other.close()
    assert waiting.outcome() is None  # over the old one
    waiting.host.close()


def test_replaced_files_are_another_version(tmp_path: Path) -> None:
    """Also when they say that they are the same one."""
    for folder in ("transport", "relay", "protocol"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.py").write_text("a = 1")
    before = broker_message._code_stamp(str(tmp_path))
    (tmp_path / "relay" / "__pycache__").mkdir()
    assert broker_message._code_stamp(str(tmp_path)) == before
    os.utime(tmp_path / "relay" / "a.py", ns=(0, 1))
    assert broker_message._code_stamp(str(tmp_path)) != before
    assert broker_message.build() == broker_message.build()
