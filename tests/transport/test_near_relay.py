"""Everything a client does with a host works the same through the relays, and a kill at any place leaves no mess."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from eventually import eventually
from relayed import Box
from sample_configs import tiny, with_devices

from xlpy.client.host import Host
from xlpy.client.migrate import migrate
from xlpy.client.restore import restore_from_file
from xlpy.client.save import save_to_file
from xlpy.client.save_file import read_header
from xlpy.errors import ConnectError, DomainNotFound, Interrupted, XlError


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = Box(tmp_path)
    box.daemon.start()
    box.log_in()
    yield box
    box.close()


@pytest.fixture
def host(box: Box) -> Host:
    return box.connect()


def test_operations_and_their_errors(box: Box, host: Host) -> None:
    domid = host.create_domain(with_devices("web"), config_text='name = "web"\n')
    assert [info.name for info in host.list_domains()] == ["Domain-0", "web"]
    direct = box.daemon.connect()
    assert host.domain_info(domid) == direct.domain_info(domid)
    assert host.domain_config(domid) == direct.domain_config(domid)
    direct.close()
    with pytest.raises(DomainNotFound):
        host.domain_info(4711)


def test_large_message(host: Host) -> None:
    text = "# " + "x" * (3 << 20)
    domid = host.create_domain(tiny("large"), config_text=text)
    assert host.describe_domain(domid).config_text == text


def test_save_and_restore_through_files_here(host: Host, tmp_path: Path) -> None:
    domid = host.create_domain(with_devices("web"))
    uuid = host.domain_info(domid).uuid
    save_to_file(host, domid, str(tmp_path / "web.save"))
    assert restore_from_file(host, str(tmp_path / "web.save"))
    assert host.find_domain("web").uuid == uuid


def test_core_is_complete_when_the_answer_comes(host: Host, tmp_path: Path) -> None:
    domid = host.create_domain(tiny("web"))
    for number in range(20):
        path = tmp_path / f"core{number}"
        host.dump_core(domid, os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        assert path.stat().st_size == (tmp_path / "core0").stat().st_size > 0


def test_console(host: Host) -> None:
    domid = host.create_domain(tiny("web"))
    ours, theirs = socket.socketpair()
    ours.settimeout(20)
    host.open_console(domid, theirs.detach())
    with ours:
        ours.sendall(b"hello\n")
        heard = b""
        while b"hello" not in heard:
            heard += ours.recv(1000)


def test_migration_from_box_to_box(tmp_path: Path) -> None:
    boxes = [Box(tmp_path / name) for name in "ab"]
    try:
        for box in boxes:
            box.directory.mkdir()
            box.daemon.start()
            box.log_in()
        source, target = (box.connect() for box in boxes)
        domid = source.create_domain(with_devices("web"))
        migrate(source, target, domid)
        assert [info.name for info in source.list_domains()] == ["Domain-0"]
        assert target.find_domain("web").running
    finally:
        for box in boxes:
            box.close()


def test_many_clients_at_once(box: Box) -> None:
    answers: list[int] = []

    def ask() -> None:
        host = Host(box.open_channel)
        for _ in range(5):
            answers.append(len(host.list_domains()))
        host.close()

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == [1] * 100
    eventually(lambda: box.relays[0].clients == 0)


def test_agent_is_killed(box: Box, host: Host) -> None:
    host.list_domains()
    box.links[0].kill()
    with pytest.raises((Interrupted, ConnectError)):
        host.list_domains()
    eventually(lambda: box.relays[0].broken)
    with pytest.raises(ConnectError, match="the connection to box was lost"):
        host.list_domains()
    box.log_in()
    assert box.introduction is not None
    assert not box.introduction.started
    assert len(host.list_domains()) == 1


def test_xlpyd_is_killed(box: Box, host: Host) -> None:
    host.create_domain(tiny("web"))
    box.daemon.kill()
    with pytest.raises((Interrupted, ConnectError)):
        host.list_domains()
    box.daemon.start()
    assert [info.name for info in host.list_domains()] == ["Domain-0", "web"]


def test_near_side_goes_away(box: Box, host: Host) -> None:
    """The agent ends with its input, and xlpyd hears that its clients have gone."""
    host.list_domains()
    box.relays[0].close()
    assert box.links[0].exit_status() == 0
    assert box.links[0].said() == ""
    with pytest.raises(XlError):
        host.list_domains()


def state_bytes(path: Path) -> int:
    """The length of the guest's state in this save file."""
    with open(path, "rb", buffering=0) as file:
        read_header(file.fileno(), str(path))
        return len(file.read())


def test_agent_is_killed_in_mid_save(box: Box, host: Host, tmp_path: Path) -> None:
    """A save whose agent is killed leaves the domain running there, and no half file here."""
    domid = host.create_domain(tiny("web"))
    save_to_file(host, domid, f"{tmp_path}/web.save", afterwards="resume")
    complete = state_bytes(tmp_path / "web.save")
    for number in range(5):
        seen = threading.Event()

        def kill_soon(_: object, seen: threading.Event = seen) -> None:
            if not seen.is_set():
                seen.set()
                box.links[-1].kill()

        path = tmp_path / f"{number}.save"
        try:
            save_to_file(host, domid, str(path), afterwards="resume", progress=kill_soon)
        except (Interrupted, ConnectError):
            # if it is there, it was complete when the link broke
            assert not path.exists() or state_bytes(path) == complete
        else:
            assert state_bytes(path) == complete
        assert seen.is_set()
        box.log_in()
        eventually(lambda: host.domain_info(domid).running)
