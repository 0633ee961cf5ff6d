"""Two hosts behind SSH and a broker to reach them, with an xlpyd of the test's own."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from broker_process import BrokerProcess
from fake_daemon import FakeDaemon
from sample_configs import tiny
from ssh_hosts import SshLab, ssh_hosts

from xlpy.client.host import Host, connect_entry
from xlpy.errors import XlError
from xlpy.inventory.entry import HostEntry


@pytest.fixture(scope="module")
def broker_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshLab]:
    with ssh_hosts(tmp_path_factory.mktemp("broker") / "lab", 2) as lab:
        yield lab


@pytest.fixture
def broker(broker_lab: SshLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BrokerProcess]:
    broker = BrokerProcess(tmp_path / "run" / "broker.sock")
    broker_lab.write_client()
    for name in [name for name in os.environ if name.startswith(("SSH_", "XDG_", "XLPY_"))]:
        monkeypatch.delenv(name)
    for name, value in broker_lab.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XLPY_BROKER", str(broker.path))
    yield broker
    broker.close()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[FakeDaemon]:
    """An xlpyd that the hosts' agents find."""
    daemon = FakeDaemon(tmp_path / "xlpyd")
    daemon.start()
    yield daemon
    daemon.stop()


def entry(daemon: FakeDaemon, name: str = "host1", **more: object) -> HostEntry:
    return HostEntry(name=name, address=name, socket=str(daemon.socket), **more)  # type: ignore[arg-type]


def host(daemon: FakeDaemon, name: str = "host1", **more: object) -> Host:
    return connect_entry(entry(daemon, name, **more))


class Waiting:
    """A call that is under way on a host until something happens."""

    def __init__(self, on: Host) -> None:
        self.host = on
        self.domid = on.create_domain(tiny("web"))
        self.error: XlError | None = None
        self._thread = threading.Thread(target=self._wait)
        self._thread.start()

    def _wait(self) -> None:
        try:
            self.host.wait_domain_end((self.domid,))
        except XlError as error:
            self.error = error

    def outcome(self) -> XlError | None:
        """How it ended."""
        self._thread.join(60)
        assert not self._thread.is_alive()
        return self.error
