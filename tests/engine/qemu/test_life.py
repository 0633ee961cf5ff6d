"""Domains of a real QEMU that have nothing to boot: made, found again, ended, and refused."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rfb_client
from domain_configs import HVM, disk, domain_config
from eventually import eventually

from xlpy.engine.qemu.engine import QemuEngine
from xlpy.engine.qemu.runtime_record import read_record, write_record
from xlpy.errors import (
    ConfigError,
    DomainExists,
    DomainNotFound,
    EngineError,
    InvalidState,
    NotEnoughMemory,
    NotSupported,
    XlError,
)
from xlpy.model.domain import DomainEnd, ShutdownReason
from xlpy.model.domain_config import DomainConfig, HvmInfo, VncInfo

pytestmark = pytest.mark.qemu


class Home:
    """A place with an engine in it, which can be replaced by the next one."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.ends: list[DomainEnd] = []
        self.engine = self._start()

    def _start(self) -> QemuEngine:
        engine = QemuEngine(str(self.place), str(self.place))
        engine.start(self.ends.append)
        return engine

    def restart(self) -> QemuEngine:
        self.engine.close()
        self.engine = self._start()
        return self.engine

    def directories(self) -> list[str]:
        domains = self.place / "domains"
        return sorted(os.listdir(domains)) if domains.exists() else []

    def close(self) -> None:
        for domain in self.engine.domains():
            self.engine.destroy_domain(domain.domid)
        self.engine.close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    monkeypatch.setenv("XLPY_ACCEL", "tcg")
    home = Home(tmp_path)
    yield home
    home.close()


def tiny(name: str = "tiny", **settings: Any) -> DomainConfig:
    config = domain_config(**{"target_memkb": 32 << 10, **settings})
    return config.replace(c_info=config.c_info.replace(name=name, uuid=None))


def pid_of(engine: QemuEngine, domid: int) -> int:
    return engine.domain(domid).process.pid


def test_paused_running_paused_gone(home: Home) -> None:
    engine = home.engine
    domid = engine.create_domain(tiny(), paused=True)
    info = engine.find_domain("tiny")
    assert (info.domid, info.paused, info.max_memory_kib) == (domid, True, 32 << 10)
    assert engine.find_domain(info.uuid) == engine.find_domain(str(domid))
    engine.unpause_domain(domid)
    eventually(lambda: not engine.domain_info(domid).paused)
    engine.pause_domain(domid)
    eventually(lambda: engine.domain_info(domid).paused)
    pid = pid_of(engine, domid)
    engine.destroy_domain(domid)
    assert not Path(f"/proc/{pid}").exists()
    assert home.directories() == []
    with pytest.raises(DomainNotFound, match="tiny is an invalid domain identifier"):
        engine.find_domain("tiny")
    eventually(lambda: home.ends)
    assert home.ends == [DomainEnd(domid=domid, reason=ShutdownReason.UNKNOWN, destroyed=True)]


def test_the_host_comes_first(home: Home) -> None:
    home.engine.create_domain(tiny(), paused=True)
    first, second = home.engine.list_domains()
    assert (first.domid, first.name, first.running) == (0, "Domain-0", True)
    assert first.max_memory_kib > 0
    assert first.cpu_time_ns > 0
    assert second.name == "tiny"
    with pytest.raises(InvalidState, match="the host itself"):
        home.engine.pause_domain(0)


def test_the_machine_gets_its_versioned_name(home: Home) -> None:
    domid = home.engine.create_domain(tiny(), paused=True)
    assert home.engine.domain(domid).record.machine.machine_type.startswith("pc-i440fx-")
    assert home.engine.describe_domain(domid).stream_version.startswith("pc-i440fx-")


def test_a_wished_domid(home: Home) -> None:
    config = tiny()
    config = config.replace(c_info=config.c_info.replace(domid=40))
    assert home.engine.create_domain(config, paused=True) == 40
    with pytest.raises(DomainExists, match="domid 40"):
        home.engine.create_domain(config, paused=True)
    assert home.engine.create_domain(tiny("other"), paused=True) == 41


def test_another_name(home: Home) -> None:
    engine = home.engine
    first = engine.create_domain(tiny("first"), paused=True)
    engine.create_domain(tiny("second"), paused=True)
    engine.rename_domain(first, "third")
    assert engine.find_domain("third").domid == first
    assert engine.domain_config(first).c_info.name == "third"
    with pytest.raises(DomainExists):
        engine.rename_domain(first, "second")


# -- found again


def test_domains_are_found_again(home: Home) -> None:
    paused = home.engine.create_domain(tiny("paused"), paused=True, supervised=False, config_text="text")
    running = home.engine.create_domain(tiny("running"))
    before = {info.domid: info for info in home.engine.list_domains()[1:]}
    pids = {domid: pid_of(home.engine, domid) for domid in before}
    engine = home.restart()
    after = {info.domid: info for info in engine.list_domains()[1:]}
    assert {domid: pid_of(engine, domid) for domid in after} == pids
    assert after[paused].paused
    assert not after[running].paused
    for domid, info in after.items():
        old = before[domid]
        assert (info.name, info.uuid, info.start_time_s) == (old.name, old.uuid, old.start_time_s)
    assert engine.domain(paused).record.config_text == "text"
    assert not engine.domain(paused).record.supervised
    engine.unpause_domain(paused)
    eventually(lambda: not engine.domain_info(paused).paused)


def test_one_that_was_killed_is_listed_as_crashed(home: Home) -> None:
    domid = home.engine.create_domain(tiny(), paused=True)
    os.kill(pid_of(home.engine, domid), signal.SIGKILL)
    eventually(lambda: home.ends)
    assert home.ends == [DomainEnd(domid=domid, reason=ShutdownReason.CRASH)]
    info = home.engine.domain_info(domid)
    assert (info.shutdown, info.shutdown_reason) == (True, ShutdownReason.CRASH)
    with pytest.raises(InvalidState, match="has shut down"):
        home.engine.unpause_domain(domid)
    with pytest.raises(EngineError, match="has ended"):
        home.engine.qemu_monitor_command(domid, "info status")
    engine = home.restart()
    assert engine.domain_info(domid).shutdown_reason is ShutdownReason.CRASH
    engine.destroy_domain(domid)
    assert home.directories() == []


def test_one_that_was_killed_while_nobody_looked(home: Home) -> None:
    domid = home.engine.create_domain(tiny(), paused=True)
    process = home.engine.domain(domid).process
    home.engine.close()
    os.kill(process.pid, signal.SIGKILL)
    os.waitpid(process.pid, 0)
    home.engine = home._start()
    assert home.engine.domain_info(domid).shutdown_reason is ShutdownReason.CRASH


def test_half_made_domains_are_cleared_away(home: Home) -> None:
    without_record = home.engine.create_domain(tiny("a"), paused=True)
    creating = home.engine.create_domain(tiny("b"), paused=True)
    complete = home.engine.create_domain(tiny("c"), paused=True)
    pids = {domid: pid_of(home.engine, domid) for domid in (without_record, creating, complete)}
    os.unlink(home.engine.domain(without_record).files.record)
    home.engine.domain(creating).update(phase="creating")
    engine = home.restart()
    assert [info.domid for info in engine.list_domains()] == [0, complete]
    assert home.directories() == [str(complete)]
    for domid in (without_record, creating):
        with pytest.raises(ChildProcessError):  # reaped: gone for good
            os.waitpid(pids[domid], os.WNOHANG)


def test_a_record_of_another_boot_is_no_domain(home: Home) -> None:
    domid = home.engine.create_domain(tiny(), paused=True)
    domain = home.engine.domain(domid)
    write_record(domain.files, domain.record.replace(boot_id="another"))
    engine = home.restart()
    assert len(engine.list_domains()) == 1
    assert read_record(domain.files) is None


def test_a_console_of_a_found_domain(home: Home) -> None:
    config = domain_config(HVM, target_memkb=32 << 10)
    domid = home.engine.create_domain(config, paused=True)
    engine = home.restart()
    ours, theirs = socket.socketpair()
    engine.open_console(domid, theirs.detach())
    ours.settimeout(10)
    engine.destroy_domain(domid)
    assert ours.recv(100) == b""
    ours.close()


def test_a_console_that_isnt_there(home: Home) -> None:
    domid = home.engine.create_domain(tiny(), paused=True)
    ours, theirs = socket.socketpair()
    with pytest.raises(InvalidState, match="no serial console 1") as caught:
        home.engine.open_console(domid, theirs.detach(), "serial", 1)
    assert caught.value.hint == "consoles it has: pv 0"
    assert ours.recv(1) == b""
    ours.close()


# -- what fails leaves nothing behind


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"kernel": "/no/kernel"}, ConfigError, "kernel /no/kernel: no such file"),
        ({"target_memkb": 1 << 40}, NotEnoughMemory, "MiB"),
        ({"extra": ("-bogus",)}, EngineError, "QEMU did not start: -bogus: invalid option"),
        ({"disks": (disk("xvda", "/no/disk"),)}, XlError, "/no/disk"),
        ({"device_tree": "/dt"}, NotSupported, "device tree"),
    ],
)
def test_failed_starts(home: Home, settings: dict[str, Any], error: type[XlError], words: str) -> None:
    with pytest.raises(error, match=words):
        home.engine.create_domain(tiny(**settings))
    assert home.directories() == []
    assert len(home.engine.list_domains()) == 1
    assert home.engine.create_domain(tiny(), paused=True) == 1


def test_a_vnc_port_in_use(home: Home) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        display = taken.getsockname()[1] - 5900
        vnc = VncInfo(display=display, findunused=False)
        with pytest.raises(EngineError, match="VNC port is in use"):
            home.engine.create_domain(tiny(kind=HVM, hvm=HvmInfo(vnc=vnc)))
    assert home.directories() == []


def test_a_free_vnc_port_is_found(home: Home) -> None:
    first = home.engine.create_domain(tiny("a", kind=HVM), paused=True)
    second = home.engine.create_domain(tiny("b", kind=HVM), paused=True)
    ports = {home.engine.vnc_address(domid).port for domid in (first, second)}
    assert len(ports) == 2
    with pytest.raises(EngineError, match="no VNC server"):
        home.engine.vnc_address(home.engine.create_domain(tiny("c"), paused=True))


@pytest.mark.parametrize("password", [None, "secret"])
def test_a_stream_becomes_a_vnc_connection(home: Home, password: str | None) -> None:
    hvm = HvmInfo(vnc=VncInfo(passwd=password))
    domid = home.engine.create_domain(tiny(kind=HVM, hvm=hvm), paused=True)
    viewers = []
    for _ in range(2):
        ours, theirs = socket.socketpair()
        home.engine.open_vnc(domid, theirs.detach())
        viewers.append(ours)
    for viewer in viewers:
        with viewer:
            viewer.settimeout(20)
            size, name = rfb_client.look(viewer, password)
        assert size == (640, 480)
        assert name.startswith(b"QEMU")


def test_a_wrong_vnc_password(home: Home) -> None:
    hvm = HvmInfo(vnc=VncInfo(passwd="secret"))
    domid = home.engine.create_domain(tiny(kind=HVM, hvm=hvm), paused=True)
    ours, theirs = socket.socketpair()
    home.engine.open_vnc(domid, theirs.detach())
    with ours:
        ours.settimeout(20)
        with pytest.raises(rfb_client.Refused):
            rfb_client.look(ours, "guess")


def test_no_vnc_connection_without_a_server(home: Home) -> None:
    domid = home.engine.create_domain(tiny(), paused=True)
    ours, theirs = socket.socketpair()
    with ours:
        with pytest.raises(EngineError, match="no VNC server"):
            home.engine.open_vnc(domid, theirs.detach())
        assert ours.recv(1) == b""


def test_the_monitor_for_humans(home: Home) -> None:
    domid = home.engine.create_domain(tiny(), paused=True)
    assert "paused" in home.engine.qemu_monitor_command(domid, "info status")
