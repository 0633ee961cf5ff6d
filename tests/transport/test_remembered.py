"""What is remembered of hosts, and that a wrong memory does no harm."""

from __future__ import annotations

from pathlib import Path

import pytest
from subprocess_link import SubprocessLink, private_environment

from xlpy.errors import ConnectError
from xlpy.transport.boot_line import introduce, remote_command
from xlpy.transport.remembered import OWN_PYTHON, PYTHONS


@pytest.fixture
def cache(own_cache: Path) -> Path:
    """The file of what is remembered."""
    return own_cache / "pythons"


def test_what_is_remembered_is_known_to_the_next_process(own_cache: Path) -> None:
    assert PYTHONS.get("xen1") != OWN_PYTHON
    PYTHONS.keep("xen1", OWN_PYTHON)
    PYTHONS.keep("xen2", "00000000")
    PYTHONS.forget_read()
    assert PYTHONS.get("xen1") == OWN_PYTHON
    assert PYTHONS.get("xen2") != OWN_PYTHON
    PYTHONS.keep("xen1", "00000000")
    PYTHONS.forget_read()
    assert PYTHONS.get("xen1") != OWN_PYTHON


@pytest.mark.parametrize("content", ["", "[]", "{", "[" * 100_000])
def test_spoilt_memory(cache: Path, content: str) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_text(content)
    cache.chmod(0o600)
    assert PYTHONS.get("xen1") != OWN_PYTHON


def test_memory_of_somebody_elses_writing(cache: Path) -> None:
    PYTHONS.keep("xen1", OWN_PYTHON)
    cache.chmod(0o666)
    PYTHONS.forget_read()
    assert PYTHONS.get("xen1") != OWN_PYTHON


def test_forgetting_a_host(cache: Path) -> None:
    PYTHONS.keep("xen1", OWN_PYTHON)
    PYTHONS.keep("xen1", "")
    PYTHONS.keep("never seen", "")
    assert PYTHONS.get("xen1") is None
    assert cache.read_text() == "{}"


@pytest.mark.parametrize("is_known", [False, True])
def test_agent_runs_either_way(tmp_path: Path, is_known: bool) -> None:
    if is_known:
        PYTHONS.keep("box", OWN_PYTHON)
    (tmp_path / "run").write_text("in the way")
    link = SubprocessLink(remote_command(), private_environment(tmp_path))
    with pytest.raises(ConnectError, match="cannot start xlpyd"):
        introduce(link, socket=f"{tmp_path}/run/xlpy.sock")
    link.dispose()
