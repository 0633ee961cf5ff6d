"""``xlpy lab`` before there is any host."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import Call

from xlpy.lab import memory


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XLPY_INVENTORY", str(tmp_path / "hosts.yaml"))
    (tmp_path / "hosts.yaml").write_text("hosts:\n  web:\n    address: web.example.org\n")
    return tmp_path


def test_an_empty_lab(call: Call) -> None:
    assert call("lab", "status").out == ""
    assert json.loads(call("lab", "status", "-o", "json").out)["rows"] == []
    assert call("lab", "down").status == 0


@pytest.mark.parametrize("command", ["ssh", "reset", "snapshot", "down", "status"])
def test_a_host_that_is_not_there(command: str, call: Call) -> None:
    result = call("lab", command, "lab7")
    assert result.status == 1
    assert result.err == "xlpy: the lab has no host 'lab7'\n  (make one: xlpy lab up)\n"


def test_names_do_not_lead_out_of_the_labs_directory(call: Call, home: Path) -> None:
    for name in ("..", "../x", "", "-x"):
        result = call("lab", "up", "--", name)
        assert result.status == 2
        assert "is no name for a host" in result.err
    assert call("lab", "down", "..").status == 1
    assert home.is_dir()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--xen", "4.16"), "the lab has no Xen 4.16\n  (versions: 4.14, 4.17, 4.20)"),
        (("--memory", "12"), "'12' is no memory size in MiB\n  (a number from 1024 to 65536)"),
        (("--cpus", "many"), "'many' is no number of cpus\n  (a number from 1 to 16)"),
        (("web",), "has a host 'web' that is none of the lab"),
        (("--guest", "/nonexistent"), "/nonexistent is no guest's directory"),
    ],
)
def test_what_up_refuses(words: tuple[str, ...], message: str, call: Call, home: Path) -> None:
    result = call("lab", "up", *words)
    assert result.status in (1, 2)
    assert message in result.err
    assert not list((home / "state/xlpy/lab").glob("*/host.json"))


def test_a_host_that_does_not_fit(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 4000000 kB\nMemAvailable:    2097152 kB\n")
    monkeypatch.setattr(memory, "_MEMINFO", str(tmp_path / "meminfo"))
    result = call("lab", "up")
    assert result.status == 1
    assert "a host of 1536 MiB does not fit: it takes 2236 MiB, 2048 MiB are available" in result.err
    assert "xlpy lab down" in result.err
