"""Managed domains at the command line: define, start, edit, autostart, list --all, config log and restore."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from pathlib import Path

import pytest
from command_line import Call
from fake_engine import FakeEngine


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("VISUAL", raising=False)
    (tmp_path / "vmlinuz").write_bytes(b"kernel")
    (tmp_path / "web.cfg").write_text('name = "web"\ntype = "pvh"\nkernel = "vmlinuz"\nmemory = 64\n')
    return tmp_path


def editor(place: Path, body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """$EDITOR is a shell script; the file is its second argument, for the first one is given in the variable."""
    script = place / "editor"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("EDITOR", f"{script} --first")


def rows(call: Call, *words: str) -> list[dict[str, object]]:
    found = json.loads(call(*words, "-o", "json").out)["rows"]
    assert isinstance(found, list)
    return found


def test_define_start_undefine(call: Call, fake: FakeEngine, place: Path) -> None:
    assert call("define", "web.cfg").status == 0
    assert len(fake.list_domains()) == 1
    assert call("start", "web").status == 0
    domid = fake.find_domain("web").domid
    assert fake.domain_config(domid).b_info.kernel == str(place / "vmlinuz")
    result = call("start", "web")
    assert (result.status, result.err) == (1, f"xlpy: web is running already (domain {domid})\n")
    assert call("undefine", "web").status == 0
    assert call("start", "web").err.startswith("xlpy: there is no managed domain 'web'\n")
    assert fake.find_domain("web").domid == domid


def test_start_paused(call: Call, fake: FakeEngine) -> None:
    call("define", "web.cfg")
    assert call("start", "-p", "web").status == 0
    assert fake.find_domain("web").paused


def test_list_all_has_those_that_do_not_run(call: Call) -> None:
    call("define", "web.cfg")
    assert [row["name"] for row in rows(call, "list")] == ["Domain-0"]
    stopped = rows(call, "list", "--all")[1]
    assert (stopped["name"], stopped["domid"], stopped["state"]) == ("web", None, "off")
    assert stopped["max_memory_kib"] == 64 << 10
    assert call("list", "--all", "-o", "plain").out.splitlines()[2] == (
        f"{'web':<40}     -    64     1     ------       0.0"
    )
    call("start", "web")
    assert [row["state"] for row in rows(call, "list", "--all")] == ["running", "running"]


def test_overrides_and_variables_count(call: Call, fake: FakeEngine, place: Path) -> None:
    assert call("define", "web.cfg", "memory=32").status == 0
    call("start", "web")
    assert fake.find_domain("web").max_memory_kib == 32 << 10
    (place / "x.cfg").write_text('#xlpy: extended\nname="${name}"\nkernel="vmlinuz"\nmemory=16\n')
    assert call("define", "--set", "name=x1", "x.cfg").status == 0
    assert {row["name"] for row in rows(call, "autostart")} == {"web", "x1"}


def test_a_broken_file_defines_nothing(call: Call, place: Path) -> None:
    (place / "bad.cfg").write_text('name = "bad\n')
    assert call("define", "bad.cfg").status != 0
    assert call("define", "bad.cfg", "more.cfg").status == 2
    assert rows(call, "autostart") == []


def test_versions(call: Call) -> None:
    call("define", "web.cfg")
    call("define", "web.cfg", "memory=32")
    assert [row["version"] for row in rows(call, "config", "log", "web")] == [1, 2]
    assert call("config", "log", "web", "1").out == Path("web.cfg").read_text()
    (found,) = rows(call, "config", "log", "web", "1")
    assert found == {"name": "web", "version": 1, "text": Path("web.cfg").read_text()}
    assert "memory = 32" in call("config", "log", "web", "2").out
    assert "is version 1 again" in call("-v", "config", "restore", "web", "1").err
    assert call("config", "log", "web", "3").out == Path("web.cfg").read_text()
    assert "has no version 9" in call("config", "restore", "web", "9").err
    assert call("config", "log", "web", "first").status == 2


def test_autostart(call: Call) -> None:
    call("define", "web.cfg")
    assert call("autostart", "web", "--order", "5", "--delay", "2.5").status == 0
    (row,) = rows(call, "autostart")
    assert (row["autostart_order"], row["autostart_delay_s"]) == (5, 2.5)
    assert call("autostart", "--off", "web").status == 0
    assert rows(call, "autostart")[0]["autostart_order"] is None
    for words in (("--order", "x"), ("--delay", "-1"), ("--off", "--order", "1")):
        assert call("autostart", *words, "web").status == 2
    assert call("autostart", "nosuch").status == 1


def test_edit(call: Call, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call("define", "web.cfg")
    editor(place, 'test "$1" = --first && sed -i "s/memory = 64/memory = 96/" "$2"', monkeypatch)
    result = call("edit", "web")
    assert (result.status, result.err) == (0, "web is at version 2; it counts from its next start on\n")
    assert "memory = 96" in call("config", "log", "web", "2").out
    assert call("edit", "web").err == "web was not changed\n"
    assert not list(place.glob("xlpy-*"))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('echo nonsense >>"$2"', ":5:"),
        ('sed -i "s/web/other/" "$2"', "the name is 'other' now"),
        ('sed -i "s/64/65/" "$2"; exit 3', "the editor ended with status 3"),
    ],
)
def test_an_edit_that_comes_to_nothing_is_kept(
    body: str, said: str, call: Call, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("define", "web.cfg")
    editor(place, body, monkeypatch)
    result = call("edit", "web")
    assert result.status != 0
    assert said in result.err
    (kept,) = place.glob("xlpy-*")
    assert str(kept) in result.err
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert len(rows(call, "config", "log", "web")) == 1


def test_an_edit_that_somebody_was_quicker_than(
    call: Call, place: Path, monkeypatch: pytest.MonkeyPatch, host: object
) -> None:
    call("define", "web.cfg")
    from xlpy.cli import edit as edit_module

    run_editor = edit_module._run_editor

    def meanwhile(path: str) -> None:
        definition = host.domain_definition("web")  # type: ignore[attr-defined]
        host.define_domain(definition.config, "name='web' # quicker")  # type: ignore[attr-defined]
        run_editor(path)

    monkeypatch.setattr(edit_module, "_run_editor", meanwhile)
    editor(place, 'echo "# mine" >>"$2"', monkeypatch)
    result = call("edit", "web")
    assert result.status == 1
    assert "changed meanwhile" in result.err
    assert call("config", "log", "web", "2").out == "name='web' # quicker"


def test_relative_paths_begin_where_it_was_defined(
    call: Call, place: Path, monkeypatch: pytest.MonkeyPatch, fake: FakeEngine
) -> None:
    call("define", "web.cfg")
    editor(place, 'echo "vcpus = 2" >>"$2"', monkeypatch)
    (place / "elsewhere").mkdir()
    os.chdir(place / "elsewhere")
    assert call("edit", "web").status == 0
    assert call("start", "web").status == 0
    assert fake.domain_config(fake.find_domain("web").domid).b_info.kernel == str(place / "vmlinuz")


def test_an_editor_that_is_not_there(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    call("define", "web.cfg")
    monkeypatch.setenv("EDITOR", "/nonexistent/editor")
    result = call("edit", "web")
    assert result.status == 1
    assert "cannot be started" in result.err
