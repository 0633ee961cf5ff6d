"""Saving to a file and restoring: what is left where after success and after every failure."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest
from eventually import eventually
from fake_engine import FakeEngine
from in_process import InProcessHost
from sample_configs import tiny, with_devices

from xlpy.client.host import Host
from xlpy.client.restore import _Reading, restore_from_file
from xlpy.client.save import AFTERWARDS, save_to_file
from xlpy.client.save_file import header_bytes
from xlpy.errors import Aborted, DomainExists, DomainNotFound, EngineError, Interrupted, XlError
from xlpy.model.migration import TransferProgress


@pytest.fixture(params=[False, True], ids=["through a pipe", "into the file"])
def fake(request: pytest.FixtureRequest) -> FakeEngine:
    """An engine that is given the file itself, or what it writes is taken from a pipe."""
    engine = FakeEngine()
    engine.saves_into_files = request.param
    return engine


@pytest.fixture
def web(host: Host, fake: FakeEngine) -> int:
    """A domain with a state of its own."""
    domid = host.create_domain(with_devices("web"), config_text='name = "web"\n')
    fake.guests[domid].ticks = 42
    return domid


def test_save_destroys_and_restore_brings_back(
    host: Host, fake: FakeEngine, web: int, tmp_path: Path
) -> None:
    config, uuid = host.domain_config(web), host.domain_info(web).uuid
    seen: list[TransferProgress] = []
    result = save_to_file(host, web, str(tmp_path / "web.save"), progress=seen.append)
    assert result.phase == "completed"
    assert [moment.transferred_bytes for moment in seen] == sorted(
        moment.transferred_bytes for moment in seen
    )
    assert seen
    assert [info.domid for info in host.list_domains()] == [0]
    assert [path.name for path in tmp_path.iterdir() if path.name != "state"] == ["web.save"]
    assert (tmp_path / "web.save").stat().st_mode & 0o777 == 0o600

    domid = restore_from_file(host, str(tmp_path / "web.save"))
    info = host.find_domain("web")
    assert (info.domid, info.running, info.uuid) == (domid, True, uuid)
    assert fake.guests[domid].ticks == 42
    assert host.domain_config(domid) == config
    assert host.describe_domain(domid).config_text == 'name = "web"\n'


@pytest.mark.parametrize("was_paused", [False, True])
@pytest.mark.parametrize("afterwards", AFTERWARDS)
def test_afterwards(
    host: Host, fake: FakeEngine, web: int, tmp_path: Path, afterwards: str, was_paused: bool
) -> None:
    if was_paused:
        host.pause_domain(web)
    save_to_file(host, web, str(tmp_path / "web.save"), afterwards=afterwards)
    if afterwards == "destroy":
        assert web not in fake.guests
    else:
        assert host.domain_info(web).paused is (was_paused or afterwards == "pause")
        assert not fake.guests[web].saved


def test_restore_paused_and_unsupervised(agent: InProcessHost, host: Host, web: int, tmp_path: Path) -> None:
    save_to_file(host, web, str(tmp_path / "web.save"))
    domid = restore_from_file(host, str(tmp_path / "web.save"), paused=True, supervised=False)
    assert host.domain_info(domid).paused
    record = agent.supervisor.store.by_domid(domid)
    assert record
    assert not record.supervised


def test_name_in_use_when_restoring(host: Host, web: int, tmp_path: Path) -> None:
    save_to_file(host, web, str(tmp_path / "web.save"), afterwards="resume")
    with pytest.raises(DomainExists):
        restore_from_file(host, str(tmp_path / "web.save"))
    assert [info.domid for info in host.list_domains()] == [0, web]


def test_another_configuration(host: Host, web: int, tmp_path: Path) -> None:
    save_to_file(host, web, str(tmp_path / "web.save"))
    uuid = "00000000-0000-4000-8000-000000000001"
    with pytest.raises(EngineError, match="another guest"):  # the fake's memory tells whose it is
        restore_from_file(host, str(tmp_path / "web.save"), config=tiny("other", uuid=uuid))
    assert [info.domid for info in host.list_domains()] == [0]


def test_through_pipes(host: Host, fake: FakeEngine, web: int, tmp_path: Path) -> None:
    fifo, copy = tmp_path / "fifo", tmp_path / "copy"
    os.mkfifo(fifo)
    reader = threading.Thread(target=lambda: copy.write_bytes(fifo.read_bytes()))
    reader.start()
    save_to_file(host, web, str(fifo))
    reader.join(20)
    writer = threading.Thread(target=lambda: fifo.write_bytes(copy.read_bytes()))
    writer.start()
    domid = restore_from_file(host, str(fifo))
    writer.join(20)
    assert fake.guests[domid].ticks == 42


def test_symbolic_link_is_written_through(host: Host, web: int, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "file")
    save_to_file(host, web, str(tmp_path / "link"), afterwards="resume")
    assert (tmp_path / "link").is_symlink()
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["file"]


@pytest.mark.parametrize("was_paused", [False, True])
def test_full_disk_leaves_the_domain_and_no_file(
    host: Host, fake: FakeEngine, web: int, was_paused: bool
) -> None:
    if was_paused:
        host.pause_domain(web)
    with pytest.raises(XlError, match="No space left on device"):
        save_to_file(host, web, "/dev/full")
    eventually(lambda: not fake.guests[web].saved)
    assert host.domain_info(web).paused is was_paused
    host.destroy_domain(web)


def test_old_file_stays_when_a_save_fails(host: Host, fake: FakeEngine, web: int, tmp_path: Path) -> None:
    path = tmp_path / "web.save"
    path.write_text("precious")
    fake.fail_next("save_domain", EngineError("no"))
    with pytest.raises(EngineError, match="no"):
        save_to_file(host, web, str(path))
    assert path.read_text() == "precious"
    assert {path.name for path in tmp_path.iterdir()} == {"web.save", "state"}
    assert host.domain_info(web).running


@pytest.mark.parametrize("path", ["/nowhere/file", "/"])
def test_place_that_cannot_be_written(host: Host, web: int, path: str) -> None:
    with pytest.raises(XlError, match="cannot write"):
        save_to_file(host, web, path)
    assert host.domain_info(web).running


def test_connection_lost_during_the_transfer(
    agent: InProcessHost, host: Host, fake: FakeEngine, web: int, tmp_path: Path
) -> None:
    def once() -> None:
        fake.guests[web].on_page = lambda: None
        agent.hang_up()

    fake.guests[web].on_page = once
    with pytest.raises(Interrupted, match="broke while save domain was running"):
        save_to_file(host, web, str(tmp_path / "web.save"))
    eventually(lambda: host.domain_info(web).running)
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_connection_lost_before_the_domain_is_destroyed(
    agent: InProcessHost,
    host: Host,
    fake: FakeEngine,
    web: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "xlpy.client.save.SaveTarget.close", lambda target: (os.close(target._fd), agent.hang_up())
    )
    with pytest.raises(Interrupted, match="is complete, but the domain could not be destroyed"):
        save_to_file(host, web, str(tmp_path / "web.save"))
    eventually(lambda: host.domain_info(web).running)
    assert (tmp_path / "web.save").exists()


def test_interrupt_gives_the_save_up(host: Host, fake: FakeEngine, web: int, tmp_path: Path) -> None:
    pressed: list[bool] = []

    def interrupt(moment: TransferProgress) -> None:
        if not pressed:
            pressed.append(True)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Aborted) as caught:
        save_to_file(host, web, str(tmp_path / "web.save"), progress=interrupt)
    assert caught.value.exit_status == 130
    assert host.domain_info(web).running
    assert not fake.guests[web].saved
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_a_save_that_stands_still_is_given_up_at_once(
    agent: InProcessHost, host: Host, fake: FakeEngine, web: int, tmp_path: Path
) -> None:
    """Whoever writes the state hears of it in the middle, and not when all is written."""
    written: list[bool] = []

    def stand_still() -> None:
        written.append(True)
        if fake.saves_into_files:
            assert fake.guests[web].cancelled.wait(20)

    def interrupt(moment: TransferProgress) -> None:
        if fake.guests[web].on_page is not stand_still:
            fake.guests[web].on_page = stand_still
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Aborted):
        save_to_file(host, web, str(tmp_path / "web.save"), progress=interrupt)
    eventually(lambda: host.domain_info(web).running)
    assert len(written) <= 1 or not fake.saves_into_files
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
    host.pause_domain(web)  # a connection of its own again


@pytest.mark.parametrize("fake", [True], indirect=True)
def test_a_file_that_takes_no_more(host: Host, fake: FakeEngine, web: int, tmp_path: Path) -> None:
    """The engine's own words for that become ours, which name the file."""
    fake.fail_next("save_domain", EngineError("the state cannot be written: No space left on device"))
    with pytest.raises(XlError, match=r"^cannot write .*/web.save: No space left on device") as caught:
        save_to_file(host, web, str(tmp_path / "web.save"))
    assert caught.value.hint == "the domain runs on; free some space, or save it elsewhere"
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
    assert host.domain_info(web).running


def test_unknown_domain(host: Host, tmp_path: Path) -> None:
    with pytest.raises(DomainNotFound):
        save_to_file(host, 99, str(tmp_path / "x"))
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "wrong magic"),
        (b"short", "wrong magic"),
        (b"#!/bin/sh\n" * 100, "wrong magic"),
        (b"Xen saved domain, xl format\n \0 \r" + b"\0" * 32, "other byte order"),
        (b"Xen saved domain, xlpy format 1 0000000009\n{}\n", "truncated"),
        (b"Xen saved domain, xlpy format 1 9999999999\n{}\n", "truncated"),
        (b"Xen saved domain, xlpy format 1 0000000003\n{}\n", "cannot be read"),
        (b"Xen saved domain, xlpy format 1 0000000003\n{{\n", "cannot be read"),
        (b"Xen saved domain, xlpy format 1 xxxxxxxxxx\n{}\n", "wrong magic"),
    ],
)
def test_what_is_no_save_file(host: Host, tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(XlError, match=complaint):
        restore_from_file(host, str(path))
    assert [info.domid for info in host.list_domains()] == [0]


def test_truncated_state(host: Host, web: int, tmp_path: Path) -> None:
    path = tmp_path / "file"
    save_to_file(host, web, str(path))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(EngineError, match="too early"):
        restore_from_file(host, str(path))
    assert [info.domid for info in host.list_domains()] == [0]


def test_header_stands_before_the_stream_and_names_no_transfer(host: Host, web: int) -> None:
    saved = host.describe_domain(web)
    assert saved.transfer_id
    header = header_bytes(saved)
    assert header.startswith(b"Xen saved domain, xlpy format 1 ")
    assert saved.transfer_id.encode() not in header


def test_how_far_a_file_has_been_read(tmp_path: Path) -> None:
    """An engine knows only that it reads; the file knows how far."""
    file = tmp_path / "state"
    file.write_bytes(bytes(1000))
    seen: list[TransferProgress] = []
    source = os.open(file, os.O_RDONLY)
    os.read(source, 200)  # the header
    with _Reading(source, seen.append) as reading:
        os.read(source, 300)
        reading.report(TransferProgress(phase="active", elapsed_ms=100))
        os.read(source, 500)
        reading.report(TransferProgress(phase="active", transferred_bytes=1, total_bytes=2))
    os.close(source)
    assert [(moment.phase, moment.transferred_bytes, moment.total_bytes) for moment in seen] == [
        ("active", 300, 800),
        ("active", 1, 2),
        ("completed", 800, 800),
    ]
    assert (seen[0].remaining_bytes, seen[0].rate_bytes_per_s) == (500, 3000)


def test_a_pipe_has_no_length(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    seen: list[TransferProgress] = []
    with _Reading(reader, seen.append) as reading:
        reading.report(TransferProgress(phase="active"))
    os.close(reader)
    os.close(writer)
    assert seen == [TransferProgress(phase="active")]
