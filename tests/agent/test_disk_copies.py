"""migrate --with-disks: disks go along while the guest writes to them, and on a failure nothing is left of the copies."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from domain_configs import PVH, cdrom, disk
from eventually import eventually
from in_process import InProcessHost
from live_guest import LiveGuest, guest_config
from sample_configs import tiny

from xlpy.client.host import Host
from xlpy.client.migrate import Migration
from xlpy.engine.qemu.engine import QemuEngine
from xlpy.engine.qemu.files import domids_with_files
from xlpy.errors import Aborted, DomainExists, EngineError, InvalidState, XlError
from xlpy.model.domain_config import DiskConfig, DomainConfig
from xlpy.model.migration import MigrationLimits, TransferProgress

pytestmark = pytest.mark.qemu

SLOWLY = MigrationLimits(bandwidth_bytes_per_s=64 << 10)


class Hosts:
    """Two hosts over QEMU without shared storage: what is under ``a`` on the first belongs under ``b`` on the second."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.agents: dict[str, InProcessHost] = {}
        self.clients: list[Host] = []
        for name in "ab":
            (place / name / "disks").mkdir(parents=True)
            self.start(name)

    def start(self, name: str) -> None:
        directory = self.place / name
        engine = QemuEngine(str(directory), str(directory))
        self.agents[name] = InProcessHost(engine, directory, f"host-{name}")

    def connect(self, name: str) -> Host:
        client = self.agents[name].connect()
        self.clients.append(client)
        return client

    def disks(self, name: str) -> Path:
        return self.place / name / "disks"

    def at_b(self, config: DomainConfig) -> DomainConfig:
        """The same domain with its disks where b has them."""
        return config.replace(disks=tuple(moved(one, self.disks("b")) for one in config.disks))

    def migrate(
        self, domid: int, progress: Callable[[TransferProgress], None] | None = None, **wishes: object
    ) -> tuple[int, TransferProgress]:
        migration = self.migration(domid, progress, **wishes)
        assert migration.prepare() == []
        return migration.run()

    def migration(
        self, domid: int, progress: Callable[[TransferProgress], None] | None = None, **wishes: object
    ) -> Migration:
        source = self.connect("a")
        config = self.at_b(source.domain_config(domid))
        return Migration(
            source, self.connect("b"), domid, config=config, with_disks=True, progress=progress, **wishes
        )  # type: ignore[arg-type]

    def engine(self, name: str) -> QemuEngine:
        engine = self.agents[name].engine
        assert isinstance(engine, QemuEngine)
        return engine

    def nothing_at_b(self) -> bool:
        """Neither disks nor a QEMU nor a record."""
        records = self.agents["b"].supervisor.store.records()
        return not (os.listdir(self.disks("b")) or domids_with_files(str(self.place / "b")) or records)

    def runs_at_a_without_traces(self, domid: int) -> bool:
        domain = self.engine("a").domain(domid)
        nodes = domain.qmp.execute("query-named-block-nodes", {"flat": True})
        return (
            domain.qmp.execute("query-status")["status"] == "running"
            and domain.record.phase == "running"
            and not domain.qmp.execute("query-block-jobs")
            and not [node for node in nodes if node["node-name"].startswith("copy-")]
        )

    def close(self) -> None:
        for client in self.clients:
            client.close()
        for name, agent in self.agents.items():
            for domain in self.engine(name).domains():
                agent.supervisor.destroy_domain(domain.domid)
            agent.close()


def moved(one: DiskConfig, directory: Path) -> DiskConfig:
    if not one.readwrite or not one.pdev_path:
        return one
    return one.replace(pdev_path=str(directory / Path(one.pdev_path).name))


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosts]:
    monkeypatch.setenv("XLPY_ACCEL", "tcg")
    hosts = Hosts(tmp_path)
    yield hosts
    hosts.close()


def raw_image(path: Path, size_mib: int) -> Path:
    """Mostly holes, with something at the beginning and near the end."""
    with path.open("wb") as file:
        file.write(os.urandom(1 << 20))
        file.seek((size_mib - 2) << 20)
        file.write(os.urandom(1 << 20))
        file.truncate(size_mib << 20)
    return path


def qcow2_image(path: Path, size_mib: int) -> Path:
    raw = raw_image(path.with_suffix(".raw"), size_mib)
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", raw, path], check=True)
    raw.unlink()
    return path


def compare(one: Path, other: Path, image_format: str) -> None:
    """Raises CalledProcessError unless all blocks are equal; one of them may be in use."""
    subprocess.run(
        ["qemu-img", "compare", "-U", "-f", image_format, "-F", image_format, one, other], check=True
    )


def used_bytes(path: Path) -> int:
    return path.stat().st_blocks * 512


def sent_domain(hosts: Hosts, *more: DiskConfig, size_mib: int = 64) -> int:
    """A domain of no guest, with a disk that takes its time."""
    image = hosts.disks("a") / "data.img"
    image.write_bytes(os.urandom(size_mib << 20))
    config = tiny("web", memory_kib=32 << 10).replace(disks=(disk("xvda", image), *more))
    return hosts.connect("a").create_domain(config)


def test_every_block_is_there_after_a_guest_wrote_all_the_time(hosts: Hosts) -> None:
    a, b = hosts.disks("a"), hosts.disks("b")
    medium = hosts.place / "shared.iso"
    medium.write_bytes(b"cd" * 4096)
    config = guest_config(
        PVH,
        disks=(
            disk("xvda", raw_image(a / "root.img", 256)),
            disk("xvdb", qcow2_image(a / "data.qcow2", 64), "qcow2"),
            cdrom("xvdc", medium),
        ),
    )
    guest = LiveGuest(hosts.agents["a"].supervisor, config)  # type: ignore[arg-type]
    guest.run(
        "(while :; do dd if=/dev/urandom of=/dev/vda bs=64k count=8 seek=$((RANDOM % 3000)) 2>/dev/null;"
        " dd if=/dev/urandom of=/dev/vdb bs=64k count=8 seek=$((RANDOM % 900)) conv=fsync 2>/dev/null; done) & true"
    )
    seen: list[TransferProgress] = []
    domid, result = hosts.migrate(guest.domid, seen.append, paused=True)
    assert result.phase == "completed"
    assert seen[0].phase == "disks"
    compare(a / "root.img", b / "root.img", "raw")
    compare(a / "data.qcow2", b / "data.qcow2", "qcow2")
    assert used_bytes(b / "root.img") < 200 << 20, "what is empty was not filled"
    there = hosts.agents["b"].supervisor
    there.unpause_domain(domid)
    guest.follow(there, domid)  # type: ignore[arg-type]
    guest.run("kill %1; wait; dd if=/dev/vda of=/dev/vdb bs=64k count=16 conv=fsync 2>/dev/null")
    assert guest.run("cmp -n 1048576 /dev/vda /dev/vdb && echo equal").strip() == "equal"
    assert [info.domid for info in hosts.connect("a").list_domains()] == [0]
    guest.hang_up()


def test_a_file_in_its_place_is_never_touched(hosts: Hosts) -> None:
    domid = sent_domain(hosts, size_mib=1)
    (hosts.disks("b") / "data.img").write_text("precious")
    with pytest.raises(DomainExists, match=r"data\.img exists already, and is not overwritten"):
        hosts.migrate(domid)
    saved = hosts.connect("a").describe_domain(domid)
    saved = saved.replace(config=hosts.at_b(saved.config))
    with pytest.raises(DomainExists):  # nor by one who doesn't look first
        hosts.connect("b").prepare_incoming(saved)
    assert (hosts.disks("b") / "data.img").read_text() == "precious"
    assert hosts.runs_at_a_without_traces(domid)


@pytest.fixture
def devices(tmp_path: Path) -> Iterator[Callable[[Path], Path]]:
    """Makes a block device of a file."""
    made: list[str] = []

    def device(file: Path) -> Path:
        command = ["losetup", "--find", "--show", str(file)]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        if found.returncode:
            pytest.skip(f"there are no loop devices: {found.stderr}")
        made.append(found.stdout.strip())
        return Path(made[-1])

    yield device
    for name in made:
        subprocess.run(["losetup", "--detach", name], check=True)


def blank(path: Path, size_mib: int) -> Path:
    with path.open("wb") as file:
        file.truncate(size_mib << 20)
    return path


@pytest.fixture
def from_device(hosts: Hosts, devices: Callable[[Path], Path]) -> Callable[[Path], tuple[int, Migration]]:
    """A domain on a block device, and its migration onto another."""

    def begin(target: Path, **wishes: object) -> tuple[int, Migration]:
        image = hosts.disks("a") / "device.img"
        image.write_bytes(os.urandom(16 << 20))
        config = tiny("web", memory_kib=32 << 10).replace(disks=(disk("xvda", devices(image)),))
        source = hosts.connect("a")
        domid = source.create_domain(config)
        there = config.replace(disks=(config.disks[0].replace(pdev_path=str(target)),))
        migration = Migration(source, hosts.connect("b"), domid, config=there, with_disks=True, **wishes)  # type: ignore[arg-type]
        return domid, migration

    return begin


FromDevice = Callable[..., "tuple[int, Migration]"]


def test_onto_a_block_device(hosts: Hosts, devices: Callable[[Path], Path], from_device: FromDevice) -> None:
    image = blank(hosts.place / "there.img", 17)
    with image.open("r+b") as file:  # what somebody has left behind the part that is looked at
        file.seek(8 << 20)
        file.write(b"old" * 1000)
    target = devices(image)
    _, migration = from_device(target)
    assert migration.prepare() == []
    migration.run()
    there = target.read_bytes()
    assert there[: 16 << 20] == (hosts.disks("a") / "device.img").read_bytes()
    (domain,) = hosts.engine("b").domains()
    hosts.connect("b").destroy_domain(domain.domid)
    assert target.read_bytes() == there, "it is the domain's own since it was accepted"


def test_a_device_is_blank_again_after_a_failure(
    hosts: Hosts, devices: Callable[[Path], Path], from_device: FromDevice
) -> None:
    target = devices(blank(hosts.place / "there.img", 16))

    def press() -> None:
        raise KeyboardInterrupt

    def has_begun() -> bool:  # pieces are under way side by side, the first may end later
        return any(target.read_bytes()[:4096])

    domid, migration = from_device(
        target,
        progress=in_the_middle(press, has_begun),
        limits=MigrationLimits(bandwidth_bytes_per_s=1 << 20),
    )
    assert migration.prepare() == []
    with pytest.raises(Aborted, match="as it was before"):
        migration.run()
    eventually(hosts.nothing_at_b)
    assert target.is_block_device()
    assert not any(target.read_bytes()[: 1 << 20])
    eventually(lambda: hosts.runs_at_a_without_traces(domid))
    assert migration.check() == ()


def test_devices_that_cannot_be_written_to(
    hosts: Hosts, devices: Callable[[Path], Path], from_device: FromDevice
) -> None:
    used = devices(blank(hosts.place / "used.img", 16))
    small = devices(blank(hosts.place / "small.img", 8))
    full_image = blank(hosts.place / "full.img", 16)
    with full_image.open("r+b") as file:
        file.seek(65600)
        file.write(b"_BHRfS_M")
    other = tiny("other", memory_kib=32 << 10).replace(disks=(disk("xvda", used),))
    hosts.connect("b").create_domain(other)
    _, migration = from_device(small)
    for target, code, words in (
        (small, "engine", "has 8388608 bytes here, the disk has 16777216"),
        (devices(full_image), "domain-exists", "there is something on"),
        (used, "invalid-state", "is in use"),
        (Path("/dev/no-vg/web"), "config", "no block device /dev/no-vg/web of 16777216 bytes"),
        (Path("/dev/null"), "config", "is no block device"),
    ):
        migration._config = migration._config.replace(
            disks=(migration._config.disks[0].replace(pdev_path=str(target)),)
        )
        (finding,) = [item.finding for item in migration.check()]
        assert (finding.code, words in finding.text) == (code, True), finding.text
        if "no-vg" in str(target):
            assert finding.hint is not None
            assert finding.hint.startswith("lvcreate -n web -L 16777216b no-vg;")
    assert not full_image.read_bytes()[:4096].strip(b"\0")


def test_all_reasons_at_once(hosts: Hosts) -> None:
    read_only = hosts.place / "ro.img"
    read_only.write_bytes(bytes(512))
    domid = sent_domain(hosts, disk("xvdb", read_only, readwrite=0), size_mib=1)
    hosts.disks("b").rmdir()
    read_only.unlink()
    found = [(item.host, item.finding.code) for item in hosts.migration(domid).check()]
    assert found == [("host-b", "config"), ("host-b", "config")]
    hosts.disks("b").mkdir()


def in_the_middle(
    act: Callable[[], object], when: Callable[[], bool] = lambda: True
) -> Callable[[TransferProgress], None]:
    """Do something once, when part of the disks has been copied, and ``when`` says so, too."""
    done: list[bool] = []

    def report(moment: TransferProgress) -> None:
        if not done and moment.phase == "disks" and moment.transferred_bytes and when():
            done.append(True)
            act()

    return report


def test_interrupted(hosts: Hosts) -> None:
    domid = sent_domain(hosts)

    def press() -> None:
        raise KeyboardInterrupt

    with pytest.raises(Aborted, match="the domain is at host-a as it was before"):
        hosts.migrate(domid, in_the_middle(press), limits=SLOWLY)
    eventually(hosts.nothing_at_b)
    eventually(lambda: hosts.runs_at_a_without_traces(domid))


def test_called_off_by_another_client(hosts: Hosts) -> None:
    domid = sent_domain(hosts)
    abort = in_the_middle(lambda: hosts.connect("a").abort_transfer(domid))
    with pytest.raises(Aborted, match="called off by another client; the domain runs on at host-a"):
        hosts.migrate(domid, abort, limits=SLOWLY)
    eventually(hosts.nothing_at_b)
    assert hosts.runs_at_a_without_traces(domid)
    hosts.migrate(domid)
    compare(hosts.disks("a") / "data.img", hosts.disks("b") / "data.img", "raw")


def test_the_target_hangs_up(hosts: Hosts) -> None:
    domid = sent_domain(hosts)

    def lose() -> None:
        threading.Thread(target=hosts.agents["b"].hang_up).start()

    with pytest.raises(XlError):
        hosts.migrate(domid, in_the_middle(lose), limits=SLOWLY)
    eventually(hosts.nothing_at_b)
    eventually(lambda: hosts.runs_at_a_without_traces(domid))


def test_xlpyd_there_is_killed_and_the_next_one_clears_away(hosts: Hosts) -> None:
    domid = sent_domain(hosts)
    a, b = hosts.connect("a"), hosts.connect("b")
    saved = a.describe_domain(domid)
    saved = saved.replace(config=hosts.at_b(saved.config))
    b.prepare_incoming(saved)
    assert os.listdir(hosts.disks("b")) == ["data.img"]
    hosts.agents["b"].kill()
    hosts.start("b")
    assert hosts.nothing_at_b()
    assert hosts.connect("b").restored_outcome(saved.transfer_id or "") == "absent"


def test_disks_that_cannot_be_copied(hosts: Hosts) -> None:
    domid = sent_domain(hosts, cdrom("xvdb"), size_mib=1)
    one, other = socket.socketpair()
    with one, pytest.raises(InvalidState, match="is not being received"):
        hosts.connect("a").serve_disk(domid, "xvda", other.detach())
    one, other = socket.socketpair()
    with one, pytest.raises(InvalidState, match="the disk xvdb is read-only"):
        hosts.connect("a").copy_disk(domid, "xvdb", other.detach())
    one, other = socket.socketpair()
    one.close()
    with pytest.raises(EngineError, match="the target does not take the disk"):
        hosts.connect("a").copy_disk(domid, "xvda", other.detach())
    assert hosts.runs_at_a_without_traces(domid)
