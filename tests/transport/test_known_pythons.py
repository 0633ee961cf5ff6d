"""What is remembered of hosts' Pythons, and that a wrong memory does no harm."""

from __future__ import annotations

from pathlib import Path

import pytest
from subprocess_link import SubprocessLink, private_environment

from xlpy.errors import ConnectError
from xlpy.transport import known_pythons
from xlpy.transport.boot_line import introduce, remote_command
from xlpy.transport.known_pythons import OWN, has_same_python, remember_python


@pytest.fixture
def cache(own_cache: Path) -> Path:
    """The file of what is remembered."""
    return own_cache / "pythons"


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_pythons, "_known", None)


def test_what_is_remembered_is_known_to_the_next_process(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not has_same_python("xen1")
    remember_python("xen1", OWN)
    remember_python("xen2", "00000000")
    forget(monkeypatch)
    assert has_same_python("xen1")
    assert not has_same_python("xen2")
    remember_python("xen1", "00000000")
    forget(monkeypatch)
    assert not has_same_python("xen1")


@pytest.mark.parametrize("content", ["", "[]", "{", "[" * 100_000])
def test_spoilt_memory(cache: Path, content: str) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_text(content)
    cache.chmod(0o600)
    assert not has_same_python("xen1")


def test_memory_of_somebody_elses_writing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remember_python("xen1", OWN)
    cache.chmod(0o666)
    forget(monkeypatch)
    assert not has_same_python("xen1")


@pytest.mark.parametrize("is_known", [False, True])
def test_agent_runs_either_way(tmp_path: Path, is_known: bool) -> None:
    if is_known:
        remember_python("box", OWN)
    (tmp_path / "run").write_text("in the way")
    link = SubprocessLink(remote_command(), private_environment(tmp_path))
    with pytest.raises(ConnectError, match="cannot start xlpyd"):
        introduce(link, socket=f"{tmp_path}/run/xlpy.sock")
    link.dispose()
