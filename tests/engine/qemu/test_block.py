"""Where disks go and what QEMU is told about them."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from domain_configs import HVM, PVH, cdrom, disk, domain_config

from xlpy.engine.qemu.block import (
    block_node,
    boot_turns,
    check_disks,
    dead_node,
    disk_arguments,
    guest_disk_names,
    plan_controllers,
    plan_disk,
    plan_disks,
)
from xlpy.errors import ConfigError, NotSupported
from xlpy.model.domain import DomainType
from xlpy.model.domain_config import DiskConfig, DomainConfig, HvmInfo


def devices(config: DomainConfig) -> list[dict[str, object]]:
    """All -device arguments of a configuration's disks."""
    disks = plan_disks(config)
    arguments = disk_arguments(config, disks, plan_controllers(disks))
    return [json.loads(value) for option, value in pairwise(arguments) if option == "-device"]


def test_a_pvh_guest_gets_virtio_disks_in_order_of_vdev() -> None:
    config = domain_config(PVH, (disk("xvdb"), disk("xvda"), disk("sda")), kernel="/vmlinuz", max_vcpus=2)
    assert [device["id"] for device in devices(config)] == ["disk-xvda", "disk-xvdb", "disk-sda"]
    assert devices(config)[0] == {
        "id": "disk-xvda",
        "driver": "virtio-blk-pci",
        "bus": "pci.0",
        "addr": "0x8",
        "num-queues": 2,
        "drive": "image-xvda",
        "serial": "xvda",
    }


def test_a_slot_does_not_depend_on_the_other_disks() -> None:
    config = domain_config(PVH, (disk("xvda"), disk("xvdc")))
    alone = plan_disks(config.replace(disks=(disk("xvdc"),)))[0]
    assert alone == plan_disks(config)[1]


def test_a_cd_drive_of_a_pvh_guest_can_change_its_medium() -> None:
    controller, drive = devices(domain_config(PVH, (cdrom("xvdc"),), kernel="/vmlinuz", max_vcpus=4))
    assert controller == {
        "id": "scsi0", "bus": "pci.0", "addr": "0x7", "driver": "virtio-scsi-pci", "num_queues": 4,
    }  # fmt: skip
    assert drive == {"id": "disk-xvdc", "driver": "scsi-cd", "bus": "scsi0.0", "scsi-id": 2, "serial": "xvdc"}


def test_an_hvm_guest_has_the_buses_that_the_names_say() -> None:
    config = domain_config(HVM, (disk("hda"), cdrom("hdc"), disk("sdb"), disk("xvdd")), kernel="/vmlinuz")
    by_id = {device["id"]: device for device in devices(config)}
    assert by_id["disk-hda"]["driver"] == "ide-hd"
    assert (by_id["disk-hda"]["bus"], by_id["disk-hda"]["unit"]) == ("ide.0", 0)
    assert (by_id["disk-hdc"]["driver"], by_id["disk-hdc"]["bus"]) == ("ide-cd", "ide.1")
    assert by_id["scsi0"]["driver"] == "lsi53c895a"
    assert (by_id["disk-sdb"]["driver"], by_id["disk-sdb"]["scsi-id"]) == ("scsi-hd", 1)
    assert by_id["disk-xvdd"]["driver"] == "virtio-blk-pci"


def test_hdtype_ahci_makes_hd_disks_sata_ones() -> None:
    config = domain_config(HVM, (disk("hdb"),), hvm=HvmInfo(hdtype="ahci"), kernel="/vmlinuz")
    controller, drive = devices(config)
    assert controller["driver"] == "ich9-ahci"
    assert (drive["driver"], drive["bus"], drive["unit"]) == ("ide-hd", "ahci0.1", 0)


@pytest.mark.parametrize(
    ("order", "first", "second"),
    [(None, "disk-hda", "disk-hdc"), ("dc", "disk-hdc", "disk-hda"), ("c", "disk-hda", None)],
)
def test_boot_order_numbers_the_devices(order: str | None, first: str, second: str | None) -> None:
    config = domain_config(HVM, (disk("hda"), cdrom("hdc")), hvm=HvmInfo(boot=order))
    numbered = {device["bootindex"]: device["id"] for device in devices(config) if "bootindex" in device}
    in_order = [numbered[index] for index in sorted(numbered)]  # type: ignore[type-var]
    assert in_order == [first, second] if second else in_order == [first]


def test_the_first_disk_boots_whatever_its_bus() -> None:
    config = domain_config(HVM, (disk("xvdb"), disk("sdc"), disk("hda")), hvm=HvmInfo(boot="c"))
    numbered = {device["bootindex"]: device["id"] for device in devices(config) if "bootindex" in device}
    assert [numbered[index] for index in sorted(numbered)] == ["disk-hda", "disk-xvdb", "disk-sdc"]  # type: ignore[type-var]


def test_nothing_has_a_turn_where_a_kernel_is_booted_directly() -> None:
    assert boot_turns(domain_config(PVH, kernel="/vmlinuz")) == {}
    assert set(boot_turns(domain_config(PVH))) == {"c", "d", "a"}


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (disk("hda1"), "cannot be a partition"),
        (disk("hda", readwrite=0), "cannot be read-only"),
        (disk("sdh"), "room for 7 drives"),
    ],
)
def test_an_emulated_bus_has_its_limits(one: DiskConfig, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        plan_disks(domain_config(HVM, (one,)))


def test_two_drives_in_one_place_are_refused() -> None:
    with pytest.raises(ConfigError, match="xvdc and hdc take the same place"):
        plan_disks(domain_config(HVM, (cdrom("xvdc"), disk("hdc"))))


def test_two_disks_of_one_name_are_refused(tmp_path: Path) -> None:
    image = tmp_path / "a"
    image.touch()
    with pytest.raises(ConfigError, match="two disks are called xvda"):
        check_disks(domain_config(PVH, (disk("xvda", image), disk("51712", image))))


def test_partitions_as_disks_are_numbered_as_the_guest_will_do() -> None:
    config = domain_config(DomainType.PV, (disk("xvda2"), disk("xvda1"), disk("xvdb")))
    assert guest_disk_names(plan_disks(config)) == {"xvdb": "vda", "xvda1": "vdb", "xvda2": "vdc"}


def test_hda_and_xvda_of_a_pv_guest_are_two_disks() -> None:
    first, second = plan_disks(domain_config(PVH, (disk("hda"), disk("xvda"))))
    assert (first.device_id, second.device_id) == ("disk-xvda", "disk-hda")
    assert first.slot != second.slot


def test_one_more_disk_leaves_the_others_where_they_are() -> None:
    config = domain_config(PVH, (disk("xvda1"),))
    planned = plan_disks(config)
    more = plan_disk(config, disk("xvda2"), planned)
    assert more.slot is not None
    assert planned[0].slot is not None
    assert more.slot > planned[0].slot


# -- the image


def test_a_writable_image_takes_discards_unless_told_not_to() -> None:
    assert block_node(disk("xvda"), "n")["discard"] == "unmap"
    assert block_node(disk("xvda", discard_enable=False), "n")["discard"] == "ignore"
    node = block_node(disk("xvda", readwrite=0), "n")
    assert (node["discard"], node["read-only"]) == ("ignore", True)


def test_direct_io_is_for_those_who_say_it_is_safe() -> None:
    assert block_node(disk("xvda"), "n")["cache"] == {"direct": False}
    assert block_node(disk("xvda", direct_io_safe=True), "n")["cache"] == {"direct": True}


def test_vhd_is_what_qemu_calls_vpc(tmp_path: Path) -> None:
    node = block_node(disk("xvda", tmp_path / "a.vhd", "vhd"), "image-xvda")
    assert node["driver"] == "vpc"
    assert node["node-name"] == "image-xvda"
    file = node["file"]
    assert isinstance(file, dict)
    assert (file["driver"], file["filename"]) == ("file", str(tmp_path / "a.vhd"))


def test_a_node_in_a_taken_images_place_fails_every_kind_of_request() -> None:
    injected = dead_node("image-xvda-gone", 4096)["inject-error"]
    assert isinstance(injected, list)
    assert {rule["iotype"] for rule in injected} == {"read", "write", "write-zeroes", "discard", "flush"}
    assert all(rule["immediately"] and rule["event"] == "none" for rule in injected)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"backend": "tap"}, "no backendtype=tap"),
        ({"script": "block-iscsi"}, "runs no hotplug scripts"),
        ({"backend_domname": "storage"}, "no driver domains"),
    ],
)
def test_what_this_engine_cannot_do_is_refused(
    tmp_path: Path, settings: dict[str, object], message: str
) -> None:
    image = tmp_path / "a"
    image.touch()
    with pytest.raises(NotSupported, match=message):
        check_disks(domain_config(PVH, (disk("xvda", image, **settings),)))
