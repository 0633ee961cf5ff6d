"""Every kind of disk and card in a machine that QEMU really makes; it is not let run, so that this is quick."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from domain_configs import HVM, PVH, cdrom, disk, domain_config
from live_guest import guest_config

from xlpy.engine.qemu.disk_image import BLOCK_DRIVERS
from xlpy.engine.qemu.engine import QemuEngine
from xlpy.engine.qemu.nics import MODELS
from xlpy.errors import InvalidState, NotSupported
from xlpy.model.domain import DomainType
from xlpy.model.domain_config import DiskConfig, DomainConfig, HvmInfo, NicConfig

pytestmark = pytest.mark.qemu


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QemuEngine]:
    directory = str(tmp_path_factory.mktemp("engine"))
    engine = QemuEngine(directory, directory)
    engine.start(lambda end: None)
    yield engine
    engine.close()


@pytest.fixture
def made(engine: QemuEngine) -> Iterator[Machines]:
    """Makes domains that don't run, and ends them."""
    machines = Machines(engine)
    yield machines
    for domain in engine.domains():
        engine.destroy_domain(domain.domid)


class Machines:
    def __init__(self, engine: QemuEngine) -> None:
        self.engine = engine

    def make(self, config: DomainConfig) -> int:
        """The domid of a paused domain."""
        return self.engine.create_domain(config, paused=True)

    def devices(self, domid: int) -> dict[str, str]:
        """Id and QEMU's type of all devices that have an id."""
        answer = self.engine.domain(domid).qmp.execute("qom-list", {"path": "/machine/peripheral"})
        return {item["name"]: item["type"].removeprefix("child<").rstrip(">") for item in answer}


def hvm_config(
    *disks: DiskConfig, hdtype: str | None = None, nics: tuple[NicConfig, ...] = ()
) -> DomainConfig:
    return domain_config(HVM, disks, nics, hvm=HvmInfo(hdtype=hdtype), target_memkb=32 * 1024)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "image"
    path.write_bytes(b"\0" * (1 << 20))
    return path


def more_images(tmp_path: Path, count: int) -> list[Path]:
    paths = [tmp_path / f"image{number}" for number in range(count)]
    for path in paths:
        path.write_bytes(b"\0" * 65536)
    return paths


@pytest.mark.parametrize("name", BLOCK_DRIVERS)
@pytest.mark.parametrize("readwrite", [0, 1])
def test_images_of_every_format(made: Machines, tmp_path: Path, name: str, readwrite: int) -> None:
    path = tmp_path / "image"
    subprocess.run(["qemu-img", "create", "-q", "-f", BLOCK_DRIVERS[name], path, "4M"], check=True)
    domid = made.make(guest_config(PVH, 32, disks=(disk("xvda", path, name, readwrite=readwrite),)))
    (info,) = made.engine.list_disks(domid)
    assert (info.format, info.target, info.readonly) == (name, str(path), not readwrite)


@pytest.mark.parametrize("kind", [DomainType.PV, DomainType.PVH, HVM])
@pytest.mark.parametrize("hdtype", [None, "ahci"])
def test_drives_on_all_buses(made: Machines, tmp_path: Path, kind: DomainType, hdtype: str | None) -> None:
    images = more_images(tmp_path, 4)
    disks = (
        disk("hda", images[0]),
        cdrom("hdc"),
        disk("sdb", images[1]),
        cdrom("hdd", images[2]),
        disk("xvdc", images[3]),
    )
    config = hvm_config(*disks, hdtype=hdtype) if kind is HVM else guest_config(kind, 32, disks=disks)
    domid = made.make(config)
    devices = made.devices(domid)
    assert {f"disk-{one.vdev}" for one in disks} <= set(devices)
    assert devices["disk-xvdc"] == "virtio-blk-pci"
    assert devices["disk-hda"] == ("ide-hd" if kind is HVM else "virtio-blk-pci")
    assert [info.vdev for info in made.engine.list_disks(domid)] == ["hda", "sdb", "hdc", "hdd", "xvdc"]
    made.engine.insert_cdrom(domid, cdrom("hdc", images[2]))
    made.engine.insert_cdrom(domid, cdrom("hdd"))
    targets = {info.vdev: info.target for info in made.engine.list_disks(domid)}
    assert (targets["hdc"], targets["hdd"]) == (str(images[2]), None)


def test_more_disks_and_cards_than_one_bus_takes(made: Machines, tmp_path: Path) -> None:
    names = [*(f"xvd{letter}" for letter in "abcdefghijklmnopqr"), "xvdaa", "xvda1", "xvda2"]
    disks = tuple(
        disk(name, path) for name, path in zip(names, more_images(tmp_path, len(names)), strict=True)
    )
    nics = tuple(NicConfig(script="vif-bridge") for _ in range(8))
    domid = made.make(guest_config(PVH, 32, disks=disks, nics=nics))
    devices = made.devices(domid)
    assert len([name for name in devices if name.startswith("disk-xvd")]) == len(names)
    assert (devices["disk-bridge"], devices["nic-bridge"]) == ("pci-bridge", "pci-bridge")
    assert [nic.devid for nic in made.engine.list_nics(domid)] == list(range(8))


def test_no_bridge_no_room_behind_it(made: Machines, image: Path) -> None:
    domid = made.make(guest_config(PVH, 32))
    assert "disk-bridge" not in made.devices(domid)
    with pytest.raises(NotSupported, match="no room for a disk xvda1"):
        made.engine.attach_disk(domid, disk("xvda1", image))
    with pytest.raises(NotSupported, match="no room for a network card 6"):
        made.engine.attach_nic(domid, NicConfig(devid=6))


@pytest.mark.parametrize("model", MODELS)
def test_cards_of_every_model(made: Machines, model: str) -> None:
    domid = made.make(hvm_config(nics=(NicConfig(model=model),)))
    assert made.devices(domid)["nic0"] == MODELS[model]


def test_emulated_buses_have_no_hot_plugging(made: Machines, image: Path, tmp_path: Path) -> None:
    domid = made.make(hvm_config(disk("hda", image)))
    (other,) = more_images(tmp_path, 1)
    with pytest.raises(NotSupported, match="on the ide bus cannot be attached"):
        made.engine.attach_disk(domid, disk("hdb", other))
    with pytest.raises(NotSupported, match="on the ide bus cannot be detached"):
        made.engine.detach_disk(domid, "hda")


def test_a_cd_drive_can_be_attached_to_a_pvh_guest(made: Machines, image: Path) -> None:
    domid = made.make(guest_config(PVH, 32))
    made.engine.attach_disk(domid, cdrom("xvdc", image))
    devices = made.devices(domid)
    assert (devices["scsi0"], devices["disk-xvdc"]) == ("virtio-scsi-pci", "scsi-cd")
    assert "scsi0" in made.engine.domain(domid).record.machine.slots, "a restored domain needs it too"


def test_an_image_in_use_is_named_and_nothing_stays(made: Machines, tmp_path: Path) -> None:
    first, second = more_images(tmp_path, 2)
    made.make(guest_config(PVH, 32, disks=(disk("xvda", first),)))
    with pytest.raises(InvalidState, match=f"disk xvdb: {first} is in use by another domain"):
        made.make(guest_config(PVH, 32, disks=(disk("xvda", second), disk("xvdb", first))))
    assert len(made.engine.domains()) == 1


def test_several_domains_may_read_one_image(made: Machines, image: Path) -> None:
    for _ in range(2):
        made.make(guest_config(PVH, 32, disks=(disk("xvda", image, readwrite=0),)))
    assert len(made.engine.domains()) == 2


def test_vcpus_are_plugged_as_configured_and_pinned(made: Machines) -> None:
    last = max(os.sched_getaffinity(0))
    domid = made.make(
        guest_config(PVH, 32, max_vcpus=4, avail_vcpus=(0, 2), vcpu_hard_affinity=((last,), (), (last,)))
    )
    assert [vcpu.online for vcpu in made.engine.list_vcpus(domid)] == [True, False, True, False]
    tids = made.engine.domain(domid).vcpu_tids
    assert sorted(tids) == [0, 2]
    assert [os.sched_getaffinity(tid) for tid in tids.values()] == [{last}, {last}]
