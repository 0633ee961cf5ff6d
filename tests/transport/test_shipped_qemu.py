"""Guests of a host that had only Python: made, saved and moved by the code that was shipped there."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from eventually import eventually
from relayed import Box

from xlpy.client.migrate import migrate
from xlpy.client.restore import restore_from_file
from xlpy.client.save import save_to_file
from xlpy.model.domain import DomainInfo
from xlpy.model.domain_config import DomainBuildInfo, DomainConfig, DomainCreateInfo

pytestmark = pytest.mark.qemu


@pytest.fixture
def boxes(tmp_path: Path) -> Iterator[list[Box]]:
    boxes = [Box(tmp_path / name) for name in "ab"]
    for box in boxes:
        box.directory.mkdir()
        box.log_in()
        assert box.introduction is not None
        assert box.introduction.started
    yield boxes
    for box in boxes:
        host = box.connect()
        for domain in host.list_domains():
            if domain.domid:
                host.destroy_domain(domain.domid)
        box.close()


def guest(name: str) -> DomainConfig:
    """A guest with firmware and nothing to boot."""
    return DomainConfig(
        c_info=DomainCreateInfo(type="hvm", name=name),
        b_info=DomainBuildInfo(max_memkb=32 << 10, target_memkb=32 << 10, max_vcpus=1),
    )


def runs(info: DomainInfo) -> bool:
    """Whether it has its processors, even if it does nothing with them."""
    return info.running or info.blocked


def test_guest_is_saved_to_a_file_here_and_restored(boxes: list[Box], tmp_path: Path) -> None:
    host = boxes[0].connect()
    domid = host.create_domain(guest("web"))
    uuid = host.domain_info(domid).uuid
    save_to_file(host, domid, str(tmp_path / "web.save"))
    assert [info.domid for info in host.list_domains()] == [0]
    restored = restore_from_file(host, str(tmp_path / "web.save"))
    info = host.domain_info(restored)
    assert info.uuid == uuid
    assert runs(info)


def test_guest_moves_from_box_to_box(boxes: list[Box]) -> None:
    source, target = (box.connect() for box in boxes)
    domid = source.create_domain(guest("web"))
    migrate(source, target, domid)
    assert [info.domid for info in source.list_domains()] == [0]
    assert runs(target.find_domain("web"))


def test_guest_outlives_xlpyd_and_agent(boxes: list[Box]) -> None:
    host = boxes[0].connect()
    domid = host.create_domain(guest("web"))
    first = host.hello.pid
    started_s = host.domain_info(domid).start_time_s
    os.kill(first, signal.SIGKILL)
    boxes[0].links[0].kill()
    eventually(lambda: boxes[0].relays[0].broken)
    eventually(lambda: not Path(f"/proc/{first}").exists())
    host.close()
    boxes[0].log_in()
    info = host.find_domain("web")
    assert (info.domid, info.start_time_s) == (domid, started_s)
    assert runs(info)
    assert host.hello.pid != first
