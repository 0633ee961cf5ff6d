"""Disks, cards, vcpus, memory and buttons of a guest that runs; what the guest sees decides."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from domain_configs import PVH, cdrom, disk
from eventually import eventually
from live_guest import LiveGuest, guest_config

from xlpy.engine.qemu.engine import QemuEngine
from xlpy.engine.qemu.qmp import QmpClient
from xlpy.engine.reactor import Reactor
from xlpy.errors import ConfigError, DeviceNotFound, EngineError, InvalidState, NotSupported
from xlpy.model.domain import DomainEnd, ShutdownReason
from xlpy.model.domain_config import NicConfig

pytestmark = pytest.mark.qemu


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of different sizes, to tell them apart in the guest."""
    directory = tmp_path_factory.mktemp("images")
    for name, size in (("root", 16), ("data", 24), ("more", 40), ("cd1", 3), ("cd2", 5)):
        with open(directory / f"{name}.raw", "wb") as file:
            file.truncate(size << 20)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", directory / "data.qcow2", "56M"], check=True)
    return directory


@pytest.fixture(scope="module")
def ends() -> list[DomainEnd]:
    return []


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, ends: list[DomainEnd]) -> Iterator[QemuEngine]:
    directory = tmp_path_factory.mktemp("engine")
    engine = QemuEngine(str(directory / "run"), str(directory))
    (directory / "run").mkdir()
    engine.start(ends.append)
    yield engine
    for domain in engine.domains():
        engine.destroy_domain(domain.domid)
    engine.close()


@pytest.fixture(scope="module")
def guest(engine: QemuEngine, images: Path) -> Iterator[LiveGuest]:
    """One guest for all tests that leave it as they found it."""
    config = guest_config(
        PVH,
        disks=(
            disk("xvda", images / "root.raw"),
            disk("xvdb1", images / "data.qcow2", "qcow2"),
            cdrom("xvdd"),
        ),
        nics=(NicConfig(mac="00:16:3e:00:00:01"),),
        max_vcpus=3,
        avail_vcpus=(0, 1),
        max_memkb=192 * 1024,
    )
    guest = LiveGuest(engine, config)
    yield guest
    guest.close()


def disks_of(guest: LiveGuest) -> dict[str, str]:
    """Serial number to size in MiB of the disks that the guest has, and sr0's size."""
    lines = [line.split() for line in guest.run("disks").splitlines() if line.startswith("disk")]
    return {words[3] if words[1] != "sr0" else "sr0": words[5] for words in lines}


def names_of(engine: QemuEngine, domid: int) -> list[str]:
    return [info.vdev for info in engine.list_disks(domid)]


def test_the_guest_has_the_disks_of_its_configuration(guest: LiveGuest) -> None:
    found = disks_of(guest)
    assert (found["xvda"], found["xvdb1"]) == ("16", "56")
    listed = guest.engine.list_disks(guest.domid)
    assert [(info.devid, info.state) for info in listed] == [(51712, 4), (51729, 4), (51760, 4)]
    assert listed[0].backend_path == f"/local/domain/0/backend/vbd/{guest.domid}/51712"


def test_a_disk_comes_and_goes(guest: LiveGuest, images: Path) -> None:
    guest.engine.attach_disk(guest.domid, disk("xvdc", images / "more.raw"))
    guest.run_until("disks", lambda text: "serial xvdc mib 40" in text)
    assert guest.engine.domain_config(guest.domid).disks[-1].vdev == "xvdc"
    guest.engine.detach_disk(guest.domid, "xvdc")
    guest.run_until("disks", lambda text: "xvdc" not in text)
    assert "xvdc" not in names_of(guest.engine, guest.domid)
    # the image is free again at once
    guest.engine.attach_disk(guest.domid, disk("xvdc", images / "more.raw"))
    guest.engine.detach_disk(guest.domid, "51744")


def test_force_takes_the_image_away_and_the_guest_sees_errors(guest: LiveGuest, images: Path) -> None:
    guest.engine.attach_disk(guest.domid, disk("xvde", images / "more.raw"))
    guest.run_until("disks", lambda text: "serial xvde" in text)
    guest.engine.pause_domain(guest.domid)  # a guest that doesn't answer
    guest.engine.detach_disk(guest.domid, "xvde", force=True)
    closing = [info.vdev for info in guest.engine.list_disks(guest.domid) if info.state == 5]
    assert closing == ["xvde"]
    assert [one.vdev for one in guest.engine.domain_config(guest.domid).disks] == ["xvda", "xvdb1", "xvdd"]
    guest.engine.attach_disk(guest.domid, disk("xvdf", images / "more.raw"))
    guest.engine.unpause_domain(guest.domid)
    eventually(lambda: "xvde" not in names_of(guest.engine, guest.domid))
    guest.engine.detach_disk(guest.domid, "xvdf")


def test_a_failed_attach_leaves_nothing_behind(guest: LiveGuest, images: Path) -> None:
    before = guest.engine.list_disks(guest.domid), guest.engine.domain_config(guest.domid)
    with pytest.raises(InvalidState, match="in use by another domain"):
        guest.engine.attach_disk(guest.domid, disk("xvdc", images / "data.qcow2", "qcow2"))
    with pytest.raises(ConfigError, match="no such file"):
        guest.engine.attach_disk(guest.domid, disk("xvdc", images / "nothing"))
    with pytest.raises(InvalidState, match="has a disk xvda already"):
        guest.engine.attach_disk(guest.domid, disk("xvda", images / "more.raw"))
    with pytest.raises(DeviceNotFound, match="has no disk xvdz"):
        guest.engine.detach_disk(guest.domid, "xvdz")
    assert (guest.engine.list_disks(guest.domid), guest.engine.domain_config(guest.domid)) == before
    guest.engine.attach_disk(guest.domid, disk("xvdc", images / "more.raw"))
    guest.engine.detach_disk(guest.domid, "xvdc")


def test_a_cd_is_changed_and_ejected(guest: LiveGuest, images: Path) -> None:
    for name, shown in (("cd1", f"{3 << 20}\n"), ("cd2", f"{5 << 20}\n")):
        guest.engine.insert_cdrom(guest.domid, cdrom("xvdd", images / f"{name}.raw"))
        guest.run_until("blockdev --getsize64 /dev/sr0", shown.__eq__)
        assert guest.engine.list_disks(guest.domid)[2].target == str(images / f"{name}.raw")
    with pytest.raises(ConfigError, match="no such file"):
        guest.engine.insert_cdrom(guest.domid, cdrom("xvdd", images / "nothing"))
    assert guest.engine.list_disks(guest.domid)[2].target == str(images / "cd2.raw"), "the old one stays"
    guest.engine.insert_cdrom(guest.domid, cdrom("xvdd"))
    assert guest.engine.list_disks(guest.domid)[2].target is None
    with pytest.raises(ConfigError, match="is no CD drive"):
        guest.engine.insert_cdrom(guest.domid, cdrom("xvda", images / "cd1.raw"))


def test_a_card_comes_and_goes(guest: LiveGuest) -> None:
    guest.engine.attach_nic(guest.domid, NicConfig(mac="00:16:3e:00:00:02"))
    guest.run_until("net-info", lambda text: "00:16:3e:00:00:02" in text and text.count("10.0.2.15") == 2)
    assert [(nic.devid, nic.mac) for nic in guest.engine.list_nics(guest.domid)] == [
        (0, "00:16:3e:00:00:01"),
        (1, "00:16:3e:00:00:02"),
    ]
    guest.engine.detach_nic(guest.domid, "00:16:3e:00:00:02")
    guest.run_until("net-info", lambda text: "00:16:3e:00:00:02" not in text)
    with pytest.raises(DeviceNotFound, match="has no network card 1"):
        guest.engine.detach_nic(guest.domid, "1")


def test_vcpus_come_and_go(guest: LiveGuest) -> None:
    def online() -> list[bool]:
        return [vcpu.online for vcpu in guest.engine.list_vcpus(guest.domid)]

    assert online() == [True, True, False]
    guest.engine.set_vcpus_online(guest.domid, 3)
    guest.run_until("cpus", lambda text: "online 0-2" in text)
    assert online() == [True, True, True]
    if guest.engine.domain(guest.domid).record.accelerator == "tcg":
        with pytest.raises(NotSupported, match="vcpu 1,2 cannot be taken out"):
            guest.engine.set_vcpus_online(guest.domid, 1)
        assert online() == [True, True, True]
        return
    guest.engine.set_vcpus_online(guest.domid, 1)
    eventually(lambda: guest.engine.domain_config(guest.domid).b_info.avail_vcpus == (0,))
    assert online() == [True, False, False]
    guest.run_until("cpus", lambda text: "online 0\n" in text)
    guest.engine.set_vcpus_online(guest.domid, 2)
    guest.run_until("cpus", lambda text: "online 0-1" in text)


def test_a_vcpu_runs_where_it_is_pinned(guest: LiveGuest) -> None:
    last = max(os.sched_getaffinity(0))
    guest.engine.set_vcpu_affinity(guest.domid, 0, hard=(last,))
    tid = guest.engine.domain(guest.domid).vcpu_tids[0]
    assert os.sched_getaffinity(tid) == {last}
    guest.run("cpus")
    assert guest.engine.list_vcpus(guest.domid)[0].cpu == last
    guest.engine.set_vcpu_affinity(guest.domid, None, hard=tuple(os.sched_getaffinity(0)))
    assert os.sched_getaffinity(tid) == os.sched_getaffinity(0)


def test_the_balloon_moves_and_is_believed(guest: LiveGuest) -> None:
    def current_mib() -> int:
        return guest.engine.domain_info(guest.domid).current_memory_kib // 1024

    eventually(lambda: current_mib() == 128)  # maxmem is 192
    guest.engine.set_memory_target(guest.domid, 96 * 1024)
    eventually(lambda: current_mib() == 96)
    guest.engine.set_memory_target(guest.domid, 160 * 1024)
    eventually(lambda: current_mib() == 160)
    with pytest.raises(InvalidState, match="may have: 192 MiB"):
        guest.engine.set_memory_target(guest.domid, 193 * 1024)
    guest.engine.set_memory_target(guest.domid, 96 * 1024)
    guest.engine.set_max_memory(guest.domid, 100 * 1024)
    guest.engine.set_memory_target(guest.domid, 120 * 1024)  # the limit follows, as under xl
    assert guest.engine.domain_info(guest.domid).max_memory_kib == 120 * 1024
    guest.engine.set_memory_target(guest.domid, 128 * 1024)


def test_counters_count(guest: LiveGuest) -> None:
    def counters() -> tuple[int, int, int]:
        stats = {one.domid: one for one in guest.engine.domain_stats()}[guest.domid]
        return stats.cpu_time_ns, stats.disk_write_bytes, stats.disk_read_bytes

    before = counters()
    guest.run(
        "dd if=/dev/zero of=/dev/vda bs=64k count=16 conv=fsync; dd if=/dev/vda of=/dev/null bs=64k count=64"
    )
    after = counters()
    assert after[0] > before[0]
    assert after[1] - before[1] >= 16 << 16


def test_a_core_is_an_elf_file_and_the_guest_goes_on(guest: LiveGuest, tmp_path: Path) -> None:
    core = tmp_path / "core"
    guest.engine.dump_core(guest.domid, os.open(core, os.O_WRONLY | os.O_CREAT))
    with open(core, "rb") as file:
        head = file.read(20)
    assert head[:4] == b"\x7fELF"
    assert head[16] == 4, "ET_CORE"
    assert core.stat().st_size > 192 << 20
    assert guest.run("echo alive").strip() == "alive"


def test_a_core_can_go_through_a_socket(guest: LiveGuest) -> None:
    ours, theirs = socket.socketpair()
    received = []

    def receive() -> None:
        while part := ours.recv(1 << 20):
            received.append(len(part))

    receiver = threading.Thread(target=receive)
    receiver.start()
    guest.engine.dump_core(guest.domid, theirs.detach())
    receiver.join(30)
    ours.close()
    assert sum(received) > 192 << 20


def test_a_core_that_cannot_be_written_is_an_error_and_the_guest_goes_on(guest: LiveGuest) -> None:
    with pytest.raises(EngineError, match="the core could not be written") as caught:
        guest.engine.dump_core(guest.domid, os.open("/dev/full", os.O_WRONLY))
    assert "No space left" in (caught.value.detail or "")
    eventually(lambda: not guest.engine.domain_info(guest.domid).paused)
    assert guest.run("echo alive").strip() == "alive"


def test_sysrq_and_nmi_reach_the_kernel(guest: LiveGuest) -> None:
    guest.engine.send_sysrq(guest.domid, "s")
    guest.run_until("dmesg | grep -c 'Emergency Sync'", lambda text: text.strip() not in ("", "0"))
    guest.engine.send_trigger(guest.domid, "nmi")
    guest.run_until("dmesg | grep -c NMI", lambda text: text.strip() not in ("", "0"))
    with pytest.raises(InvalidState, match="is not asleep"):
        guest.engine.send_trigger(guest.domid, "s3resume")
    for trigger in ("init", "sleep", "coffee"):
        with pytest.raises(NotSupported):
            guest.engine.send_trigger(guest.domid, trigger)


def test_a_paused_guest_is_not_asked_what_it_cannot_hear(guest: LiveGuest) -> None:
    guest.engine.pause_domain(guest.domid)
    for ask in (guest.engine.shutdown_domain, guest.engine.reboot_domain):
        with pytest.raises(InvalidState, match="is paused"):
            ask(guest.domid)
    guest.engine.unpause_domain(guest.domid)


def test_what_was_plugged_in_moves_along(guest: LiveGuest, images: Path, tmp_path: Path) -> None:
    """A restored machine has every device where it was, or its state would not fit."""
    engine = guest.engine
    engine.attach_disk(guest.domid, disk("xvdc", images / "more.raw"))
    engine.attach_disk(guest.domid, disk("xvde", images / "cd1.raw"))
    engine.attach_nic(guest.domid, NicConfig(mac="00:16:3e:00:00:02"))
    engine.insert_cdrom(guest.domid, cdrom("xvdd", images / "cd2.raw"))
    guest.run_until("disks", lambda text: "serial xvdc" in text and "serial xvde" in text)
    guest.run_until("net-info", lambda text: "00:16:3e:00:00:02" in text)
    engine.pause_domain(guest.domid)
    engine.detach_disk(guest.domid, "xvde", force=True)  # it is still closing when it moves
    before = engine.list_disks(guest.domid), engine.list_nics(guest.domid)

    saved = engine.describe_domain(guest.domid)
    engine.save_domain(guest.domid, os.open(tmp_path / "state", os.O_WRONLY | os.O_CREAT))
    engine.destroy_domain(guest.domid)
    domid = engine.restore_domain(saved, os.open(tmp_path / "state", os.O_RDONLY))
    engine.accept_restored(domid)
    guest.follow(engine, domid)

    eventually(lambda: "xvde" not in names_of(engine, domid))
    assert [info.vdev for info in before[0] if info.state == 4] == names_of(engine, domid)
    assert [(nic.devid, nic.mac) for nic in before[1]] == [
        (nic.devid, nic.mac) for nic in engine.list_nics(domid)
    ]
    guest.run("dd if=/dev/vda of=/dev/null bs=64k count=4")
    assert guest.run("blockdev --getsize64 /dev/sr0").strip() == str(5 << 20)
    engine.detach_disk(domid, "xvdc")
    engine.detach_nic(domid, "1")
    engine.insert_cdrom(domid, cdrom("xvdd"))


def test_what_left_while_no_xlpyd_ran_is_noticed_by_the_next(tmp_path: Path, images: Path) -> None:
    first = QemuEngine(str(tmp_path), str(tmp_path))
    first.start(lambda end: None)
    guest = LiveGuest(first, guest_config(PVH, memory_mib=96))
    first.attach_disk(guest.domid, disk("xvdc", images / "more.raw"))
    guest.run_until("disks", lambda text: "serial xvdc" in text)
    socket_path = first.domain(guest.domid).files.qmp_socket
    first.close()

    unplug_behind_the_engines_back(socket_path, "disk-xvdc")

    second = QemuEngine(str(tmp_path), str(tmp_path))
    second.start(lambda end: None)
    guest.engine = second
    assert names_of(second, guest.domid) == []
    second.attach_disk(guest.domid, disk("xvdc", images / "more.raw"))
    second.detach_disk(guest.domid, "xvdc")
    guest.close()
    second.close()


def unplug_behind_the_engines_back(socket_path: str, device_id: str) -> None:
    """What a guest does by itself, or grants late: a device leaves and only QEMU knows."""
    left = threading.Event()
    reactor = Reactor("test")
    qmp = QmpClient.connect(
        socket_path,
        reactor,
        lambda name, data, time_s: left.set() if data.get("device") == device_id else None,
    )
    qmp.execute("device_del", {"id": device_id})
    assert left.wait(30)
    qmp.close()
    reactor.close()


def test_ctrl_alt_del_reboots(guest: LiveGuest, engine: QemuEngine, ends: list[DomainEnd]) -> None:
    """The last one for this guest."""
    engine.reboot_domain(guest.domid)
    eventually(lambda: DomainEnd(domid=guest.domid, reason=ShutdownReason.REBOOT) in ends)
    assert "has stopped: reboot" in engine.console_ring()
    with pytest.raises(InvalidState, match="has shut down"):
        engine.set_vcpus_online(guest.domid, 1)
