"""Disks of a configuration as QEMU has them: which device, where, and the arguments for it.

- pv, pvh: a virtio disk for every vdev, whatever its letters; CD drives on a virtio SCSI bus, so that their medium can
  be changed.
- hvm: xvd* are virtio disks, as they are Xen's own disks under xl; hd* (and CD drives called xvd*) sit on the IDE bus or,
  with ``hdtype="ahci"``, on SATA; sd* on an LSI SCSI bus, as xl emulates it. A guest without virtio drivers, such as a
  plain Windows, needs hd* or sd*.
- Every disk carries its vdev as serial number: a guest finds xvdb as /dev/disk/by-id/virtio-xvdb.
"""

from __future__ import annotations

import errno
import json

from xlpy.engine.qemu.disk_image import BLOCK_DRIVERS, check_disk, image_format, is_block_device, is_empty
from xlpy.engine.qemu.pci_slots import AHCI_SLOT, SCSI_SLOT, disk_slot, slot_properties
from xlpy.engine.qemu.runtime_record import DiskRecord
from xlpy.engine.qemu.vdev import disk_letters, parse_vdev
from xlpy.errors import ConfigError
from xlpy.model.domain import DomainType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from xlpy.engine.qemu.vdev import Vdev
    from xlpy.model.domain_config import DiskConfig, DomainConfig

AHCI = "ahci0"
SCSI = "scsi0"
DEFAULT_BOOT_ORDER = "cda"  # libxl__domain_build_info_setdefault
_SATA_PORTS = 6
_LSI_TARGETS = 7
_MOST_QUEUES = 8


# -- planning: from the configuration to records


def check_disks(config: DomainConfig) -> None:
    """Look at all disks before anything is started. Raises ConfigError, NotSupported or PermissionRefused."""
    check_disk_names(config)
    for disk in config.disks:
        check_disk(disk)


def check_disk_names(config: DomainConfig) -> None:
    """Raises ConfigError if two disks have one name."""
    names = [parse_vdev(disk.vdev).name for disk in config.disks]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"two disks are called {name}", "give each disk= entry a vdev of its own")


def plan_disks(config: DomainConfig) -> tuple[DiskRecord, ...]:
    """Where each disk of the configuration goes, in the guest's order. Raises ConfigError for what has no place."""
    planned: list[DiskRecord] = []
    for disk in sorted(config.disks, key=lambda disk: _guest_order(parse_vdev(disk.vdev))):
        planned.append(plan_disk(config, disk, planned))
    return tuple(planned)


def plan_disk(config: DomainConfig, disk: DiskConfig, others: Iterable[DiskRecord]) -> DiskRecord:
    """Where one disk goes beside the others. Raises ConfigError if its place is taken or doesn't exist."""
    vdev = parse_vdev(disk.vdev)
    taken = {other.slot for other in others if other.slot is not None}
    bus = _bus(config, disk, vdev)
    record = DiskRecord(
        config=disk,
        device_id=f"disk-{vdev.name}",
        node_name=f"image-{vdev.name}",
        bus=bus,
        slot=_virtio_slot(vdev, taken) if bus == "virtio" else None,
        unit=None if bus == "virtio" else _unit(bus, disk, vdev),
    )
    for other in others:
        if (record.bus, record.slot, record.unit) == (other.bus, other.slot, other.unit):
            raise ConfigError(
                f"the disks {other.config.vdev} and {disk.vdev} take the same place in the domain"
            )
    return record


def _guest_order(vdev: Vdev) -> tuple[int, int, int]:
    return (("xvd", "hd", "sd").index(vdev.family), vdev.disk, vdev.partition)


def _unit(bus: str, disk: DiskConfig, vdev: Vdev) -> int:
    """The drive's number on its bus."""
    if vdev.partition:
        raise ConfigError(
            f"disk {disk.vdev}: an emulated disk cannot be a partition", "use the whole disk's name"
        )
    if bus in ("ide", "sata") and not disk.is_cdrom and not disk.readwrite:
        raise ConfigError(
            f"disk {disk.vdev}: an IDE disk cannot be read-only", "call it xvd* or sd*, or say access=rw"
        )
    most = {"ide": 4, "sata": _SATA_PORTS, "lsi": _LSI_TARGETS, "scsi": 256}[bus]
    if vdev.disk >= most:
        raise ConfigError(
            f"disk {disk.vdev}: the domain's {bus} bus has room for {most} drives", "call it xvd*"
        )
    return vdev.disk


def _bus(config: DomainConfig, disk: DiskConfig, vdev: Vdev) -> str:
    if config.c_info.type is not DomainType.HVM:
        return "scsi" if disk.is_cdrom else "virtio"
    if vdev.family == "sd":
        return "lsi"
    if vdev.family == "xvd" and not disk.is_cdrom:
        return "virtio"
    return "sata" if config.b_info.hvm is not None and config.b_info.hvm.hdtype == "ahci" else "ide"


def _virtio_slot(vdev: Vdev, taken: Collection[int]) -> int:
    """hda and xvda of a pv guest are one disk number but two disks; the second moves behind the bridge."""
    if vdev.family == "xvd":
        return disk_slot(vdev.disk, vdev.partition, taken)
    wanted = disk_slot(vdev.disk, vdev.partition, taken)
    return disk_slot(vdev.disk, vdev.partition + 16, taken) if wanted in taken else wanted


def plan_controllers(disks: Iterable[DiskRecord]) -> dict[str, int]:
    """The controllers that these disks sit on, with their PCI slots."""
    buses = {disk.bus for disk in disks}
    slots: dict[str, int] = {}
    if "sata" in buses:
        slots[AHCI] = AHCI_SLOT
    if buses & {"lsi", "scsi"}:
        slots[SCSI] = SCSI_SLOT
    return slots


# -- what QEMU is told


def controller_device(config: DomainConfig, controller: str, slot: int) -> dict[str, object]:
    """The QEMU device of a controller; SCSI is LSI's for an HVM guest and virtio for the others."""
    device: dict[str, object] = {"id": controller, **slot_properties(slot)}
    if controller == AHCI:
        return {"driver": "ich9-ahci", **device}
    if config.c_info.type is DomainType.HVM:
        return {"driver": "lsi53c895a", **device}
    return {"driver": "virtio-scsi-pci", "num_queues": _queues(config), **device}


def _queues(config: DomainConfig) -> int:
    """Queues of a disk: QEMU would count the vcpus of the command line, and that is always one with us."""
    return min(config.b_info.max_vcpus, _MOST_QUEUES)


def block_node(disk: DiskConfig, node_name: str) -> dict[str, object]:
    """The QEMU block node of a disk's image (``blockdev-add``)."""
    path = disk.pdev_path or ""
    cache = {"direct": disk.direct_io_safe}
    readwrite = bool(disk.readwrite) and not disk.is_cdrom
    unmap = "unmap" if readwrite and disk.discard_enable is not False else "ignore"
    return {
        "driver": BLOCK_DRIVERS[image_format(disk)],
        "node-name": node_name,
        "read-only": not readwrite,
        "discard": unmap,
        "cache": cache,
        "file": {
            "driver": "host_device" if is_block_device(path) else "file",
            "filename": path,
            "read-only": not readwrite,
            "discard": unmap,
            "cache": cache,
        },
    }


def dead_node(node_name: str, size_bytes: int = 0) -> dict[str, object]:
    """A QEMU block node that fails every request: in the place of an image that was taken away."""
    return {
        "driver": "blkdebug",
        "node-name": node_name,
        "image": {"driver": "null-co", "size": size_bytes},
        "inject-error": [
            {"event": "none", "errno": errno.EIO, "iotype": kind, "immediately": True}
            for kind in ("read", "write", "write-zeroes", "discard", "flush")
        ],
    }


def disk_device(config: DomainConfig, record: DiskRecord, boot_index: int | None = None) -> dict[str, object]:
    """The QEMU device of a disk (``device_add``)."""
    cdrom = bool(record.config.is_cdrom)
    device: dict[str, object] = {"id": record.device_id}
    if record.bus == "virtio":
        device.update({"driver": "virtio-blk-pci", **slot_properties(record.slot or 0)})
        device["num-queues"] = _queues(config)
    elif record.bus in ("ide", "sata"):
        device["driver"] = "ide-cd" if cdrom else "ide-hd"
        unit = record.unit or 0
        if record.bus == "ide":
            device.update(bus=f"ide.{unit // 2}", unit=unit % 2)
        else:
            device.update(bus=f"{AHCI}.{unit}", unit=0)
    else:
        device.update(
            {"driver": "scsi-cd" if cdrom else "scsi-hd", "bus": f"{SCSI}.0", "scsi-id": record.unit or 0}
        )
    if not is_empty(record.config):
        device["drive"] = record.node_name
    device["serial"] = parse_vdev(record.config.vdev).name
    if boot_index is not None:
        device["bootindex"] = boot_index
    return device


def disk_arguments(config: DomainConfig, disks: Iterable[DiskRecord], slots: dict[str, int]) -> list[str]:
    """QEMU's arguments for all disks and the controllers they sit on; bridges come before."""
    arguments: list[str] = []
    for controller in (AHCI, SCSI):
        if controller in slots:
            device = controller_device(config, controller, slots[controller])
            arguments += ["-device", json.dumps(device)]
    disks = tuple(disks)
    indices = _boot_indices(config, disks)
    for record in disks:
        if record.closing:
            arguments += ["-blockdev", json.dumps(dead_node(record.node_name))]
        elif not is_empty(record.config):
            arguments += ["-blockdev", json.dumps(block_node(record.config, record.node_name))]
        device = disk_device(config, record, indices.get(record.device_id))
        arguments += ["-device", json.dumps(device)]
    return arguments


def _boot_indices(config: DomainConfig, disks: Iterable[DiskRecord]) -> dict[str, int]:
    """The ``bootindex`` of each disk by its device: among disks, as among CD drives, hda is tried before xvdb."""
    turns = boot_turns(config)
    indices: dict[str, int] = {}
    for record in sorted(disks, key=lambda record: _boot_rank(parse_vdev(record.config.vdev))):
        letter = "d" if record.config.is_cdrom else "c"
        if letter in turns:
            indices[record.device_id] = turns[letter]
            turns[letter] += 1
    return indices


def _boot_rank(vdev: Vdev) -> tuple[int, int]:
    """The number of the disk first, as a PC's BIOS counts; a pv and an emulated disk of one number, the emulated one."""
    return (vdev.disk, ("hd", "sd", "xvd").index(vdev.family))


def boot_turns(config: DomainConfig) -> dict[str, int]:
    """Where the ``bootindex`` numbers of disks (c), CD drives (d) and network cards (n) start.

    None of them where a kernel is booted directly. The order is xl.cfg's ``boot=``, by default ``cda``.
    """
    if config.b_info.kernel:
        return {}
    order = config.b_info.hvm.boot if config.b_info.hvm is not None else None
    return {letter: turn * 1000 + 1 for turn, letter in enumerate(order or DEFAULT_BOOT_ORDER)}


def guest_disk_names(disks: Iterable[DiskRecord]) -> dict[str, str]:
    """What a Linux guest without Xen drivers calls its virtio disks: ``{"xvda": "vda", …}``."""
    virtio = sorted((disk for disk in disks if disk.bus == "virtio"), key=lambda disk: disk.slot or 0)
    return {
        parse_vdev(disk.config.vdev).name: f"vd{disk_letters(position)}"
        for position, disk in enumerate(virtio)
    }
