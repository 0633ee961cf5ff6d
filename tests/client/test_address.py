"""From names to channels, as far as no SSH is needed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fake_daemon import FakeDaemon

from xlpy.client.address import open_channel, open_entry
from xlpy.client.host import connect, connect_entry
from xlpy.errors import ConfigError, ConnectError, UsageError
from xlpy.inventory.entry import HostEntry
from xlpy.protocol.places import broker_socket


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XLPY_BROKER", "no")
    monkeypatch.setenv("XLPY_INVENTORY", str(tmp_path / "hosts.yaml"))


def test_sockets(tmp_path: Path) -> None:
    daemon = FakeDaemon(tmp_path / "xlpyd")
    daemon.start()
    try:
        for host in (
            connect(f"unix://{daemon.socket}"),
            connect(str(daemon.socket)),
            connect_entry(HostEntry(name="web", address=f"unix://{daemon.socket}")),
        ):
            assert host.hello.engine == "fake"
            host.close()
        (tmp_path / "hosts.yaml").write_text(
            f"version: 1\nhosts: {{web: {{address: 'unix://{daemon.socket}'}}}}\n"
        )
        host = connect("web")
        assert host.hello.engine == "fake"
        host.close()
    finally:
        daemon.stop()


def test_nobody_is_started_at_an_address_somebody_chose(tmp_path: Path) -> None:
    with pytest.raises(ConnectError, match="there is no socket") as caught:
        open_entry(HostEntry(name="web", address=f"unix://{tmp_path}/xlpy.sock"))
    assert caught.value.hint == f"start one there with 'xlpyd --socket {tmp_path}/xlpy.sock'"


@pytest.mark.parametrize(
    "address", ["unix://relative", "ftp://host", "ssh://host:many", "a b", "-oProxyCommand=x"]
)
def test_what_is_no_address(tmp_path: Path, address: str) -> None:
    (tmp_path / "hosts.yaml").write_text("version: 1\n")
    with pytest.raises(UsageError, match=address.replace("-", ".").split(":")[0]):
        open_channel(address)


def test_one_host_is_meant(tmp_path: Path) -> None:
    (tmp_path / "hosts.yaml").write_text("version: 1\nhosts: {a: {}, b: {}}\n")
    with pytest.raises(UsageError, match="all: these are 2 hosts"):
        open_channel("all")


def test_inventory_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="there is no such inventory"):
        open_channel("web")


def test_where_the_broker_is() -> None:
    assert broker_socket(0, {}) == "/run/xlpy/broker.sock"
    assert broker_socket(1000, {"XDG_RUNTIME_DIR": "/run/user/1000"}) == "/run/user/1000/xlpy/broker.sock"
    assert broker_socket(1000, {}) == "/tmp/xlpy-1000/broker.sock"
    assert broker_socket(1000, {"XLPY_BROKER": "/b.sock"}) == "/b.sock"
    assert broker_socket(1000, {"XLPY_BROKER": "no"}) is None
    assert broker_socket(os.getuid(), {"XLPY_BROKER": "yes"}) is not None
