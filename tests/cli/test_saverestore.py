"""save and restore: files, pipes, what is left afterwards, and what is said."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from command_line import Call
from fake_engine import FakeEngine
from recorded import GPV, GUESTS, Recording, populate
from sample_configs import tiny

from xlpy.client.save_file import read_header
from xlpy.config.domain import parse_domain_config
from xlpy.errors import EngineError
from xlpy.model.migration import SavedDomain


@pytest.fixture(autouse=True)
def guests(fake: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    populate(fake, *GUESTS)


OTHER = f'name="other"\nuuid="{GPV.uuid}"\ntype="pvh"\nkernel="/k"\nmemory=96\n'


def names(fake: FakeEngine) -> list[str | None]:
    return [guest.info.name for guest in fake.guests.values()]


def test_there_and_back(call: Call, fake: FakeEngine) -> None:
    result = call("save", "gpv", "gpv.save")
    assert (result.out, result.err, result.status) == ("", "", 0)
    assert "gpv" not in names(fake)
    result = call("restore", "gpv.save")
    assert (result.out, result.err, result.status) == ("", "", 0)
    restored = next(guest.info for guest in fake.guests.values() if guest.info.name == "gpv")
    assert restored.running
    assert restored.uuid == GPV.uuid


@pytest.mark.parametrize(("option", "paused"), [("-c", False), ("-p", True)])
def test_a_domain_that_stays(option: str, paused: bool, call: Call, fake: FakeEngine) -> None:
    assert call("save", option, "gpv", "gpv.save").status == 0
    assert fake.guests[GPV.domid].info.paused is paused
    assert Path("gpv.save").stat().st_size > 0


def test_restored_paused(call: Call, fake: FakeEngine) -> None:
    call("save", "gpv", "gpv.save")
    assert call("restore", "-p", "gpv.save").status == 0
    assert fake.guests[max(fake.guests)].info.paused


def test_another_config_comes_before_the_file(call: Call, fake: FakeEngine) -> None:
    Path("other.cfg").write_text(OTHER)
    call("save", "gpv", "gpv.save")
    assert call("restore", "other.cfg", "gpv.save").status == 0
    assert "other" in names(fake)


def test_a_config_and_a_domid_go_into_the_file(call: Call, fake: FakeEngine) -> None:
    Path("other.cfg").write_text(OTHER)
    assert call("save", "-D", "gpv", "gpv.save", "other.cfg").status == 0
    assert b'"other"' in Path("gpv.save").read_bytes()
    assert b'"domid":11' in Path("gpv.save").read_bytes()


def test_through_a_pipe(call: Call, fake: FakeEngine, tmp_path: Path) -> None:
    os.mkfifo("pipe")
    kept = bytearray()

    def read() -> None:
        with open("pipe", "rb") as pipe:
            kept.extend(pipe.read())

    reader = threading.Thread(target=read)
    reader.start()
    assert call("save", "-c", "gpv", "pipe").status == 0
    reader.join(10)
    assert not reader.is_alive()
    Path("from-pipe").write_bytes(kept)
    call("destroy", "gpv")
    assert call("restore", "from-pipe").status == 0
    assert "gpv" in names(fake)


@pytest.mark.parametrize("name", ["e-save-dir", "e-restore"])
def test_unusable_paths_as_recorded(name: str, xl: Call) -> None:
    recording = Recording(name)
    result = xl(*recording.words)
    assert (result.out, result.status) == (recording.out, recording.status)
    assert recording.err.splitlines()[-1] in result.err.splitlines()


def test_what_is_no_save_file_as_recorded(xl: Call, call: Call) -> None:
    recording = Recording("e-restore-bad")
    Path("gpv.cfg").write_text('name="gpv"\n')
    result = xl("restore", "gpv.cfg")
    assert (result.out, result.status) == (recording.out, recording.status)
    assert recording.err.splitlines()[0] in result.err.splitlines()
    assert "gpv.cfg" in call("restore", "gpv.cfg").err


def test_a_failed_save_leaves_the_domain_and_no_file(xl: Call, call: Call, fake: FakeEngine) -> None:
    for run in (call, xl):
        fake.fail_next("save_domain", EngineError("the disk is on fire"))
        result = run("save", "gpv", "gpv.save")
        assert result.status == 1
        assert "the disk is on fire" in result.err
        assert not fake.guests[GPV.domid].info.paused
        assert os.listdir() == ["state"]  # the agent's own
    assert "Failed to save domain, resuming domain" in result.err


def test_progress_on_request(call: Call, xl: Call) -> None:
    assert "save gpv: 100%" in call("-v", "save", "-c", "gpv", "a").err
    assert call("-v", "-q", "save", "-c", "gpv", "b").err == ""
    assert "\r" in xl("-t", "save", "-c", "gpv", "c").err


@pytest.mark.parametrize("command", ["save", "restore"])
def test_too_many_arguments(command: str, xl: Call, call: Call) -> None:
    assert xl(command, "a", "b", "c", "d").status == 1
    assert call(command, "a", "b", "c", "d").status == 2


def header(path: str) -> SavedDomain:
    source = os.open(path, os.O_RDONLY)
    try:
        return read_header(source, path)
    finally:
        os.close(source)


def test_a_file_carries_the_text_of_a_domain_that_has_none(call: Call, fake: FakeEngine) -> None:
    config = tiny("gpv", GPV.uuid, 96 << 10)
    fake.update_config(GPV.domid, config.replace(b_info=config.b_info.replace(kernel="/k")))
    assert fake.describe_domain(GPV.domid).config_text is None
    assert call("save", "-c", "gpv", "gpv.save").status == 0
    saved = header("gpv.save")
    assert saved.config_text is not None
    assert saved.config_text.startswith('name = "gpv"\n')
    read = parse_domain_config(saved.config_text, "saved").config
    assert (read.c_info.uuid, read.b_info.max_memkb, read.b_info.kernel) == (GPV.uuid, 96 << 10, "/k")


def test_a_file_carries_the_text_of_the_config_that_replaces_its_own(call: Call) -> None:
    Path("other.cfg").write_text(OTHER)
    assert call("save", "-c", "gpv", "gpv.save", "other.cfg").status == 0
    assert header("gpv.save").config_text == OTHER


def test_a_domain_without_words_is_saved_without_text(call: Call, fake: FakeEngine) -> None:
    assert fake.domain_config(GPV.domid).b_info.target_memkb % 1024 == 4  # a config file has whole MiB
    assert call("save", "-c", "gpv", "gpv.save").status == 0
    assert header("gpv.save").config_text is None
