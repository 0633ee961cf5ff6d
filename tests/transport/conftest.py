"""What all tests of the ways to hosts have in common."""

from __future__ import annotations

from pathlib import Path

import pytest
from brokered import broker, broker_lab, daemon  # noqa: F401 -- fixtures

from xlpy.transport.remembered import PYTHONS, SOCKETS


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache directory of the test's own, with nothing in it."""
    directory = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(directory))
    PYTHONS.forget_read()
    SOCKETS.forget_read()
    return directory / "xlpy"
