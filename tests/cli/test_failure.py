"""How errors reach the user."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Call
from fake_engine import FakeEngine
from recorded import GUESTS, populate

from xlpy.cli.main import run
from xlpy.client.host import Host
from xlpy.engine.base import Engine
from xlpy.errors import EngineError


@pytest.fixture(autouse=True)
def guests(fake: FakeEngine) -> None:
    populate(fake, *GUESTS)


def test_place_detail_and_hint(call: Call, xl: Call, fake: FakeEngine) -> None:
    def refuse() -> None:
        fake.fail_next(
            "rename_domain",
            EngineError("it won't", "try harder", detail="line one\nline two", where="web.cfg:1:2"),
        )

    refuse()
    assert call("rename", "gpv", "x").err == (
        "xlpy: web.cfg:1:2: it won't\n  line one\n  line two\n  (try harder)\n"
    )
    refuse()
    assert "try harder" not in xl("rename", "gpv", "x").err  # a hint is for eyes, xl's stderr for scripts


def test_a_bug_is_one_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    class Broken(Engine):
        def list_domains(self) -> tuple[()]:
            raise ZeroDivisionError("no good")

    status = run(["list"], open_host=lambda address: Broken())
    err = capfd.readouterr().err
    assert status == 1
    assert err.startswith("xlpy: this is a bug in xlpy (ZeroDivisionError: no good)\n")
    assert "Traceback" not in err
    run(["--debug", "list"], open_host=lambda address: Broken())
    assert "Traceback" in capfd.readouterr().err


def test_ctrl_c_is_130(capfd: pytest.CaptureFixture[str]) -> None:
    class Interrupting(Engine):
        def list_domains(self) -> tuple[()]:
            raise KeyboardInterrupt

    assert run(["list"], open_host=lambda address: Interrupting()) == 130
    assert capfd.readouterr().err == ""


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "xlpy", "help"],
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_no_host_is_asked_where_none_is_needed(capfd: pytest.CaptureFixture[str]) -> None:
    def refuse(address: str | None) -> Engine:
        raise AssertionError("connected")

    for words in (["help"], ["list", "--help"], ["list", "-y"], ["frob"], ["-o", "xml", "help"], ["destroy"]):
        run(words, open_host=refuse)
    assert "connected" not in capfd.readouterr().err


def test_hosts_that_are_named(host: Host) -> None:
    asked: list[str | None] = []

    def note(address: str | None) -> Engine:
        asked.append(address)
        return host

    assert run(["-H", "unix:///a", "list"], open_host=note) == 0
    assert run(["list", "--host=unix:///b"], open_host=note) == 0
    assert run(["list"], open_host=note) == 0
    assert asked == ["unix:///a", "unix:///b", None]
    assert run(["list", "-H", "unix:///a,local", "--parallel", "1"], open_host=note) == 0
    assert asked[3:] == ["unix:///a", "local"]


def test_package_that_is_not_installed(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    result = call("list", "-o", "yaml")
    assert result.status == 1
    assert result.err.startswith("xlpy: this needs Python's package yaml, which is not installed\n")
    assert "(on Debian: apt install python3-yaml)" in result.err
