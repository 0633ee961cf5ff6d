"""Disks of a running domain: attach, detach, change of a medium, list."""

from __future__ import annotations

from xlpy.engine.qemu.block import SCSI, block_node, controller_device, dead_node, disk_device, plan_disk
from xlpy.engine.qemu.disk_image import check_disk, explain_open_failure, image_format, is_empty
from xlpy.engine.qemu.pci_slots import SCSI_SLOT, bridge_of
from xlpy.engine.qemu.qmp import QmpError
from xlpy.engine.qemu.unplug import request_unplug, unplug
from xlpy.engine.qemu.vdev import parse_vdev
from xlpy.errors import ConfigError, DeviceNotFound, InvalidState, NotSupported
from xlpy.model.device import DiskInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.engine.qemu.domain import QemuDomain
    from xlpy.engine.qemu.runtime_record import DiskRecord
    from xlpy.model.domain_config import DiskConfig

_CONNECTED, _CLOSING = 4, 5  # xenbus states


def list_disks(domain: QemuDomain) -> tuple[DiskInfo, ...]:
    """All disks in order of Xen's device number; one that the guest has not let go of yet is closing."""
    infos = [_disk_info(domain.domid, record) for record in domain.record.machine.disks]
    return tuple(sorted(infos, key=lambda info: info.devid))


def _disk_info(domid: int, record: DiskRecord) -> DiskInfo:
    disk = record.config
    vdev = parse_vdev(disk.vdev)
    return DiskInfo(
        devid=vdev.devid,
        vdev=disk.vdev,
        frontend_domid=domid,
        state=_CLOSING if record.closing else _CONNECTED,
        backend_path=f"/local/domain/0/backend/vbd/{domid}/{vdev.devid}",
        target=None if is_empty(disk) else disk.pdev_path,
        format="empty" if is_empty(disk) else image_format(disk),
        readonly=not disk.readwrite or bool(disk.is_cdrom),
        cdrom=bool(disk.is_cdrom),
    )


def find_disk(domain: QemuDomain, vdev: str) -> DiskRecord:
    """The disk of this name or number. Raises DeviceNotFound, ConfigError for what is no vdev at all."""
    devid = parse_vdev(vdev).devid
    for record in domain.record.machine.disks:
        if parse_vdev(record.config.vdev).devid == devid:
            return record
    names = ", ".join(record.config.vdev for record in domain.record.machine.disks)
    raise DeviceNotFound(
        f"domain {domain.domid} has no disk {vdev}", f"its disks are {names}" if names else "it has none"
    )


# -- attach


def attach_disk(domain: QemuDomain, disk: DiskConfig) -> None:
    """Hot-plug a disk (libxl_device_disk_add; ``blockdev-add``, ``device_add``).

    Raises ConfigError, InvalidState if the vdev or the image is in use, NotSupported for a bus without hot-plugging.
    """
    domain.require_running("attach a disk")
    check_disk(disk)
    with domain.lock:
        record = _plan(domain, disk)
        _ensure_controller(domain, record)
        before = domain.record
        # noted first: if xlpyd dies between, the next one finds the device missing and forgets it
        domain.update(
            machine=before.machine.replace(disks=(*before.machine.disks, record)),
            config=before.config.replace(disks=(*before.config.disks, disk)),
        )
        try:
            _plug_in(domain, record)
        except BaseException:
            domain.update(machine=before.machine, config=before.config)
            raise


def _plan(domain: QemuDomain, disk: DiskConfig) -> DiskRecord:
    machine = domain.record.machine
    vdev = parse_vdev(disk.vdev)
    if any(parse_vdev(other.config.vdev).devid == vdev.devid for other in machine.disks):
        raise InvalidState(
            f"domain {domain.domid} has a disk {disk.vdev} already",
            "choose another vdev" if not disk.is_cdrom else "cd-insert changes the medium of a drive",
        )
    record = plan_disk(domain.record.config, disk, machine.disks)
    if record.bus not in ("virtio", "scsi"):
        raise NotSupported(
            f"a disk on the {record.bus} bus cannot be attached to a running domain", "call it xvd* instead"
        )
    if record.slot is not None and bridge_of(record.slot) not in (None, *machine.slots):
        raise NotSupported(
            f"domain {domain.domid} has no room for a disk {disk.vdev}",
            "xvda to xvdn can always be attached; others only if there was one when the domain was created",
        )
    return record


def _ensure_controller(domain: QemuDomain, record: DiskRecord) -> None:
    machine = domain.record.machine
    if record.bus == "scsi" and SCSI not in machine.slots:
        domain.qmp.execute("device_add", controller_device(domain.record.config, SCSI, SCSI_SLOT))
        domain.update_machine(slots={**machine.slots, SCSI: SCSI_SLOT})


def _plug_in(domain: QemuDomain, record: DiskRecord) -> None:
    if not is_empty(record.config):
        _add_node(domain, record.config, record.node_name)
    try:
        domain.qmp.execute("device_add", disk_device(domain.record.config, record))
    except QmpError:
        if not is_empty(record.config):
            domain.qmp.execute("blockdev-del", {"node-name": record.node_name})
        raise


def _add_node(domain: QemuDomain, disk: DiskConfig, node_name: str) -> None:
    try:
        domain.qmp.execute("blockdev-add", block_node(disk, node_name))
    except QmpError as error:
        explained = explain_open_failure(error.description, (disk,))
        raise explained or ConfigError(
            f"disk {disk.vdev}: cannot use {disk.pdev_path}", detail=error.description
        ) from error


# -- detach


def detach_disk(domain: QemuDomain, vdev: str, force: bool = False) -> None:
    """Hot-unplug a disk and wait until the guest has let go of it (libxl_device_disk_safe_remove).

    ``force`` takes the image away at once; the guest sees I/O errors until it lets go of the dead disk. Raises
    DeviceNotFound, NotSupported for a bus without hot-plugging, InvalidState when the guest keeps it.
    """
    domain.require_running("detach a disk")
    record = find_disk(domain, vdev)
    if record.bus not in ("virtio", "scsi"):
        raise NotSupported(
            f"the disk {vdev} on the {record.bus} bus cannot be detached from a running domain"
        )
    if force:
        with domain.lock:
            if not record.closing and not is_empty(record.config):
                _take_image_away(domain, record)
        request_unplug(domain, record.device_id)
    elif not unplug(domain, record.device_id):
        raise InvalidState(
            f"the guest has not let go of the disk {vdev}",
            f"it still may; 'xlpy block-detach -f {domain.domid} {vdev}' takes the disk away without waiting",
        )


def _take_image_away(domain: QemuDomain, record: DiskRecord) -> None:
    """Put a node that fails every request in the image's place, and close the image."""
    dead_name = f"{record.node_name}-gone"
    domain.qmp.execute("blockdev-add", dead_node(dead_name, _size_bytes(domain, record.node_name)))
    domain.qmp.execute(
        "qom-set",
        {"path": f"/machine/peripheral/{record.device_id}", "property": "drive", "value": dead_name},
    )
    domain.qmp.execute("blockdev-del", {"node-name": record.node_name})
    closing = record.replace(node_name=dead_name, closing=True)
    machine, config = domain.record.machine, domain.record.config
    domain.update(
        machine=machine.replace(
            disks=tuple(closing if disk.device_id == record.device_id else disk for disk in machine.disks)
        ),
        config=config.replace(disks=tuple(disk for disk in config.disks if disk.vdev != record.config.vdev)),
    )


def _size_bytes(domain: QemuDomain, node_name: str) -> int:
    for node in domain.qmp.execute("query-named-block-nodes", {"flat": True}):
        if node["node-name"] == node_name:
            return int(node["image"]["virtual-size"])
    return 0


# -- media


def insert_cdrom(domain: QemuDomain, disk: DiskConfig) -> None:
    """Change the medium of a CD drive, or take it out when ``disk`` is empty (libxl_cdrom_insert).

    The old medium leaves only when the new one could be opened. Raises DeviceNotFound, ConfigError.
    """
    domain.require_running("change a CD")
    record = find_disk(domain, disk.vdev)
    if not record.config.is_cdrom:
        raise ConfigError(f"the disk {disk.vdev} is no CD drive")
    disk = disk.replace(is_cdrom=1, removable=1, readwrite=0)
    check_disk(disk)
    with domain.lock:
        inside = _node_inside(domain, record.device_id)
        node_name = _other_name(record, inside)
        if not is_empty(disk):
            _add_node(domain, disk, node_name)
        _take_out(domain, record.device_id, inside)
        if not is_empty(disk):
            domain.qmp.execute("blockdev-insert-medium", {"id": record.device_id, "node-name": node_name})
        domain.qmp.execute("blockdev-close-tray", {"id": record.device_id})
        changed = record.replace(config=disk, node_name=node_name)
        machine, config = domain.record.machine, domain.record.config
        domain.update(
            machine=machine.replace(
                disks=tuple(changed if old.device_id == record.device_id else old for old in machine.disks)
            ),
            config=config.replace(
                disks=tuple(disk if old.vdev == record.config.vdev else old for old in config.disks)
            ),
        )


def _node_inside(domain: QemuDomain, device_id: str) -> str | None:
    """What is in the drive, by QEMU's own account."""
    for drive in domain.qmp.execute("query-block"):
        if device_id in drive.get("qdev", "").split("/"):
            inserted = drive.get("inserted")
            return inserted["node-name"] if inserted else None
    return None


def _other_name(record: DiskRecord, inside: str | None) -> str:
    name = f"image-{parse_vdev(record.config.vdev).name}"
    return f"{name}-next" if inside == name else name


def _take_out(domain: QemuDomain, device_id: str, inside: str | None) -> None:
    domain.qmp.execute("blockdev-open-tray", {"id": device_id, "force": True})
    if inside is not None:
        domain.qmp.execute("blockdev-remove-medium", {"id": device_id})
        domain.qmp.execute("blockdev-del", {"node-name": inside})
