"""A real guest on its way: ends of its own, saved, restored, moved live, and all that goes wrong meanwhile."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from domain_configs import HVM, PVH, disk
from eventually import eventually
from live_guest import CURRENT_GUEST, PROMPT, LiveGuest, guest_config

from xlpy.engine.qemu.engine import QemuEngine
from xlpy.errors import Aborted, ConfigError, EngineError, InvalidState, NotSupported
from xlpy.model.console_history import ConsoleHistory, unpacked_history
from xlpy.model.domain import DomainEnd, ShutdownReason
from xlpy.model.migration import MigrationLimits, SavedDomain, TransferProgress

pytestmark = pytest.mark.qemu


class Place:
    """An engine and what it said about ends."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self._directory = str(directory)
        self.ends: list[DomainEnd] = []
        self.engine = QemuEngine(self._directory, self._directory)
        self.engine.start(self.ends.append)

    def restart(self, meanwhile: Callable[[], None] = lambda: None) -> QemuEngine:
        self.engine.close()
        meanwhile()
        self.engine = QemuEngine(self._directory, self._directory)
        self.engine.start(self.ends.append)
        return self.engine

    def close(self) -> None:
        for domain in self.engine.domains():
            self.engine.destroy_domain(domain.domid)
        self.engine.close()


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Place, Place]]:
    monkeypatch.setenv("XLPY_ACCEL", "tcg")
    places = (Place(tmp_path / "a"), Place(tmp_path / "b"))
    yield places
    for place in places:
        place.close()


@pytest.fixture
def guest(places: tuple[Place, Place], tmp_path: Path) -> Iterator[LiveGuest]:
    image = tmp_path / "disk.img"
    image.write_bytes(bytes(1 << 20))
    guest = LiveGuest(places[0].engine, guest_config(PVH, disks=(disk("xvda", image),)))
    yield guest
    guest.hang_up()


def save_to(path: Path, engine: QemuEngine, domid: int, live: bool = False) -> SavedDomain:
    saved = engine.describe_domain(domid)
    final = engine.save_domain(domid, os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), live=live)
    assert final.phase == "completed"
    assert path.stat().st_size >= final.transferred_bytes > 0
    return saved


def all_said(engine: QemuEngine, domid: int) -> bytes:
    """What the console has said so far."""
    ours, theirs = socket.socketpair()
    with ours:
        assert engine.open_console(domid, theirs.detach(), follow=False) == 0
        return ours.makefile("rb").read()


def move(
    source: QemuEngine, domid: int, target: QemuEngine, progress: list[TransferProgress]
) -> tuple[int, tuple[ConsoleHistory, ...]]:
    """Migrate as the agent does, and return the domid there, and what its consoles have said meanwhile."""
    ours, theirs = socket.socketpair()
    saved = source.describe_domain(domid)
    saved = saved.replace(consoles=source.console_histories(domid))
    received: list[int] = []
    receiver = threading.Thread(target=lambda: received.append(target.restore_domain(saved, theirs.detach())))
    receiver.start()
    progress.append(source.save_domain(domid, ours.detach(), live=True, progress=progress.append))
    receiver.join(60)
    return received[0], source.console_histories(domid, saved.consoles)


def test_saved_taken_back_saved_restored_moved(
    places: tuple[Place, Place], guest: LiveGuest, tmp_path: Path
) -> None:
    """One long way, as booting is what takes time."""
    here, there = places[0].engine, places[1].engine
    domid = guest.domid
    guest.run("echo kept > /tmp/mark; echo written | dd of=/dev/vda conv=fsync 2>/dev/null")

    saved = save_to(tmp_path / "state", here, domid)
    info = here.domain_info(domid)
    assert (info.paused, info.shutdown) == (True, False)
    with pytest.raises(InvalidState, match="being saved"):
        here.unpause_domain(domid)
    with pytest.raises(InvalidState, match="being moved already"):
        here.save_domain(domid, os.open(os.devnull, os.O_WRONLY))
    here.resume_saved(domid)
    assert guest.run("cat /tmp/mark").strip() == "kept"
    with pytest.raises(InvalidState, match="was not saved"):
        here.resume_saved(domid)

    save_to(tmp_path / "state", here, domid, live=True)
    here.resume_saved(domid, paused=True)
    assert here.domain_info(domid).paused
    saved = save_to(tmp_path / "again", here, domid)  # one that stood still since it was saved
    here.destroy_domain(domid)

    with pytest.raises(ConfigError, match="disks are not those of the saved domain"):
        here.restore_domain(
            saved.replace(config=saved.config.replace(disks=())), os.open(tmp_path / "again", os.O_RDONLY)
        )
    with pytest.raises(NotSupported, match="saved by the libxl engine"):
        here.restore_domain(saved.replace(stream_format="libxl"), os.open(tmp_path / "again", os.O_RDONLY))
    domid = here.restore_domain(saved, os.open(tmp_path / "again", os.O_RDONLY))
    info = here.domain_info(domid)
    assert (info.name, info.paused, info.start_time_s) == ("web--incoming", True, saved.start_time_s)
    here.accept_restored(domid)
    here.accept_restored(domid)
    assert here.domain_info(domid).name == "web"
    guest.follow(here, domid)
    assert guest.run("cat /tmp/mark").strip() == "kept"

    progress: list[TransferProgress] = []
    guest.run("{ while true; do echo tick; sleep 0.02; done & }")
    arrived, said = move(here, domid, there, progress)
    assert (progress[-1].phase, progress[-1].remaining_bytes) == ("completed", 0)
    assert progress[-1].elapsed_ms > 0
    assert b"tick" in unpacked_history(said[0])
    before = all_said(here, domid)
    there.accept_restored(arrived, consoles=said)
    here.destroy_domain(domid)
    guest.follow(there, arrived)
    assert all_said(there, arrived).startswith(before), "the console goes on where it was"
    guest.run("kill %1")
    assert guest.run("cat /tmp/mark; head -c 7 /dev/vda").split() == ["kept", "written"]
    assert there.domain(arrived).record.machine == saved_machine(there, saved)


@pytest.mark.skipif(
    not (CURRENT_GUEST / "generic").exists(), reason="the kernel with a driver for the watchdog isn't built"
)
def test_a_watchdog_that_is_not_fed(places: tuple[Place, Place]) -> None:
    place = places[0]
    guest = LiveGuest(place.engine, guest_config(HVM, memory_mib=256))
    guest.run("feed-watchdog 2 && feed-watchdog stop")
    eventually(lambda: place.ends, 60)
    assert place.ends == [DomainEnd(domid=guest.domid, reason=ShutdownReason.WATCHDOG)]
    engine = place.restart()
    assert engine.domain_info(guest.domid).shutdown_reason is ShutdownReason.WATCHDOG
    guest.hang_up()


def test_xlpyd_ends_in_the_middle_of_a_save(places: tuple[Place, Place], tmp_path: Path) -> None:
    place = places[0]
    config = guest_config(PVH, kernel=None, ramdisk=None)
    domid = place.engine.create_domain(config)
    ours, theirs = socket.socketpair()
    looked = threading.Event()
    caught: list[BaseException] = []

    def send() -> None:
        limits = MigrationLimits(bandwidth_bytes_per_s=1)
        try:
            engine.save_domain(domid, theirs.detach(), limits, live=True, progress=lambda _: looked.set())
        except EngineError as error:
            caught.append(error)

    engine = place.engine
    sender = threading.Thread(target=send)
    sender.start()
    assert looked.wait(30)
    engine = place.restart()
    sender.join(30)
    assert len(caught) == 1
    assert engine.domain(domid).record.phase == "saving"
    engine.resume_saved(domid)
    assert engine.domain(domid).record.phase == "running"
    eventually(lambda: not engine.domain_info(domid).paused)
    assert "running" in engine.qemu_monitor_command(domid, "info status")
    ours.close()


def saved_machine(engine: QemuEngine, saved: SavedDomain) -> object:
    from xlpy.engine.qemu.runtime_record import MachineRecord
    from xlpy.model.codec import record_from_wire

    assert engine.name == saved.stream_format
    return record_from_wire(MachineRecord, saved.machine)


def test_what_goes_wrong_leaves_the_guest_running(
    places: tuple[Place, Place], guest: LiveGuest, tmp_path: Path
) -> None:
    here, there = places[0].engine, places[1].engine
    domid = guest.domid

    # a full disk
    for live in (False, True):
        with pytest.raises(EngineError, match="No space left"):
            here.save_domain(domid, os.open("/dev/full", os.O_WRONLY), live=live)
        assert guest.run("echo alive").strip() == "alive"

    # a client that goes away, while the domain is paused: it stays so
    here.pause_domain(domid)
    ours, theirs = socket.socketpair()
    ours.close()
    with pytest.raises(EngineError, match="Broken pipe"):
        here.save_domain(domid, theirs.detach())
    assert here.domain_info(domid).paused
    here.unpause_domain(domid)
    assert guest.run("echo alive").strip() == "alive"

    # a transfer that nobody reads, settled by somebody else
    ours, theirs = socket.socketpair()
    looked = threading.Event()
    caught: list[BaseException] = []

    def send() -> None:
        try:
            limits = MigrationLimits(bandwidth_bytes_per_s=1 << 20)
            here.save_domain(domid, theirs.detach(), limits, live=True, progress=lambda _: looked.set())
        except Aborted as error:
            caught.append(error)

    sender = threading.Thread(target=send)
    sender.start()
    assert looked.wait(30)
    here.resume_saved(domid)
    ours.close()
    sender.join(30)
    assert len(caught) == 1
    assert guest.run("echo alive").strip() == "alive"

    # a client that raises out of its progress
    ours, theirs = socket.socketpair()

    def hang_up(_: TransferProgress) -> None:
        raise Aborted("the client doesn't wait any longer")

    with pytest.raises(Aborted, match="doesn't wait"):
        here.save_domain(
            domid, theirs.detach(), MigrationLimits(bandwidth_bytes_per_s=1), live=True, progress=hang_up
        )
    ours.close()
    assert guest.run("echo alive").strip() == "alive"

    # half a state
    state = tmp_path / "state"
    saved = save_to(state, here, domid, live=True)
    here.resume_saved(domid)
    os.truncate(state, state.stat().st_size // 2)
    with pytest.raises(EngineError, match="could not be taken in") as refused:
        there.restore_domain(saved, os.open(state, os.O_RDONLY))
    assert "load of migration failed" in (refused.value.detail or "")  # QEMU's own words
    assert len(there.list_domains()) == 1
    assert os.listdir(Path(there.run_dir) / "domains") == []
    assert guest.run("echo alive").strip() == "alive"

    # the domain's own QEMU
    ours, theirs = socket.socketpair()
    pid = here.domain(domid).process.pid

    def kill(_: TransferProgress) -> None:
        os.kill(pid, signal.SIGKILL)

    with pytest.raises(EngineError):
        here.save_domain(
            domid, theirs.detach(), MigrationLimits(bandwidth_bytes_per_s=1), live=True, progress=kill
        )
    ours.close()
    eventually(lambda: here.domain_info(domid).shutdown_reason is ShutdownReason.CRASH)


def test_ends_that_the_guest_chooses(places: tuple[Place, Place], guest: LiveGuest) -> None:
    place, engine = places[0], places[0].engine

    # a panic is told at once
    guest.type("crash")
    eventually(lambda: place.ends)
    assert place.ends == [DomainEnd(domid=guest.domid, reason=ShutdownReason.CRASH)]
    assert engine.domain_info(guest.domid).shutdown_reason is ShutdownReason.CRASH
    engine = place.restart()
    assert engine.domain_info(guest.domid).shutdown_reason is ShutdownReason.CRASH
    engine.destroy_domain(guest.domid)
    eventually(lambda: len(place.ends) == 2)

    # a reboot
    second = LiveGuest(engine, guest_config(PVH))
    second.type("reboot -f")
    eventually(lambda: len(place.ends) == 3)
    assert place.ends[-1] == DomainEnd(domid=second.domid, reason=ShutdownReason.REBOOT)
    second.hang_up()
    engine.destroy_domain(second.domid)

    # power off, while no engine looks; and the console has it all afterwards
    third = LiveGuest(engine, guest_config(PVH))
    log = Path(engine.domain(third.domid).files.console_log("pv", 0))
    third.type("sleep 1; poweroff -f")
    third.expect(b"poweroff")
    events = Path(engine.domain(third.domid).files.events + ".out")
    engine = place.restart(lambda: eventually(lambda: b"SHUTDOWN" in events.read_bytes(), 60))
    assert engine.domain_info(third.domid).shutdown_reason is ShutdownReason.POWEROFF
    said = log.read_bytes()
    third.hang_up()
    ours, theirs = socket.socketpair()
    ours.settimeout(10)
    engine.open_console(third.domid, theirs.detach())
    shown = b""
    while len(shown) < len(said):
        shown += ours.recv(65536)
    assert shown == said
    assert PROMPT in shown
    ours.close()
