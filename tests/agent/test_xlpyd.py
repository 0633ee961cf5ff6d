"""The daemon as a process: places, locks, signals, and domains that outlive it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from eventually import eventually
from fake_daemon import PROGRAM, FakeDaemon
from sample_configs import tiny

from xlpy.client.host import connect
from xlpy.errors import ConnectError, XlError
from xlpy.model.domain import DomainInfo
from xlpy.protocol.messages import PROTOCOL_VERSION


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[FakeDaemon]:
    daemon = FakeDaemon(tmp_path / "run")
    daemon.start()
    yield daemon
    daemon.kill()


def test_places_are_private(daemon: FakeDaemon) -> None:
    for path, mode in [(daemon.run_dir, 0o700), (daemon.run_dir / "state", 0o700), (daemon.socket, 0o600)]:
        assert path.stat().st_mode & 0o777 == mode
    for path in (daemon.run_dir / "state").iterdir():
        assert path.stat().st_mode & 0o077 == 0


def test_hello(daemon: FakeDaemon) -> None:
    host = daemon.connect()
    assert (host.hello.protocol, host.hello.engine) == (PROTOCOL_VERSION, "fake")
    assert host.hello.pid == daemon.pid
    host.close()


def test_second_one_is_refused_and_names_the_first(daemon: FakeDaemon) -> None:
    second = subprocess.run(
        [sys.executable, PROGRAM, "--socket", daemon.socket], capture_output=True, text=True, timeout=60
    )
    assert second.returncode == 1
    assert f"another xlpyd (process {daemon.pid}) uses" in second.stderr
    host = daemon.connect()
    assert host.host_info().host == "testhost"
    host.close()


def test_domains_outlive_it(daemon: FakeDaemon) -> None:
    host = daemon.connect()
    before = host.domain_info(host.create_domain(tiny("web"), config_text="kept"))
    instance = host.hello.instance
    for end in (daemon.kill, daemon.stop):
        end()
        with pytest.raises(ConnectError):
            host.list_domains()
        with pytest.raises(ConnectError, match="no xlpyd at"):
            host.list_domains()
        daemon.start()
        after: DomainInfo = host.find_domain("web")
        assert after == before
        assert host.describe_domain(after.domid).config_text == "kept"
        assert host.hello.instance == instance
    host.close()


def test_orderly_end_removes_the_socket_and_says_so(daemon: FakeDaemon) -> None:
    daemon.stop()
    assert not daemon.socket.exists()
    assert "its domains run on" in (daemon.run_dir / "state" / "xlpyd.log").read_text()


def test_orderly_end_frees_those_who_wait(daemon: FakeDaemon) -> None:
    host = daemon.connect()
    call = host.begin("wait_domain_end", domids=(0,))
    daemon.stop()
    with pytest.raises(Exception, match="wait"):
        call.result()
    host.close()


def test_foreign_directory_is_refused(tmp_path: Path) -> None:
    open_to_all = tmp_path / "run"
    open_to_all.mkdir(mode=0o755)
    failed = subprocess.run(
        [sys.executable, PROGRAM, "--socket", open_to_all / "s"], capture_output=True, text=True, timeout=60
    )
    assert failed.returncode == 1
    assert "is open to others" in failed.stderr
    assert list(open_to_all.iterdir()) == []


@pytest.mark.parametrize("detached", [True, False])
def test_a_state_directory_that_cannot_be_written_to(tmp_path: Path, detached: bool) -> None:
    words = [PROGRAM, "--socket", tmp_path / "run" / "s", *([] if detached else ["--foreground"])]
    failed = subprocess.run(
        ["sh", "-c", 'ulimit -f 0; exec "$0" "$@"', sys.executable, *words],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert failed.returncode == 1
    assert "is its disk full or damaged?" in failed.stderr
    assert failed.stderr.count("xlpyd: ") == 1
    assert "Traceback" not in failed.stderr


def test_damaged_database_is_told(tmp_path: Path) -> None:
    daemon = FakeDaemon(tmp_path / "run")
    (tmp_path / "run" / "state").mkdir(parents=True, mode=0o700)
    (tmp_path / "run").chmod(0o700)
    (tmp_path / "run" / "state" / "xlpyd.db").write_text("this is no database" * 100)
    failed = subprocess.run(
        [sys.executable, PROGRAM, "--socket", daemon.socket], capture_output=True, text=True, timeout=60
    )
    assert failed.returncode == 1
    assert "cannot use the database" in failed.stderr


def test_long_path(tmp_path: Path) -> None:
    daemon = FakeDaemon(tmp_path / ("d" * 100) / ("e" * 100))
    daemon.start()
    host = daemon.connect()
    assert host.host_info().host == "testhost"
    host.close()
    daemon.kill()


def test_systemd_is_told(tmp_path: Path) -> None:
    address = f"{tmp_path}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        systemd.settimeout(60)
        process = subprocess.Popen(
            [sys.executable, PROGRAM, "--foreground", "--socket", tmp_path / "run" / "xlpy.sock"],
            env={**os.environ, "NOTIFY_SOCKET": address},
            stderr=subprocess.DEVNULL,
        )
        assert systemd.recv(100) == b"READY=1"
        process.send_signal(signal.SIGTERM)
        assert systemd.recv(100) == b"STOPPING=1"
        assert process.wait(60) == 0


def test_noise_does_not_disturb_it(daemon: FakeDaemon) -> None:
    for noise in (
        b"",
        b"\n",
        b"{}\n",
        b'{"message":"request","id":1,"operation":"save_domain","stream":"fd"}\n',
    ):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            client.connect(str(daemon.socket))
            client.sendall(noise)
            client.shutdown(socket.SHUT_WR)
            while client.recv(4096):
                pass
    host = daemon.connect()
    assert host.host_info().host == "testhost"
    host.close()


def test_many_clients_at_once(daemon: FakeDaemon) -> None:
    failures: list[object] = []

    def work(number: int) -> None:
        host = connect(daemon.address)
        try:
            for _ in range(5):
                domid = host.create_domain(tiny(f"d{number}"))
                host.pause_domain(domid)
                host.unpause_domain(domid)
                assert any(info.domid == domid for info in host.list_domains())
                host.destroy_domain(domid)
        except XlError as error:
            failures.append(error)
        finally:
            host.close()

    run_at_once(work, 30)
    assert failures == []
    host = daemon.connect()
    assert [info.domid for info in host.list_domains()] == [0]
    host.close()


def run_at_once(work: Callable[[int], None], count: int) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()


def test_client_that_vanishes_leaves_no_thread(daemon: FakeDaemon) -> None:
    def threads() -> int:
        return len(os.listdir(f"/proc/{daemon.pid}/task"))

    before = threads()
    hosts = [connect(daemon.address) for _ in range(10)]
    for host in hosts:
        host.host_info()
    assert threads() >= before + 10
    for host in hosts:
        host.close()
    eventually(lambda: threads() <= before)
