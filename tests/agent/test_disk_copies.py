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


def test_all_reasons_at_once(hosts: Hosts) -> None:
    read_only = hosts.place / "ro.img"
    read_only.write_bytes(bytes(512))
    domid = sent_domain(hosts, disk("xvdb", read_only, readwrite=0), size_mib=1)
    hosts.disks("b").rmdir()
    read_only.unlink()
    found = [(item.host, item.finding.code) for item in hosts.migration(domid).check()]
    assert found == [("host-b", "config"), ("host-b", "config")]
    hosts.disks("b").mkdir()


def in_the_middle(act: Callable[[], object]) -> Callable[[TransferProgress], None]:
    """Do something once, when part of the disks has been copied."""
    done: list[bool] = []

    def report(moment: TransferProgress) -> None:
        if not done and moment.phase == "disks" and moment.transferred_bytes:
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
