"""The console at a terminal when its host goes away and comes back: with a real xlpyd that is killed and started again."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from domain_configs import domain_config
from fake_daemon import FakeDaemon
from live_guest import PROMPT, guest_config
from pty_command import PtyCommand

from xlpy.model.domain import DomainType

LOST = b"lost; reconnecting]"


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[FakeDaemon]:
    daemon = FakeDaemon(tmp_path)
    daemon.start()
    host = daemon.connect()
    host.create_domain(domain_config(), supervised=False)
    host.close()
    yield daemon
    daemon.stop()


def console(daemon: FakeDaemon, *words: str) -> PtyCommand:
    return PtyCommand("-H", daemon.address, "console", *words, "web")


def test_it_goes_on_when_the_host_is_back(daemon: FakeDaemon) -> None:
    with console(daemon) as command:
        command.expect(b"guest up")
        assert command.is_raw
        daemon.kill()
        assert daemon.address.encode() in command.expect(LOST)
        daemon.start()
        command.expect(b"connected again]")
        command.expect(b"not kept there]")  # the fake host forgets what was said
        assert command.is_raw
        command.type(b"\x03uptime\r")
        command.expect(b"\x03uptime\r\n")  # the guest of the fake host echoes: Ctrl-C is for the guest
        command.type(b"\x1d")
        assert command.wait() == 0
        assert command.mode == command.mode_before


def test_the_escape_key_ends_waiting_for_a_lost_host(daemon: FakeDaemon) -> None:
    with console(daemon, "-e", "^a") as command:
        command.expect(b"guest up")
        daemon.kill()
        command.expect(LOST)
        command.type(b"\x1d")  # means nothing today
        command.type(b"\x01")
        assert command.wait() == 0
        assert command.mode == command.mode_before


def test_what_was_typed_meanwhile_is_typed_then(daemon: FakeDaemon) -> None:
    with console(daemon) as command:
        command.expect(b"guest up")
        daemon.kill()
        command.expect(LOST)
        command.type(b"date\r")
        daemon.start()
        command.expect(b"connected again]")
        command.expect(b"date\r\n")


def test_it_gives_up_after_its_time(daemon: FakeDaemon) -> None:
    with console(daemon, "--reconnect-timeout", "0.3") as command:
        command.expect(b"guest up")
        daemon.kill()
        assert command.wait() == 1
        assert b"is lost for 0.3 s" in command.rest
        assert b"nobody listens on this socket" in command.rest
        assert command.mode == command.mode_before


def test_it_gives_up_at_once_when_told_so(daemon: FakeDaemon) -> None:
    with console(daemon, "--reconnect-timeout", "0") as command:
        command.expect(b"guest up")
        daemon.kill()
        assert command.wait() == 1
        assert LOST not in command.rest
        assert b"is lost" in command.rest


def test_a_domain_that_is_gone_when_the_host_is_back(daemon: FakeDaemon) -> None:
    with console(daemon) as command:
        command.expect(b"guest up")
        daemon.kill()
        command.expect(LOST)
        for record in (daemon.run_dir / "fake").glob("*.json"):
            record.unlink()
        daemon.start()
        command.expect(b"ended meanwhile]")
        assert command.wait() == 0


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_terminal_is_given_back_after_a_signal(
    daemon: FakeDaemon, number: signal.Signals, lost: bool
) -> None:
    with console(daemon) as command:
        command.expect(b"guest up")
        if lost:
            daemon.kill()
            command.expect(LOST)
        command.signal(number)
        assert command.wait() == 128 + number
        assert command.mode == command.mode_before


@pytest.mark.parametrize("text", ["soon", "-1", "inf", "nan"])
def test_senseless_times(daemon: FakeDaemon, text: str) -> None:
    with console(daemon, "--reconnect-timeout", text) as command:
        assert command.wait() == 2
        assert b"is no number of seconds" in command.rest


@pytest.mark.qemu
def test_nothing_is_lost_or_doubled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLPY_ACCEL", "tcg")
    daemon = FakeDaemon(tmp_path, ("-m", "xlpy.agent.xlpyd"))
    daemon.start()
    host = daemon.connect()
    host.create_domain(guest_config(DomainType.PVH, 96), supervised=False)
    host.close()
    try:
        with console(daemon) as command:
            command.expect(PROMPT, 90)
            command.type(b"i=0; while [ $i -lt 4000 ]; do echo =$i=; i=$((i+1)); done; echo all' 'said\r")
            shown = command.expect(b"=500=")
            for mark in (b"=1500=", b"=2500="):
                daemon.kill()
                shown += command.expect(LOST)
                daemon.start()
                if mark not in shown:  # a quick guest may have got there before its xlpyd was killed
                    shown += command.expect(mark, 60)
            shown += command.expect(b"all said", 60)
            command.type(b"\x1d")
            assert command.wait() == 0
        numbers = [int(number) for number in re.findall(rb"=(\d+)=", shown)]
        assert numbers == list(range(4000))
    finally:
        host.destroy_domain(1)
        host.close()
        daemon.stop()
