"""A host to talk to: the fake engine behind the real agent, protocol and client, all in this process."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from exercised import Exercised
from fake_engine import FakeEngine
from in_process import InProcessHost
from ssh_hosts import cabled_lab, ssh_lab  # noqa: F401 -- fixtures
from xen_hosts import xen_host, xen_hosts, xen_pair  # noqa: F401 -- fixtures

from xlpy.client.host import Host


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--note-exercised",
        action="store_true",
        help="write down which tests exercise what (tests/exercised.py)",
    )


def pytest_configure(config: pytest.Config) -> None:
    # a shell starts what shall run in the background deaf to it, and what tests start would be, too
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.pluginmanager.register(Exercised(config.getoption("--note-exercised")), "exercised")


@pytest.fixture(autouse=True)
def nobodys_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests neither see the hosts of whoever runs them nor start a broker for them."""
    for name in ("XLPY_HOST", "XLPY_INVENTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XLPY_BROKER", "no")


@pytest.fixture
def fake() -> FakeEngine:
    """The engine of ``host``, for tests to look behind the scenes."""
    return FakeEngine()


@pytest.fixture
def agent(fake: FakeEngine, tmp_path: Path) -> Iterator[InProcessHost]:
    """An agent over the fake engine; ``agent.connect()`` gives further clients."""
    agent = InProcessHost(fake, tmp_path / "state")
    yield agent
    agent.close()


@pytest.fixture
def host(agent: InProcessHost) -> Host:
    """A client of ``agent``."""
    return agent.connect()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that boot guests come last: what is wrong without them shows early."""
    items.sort(key=lambda item: item.get_closest_marker("qemu") is not None)
