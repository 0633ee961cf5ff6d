"""Network cards of a running domain: attach, detach, list."""

from __future__ import annotations

import os

from xlpy.engine.qemu.nics import complete_nic, netdev, nic_device, open_nic_tap, plan_nic
from xlpy.engine.qemu.pci_slots import bridge_of
from xlpy.engine.qemu.qmp import QmpError
from xlpy.engine.qemu.unplug import unplug
from xlpy.errors import DeviceNotFound, InvalidState, NotSupported
from xlpy.model.device import NicInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.engine.qemu.domain import QemuDomain
    from xlpy.engine.qemu.runtime_record import NicRecord
    from xlpy.model.domain_config import NicConfig


def list_nics(domain: QemuDomain) -> tuple[NicInfo, ...]:
    """All network cards in order of devid; a user-mode one has no bridge."""
    infos = [_nic_info(domain.domid, record) for record in domain.record.machine.nics]
    return tuple(sorted(infos, key=lambda info: info.devid))


def _nic_info(domid: int, record: NicRecord) -> NicInfo:
    devid = record.config.devid or 0
    return NicInfo(
        devid=devid,
        mac=record.config.mac or "",
        backend_path=f"/local/domain/0/backend/vif/{domid}/{devid}",
        bridge=record.config.bridge if record.netdev == "tap" else None,
        model=record.config.model,
        ifname=record.ifname,
    )


def find_nic(domain: QemuDomain, device: str) -> NicRecord:
    """The card of this devid, or of this MAC address. Raises DeviceNotFound."""
    for record in domain.record.machine.nics:
        if device.lower() in (str(record.config.devid), record.config.mac):
            return record
    known = ", ".join(str(record.config.devid) for record in domain.record.machine.nics)
    raise DeviceNotFound(
        f"domain {domain.domid} has no network card {device}",
        f"its cards are {known}" if known else "it has none",
    )


def attach_nic(domain: QemuDomain, nic: NicConfig) -> tuple[str, ...]:
    """Hot-plug a network card (libxl_device_nic_add; ``netdev_add``, ``device_add``); returns notes.

    Raises ConfigError, InvalidState if the devid or interface name is in use, NotSupported.
    """
    domain.require_running("attach a network card")
    with domain.lock:
        before = domain.record
        others = before.machine.nics
        nic = complete_nic(nic, [other.config.devid for other in others])
        record, notes = plan_nic(before.config, nic, domain.domid, others)
        if bridge_of(record.slot or 0) not in (None, *before.machine.slots):
            raise NotSupported(
                f"domain {domain.domid} has no room for a network card {nic.devid}",
                "cards 0 to 5 can always be attached; others only if there was one when the domain was created",
            )
        domain.update(
            machine=before.machine.replace(nics=(*others, record)),
            config=before.config.replace(nics=(*before.config.nics, nic)),
        )
        try:
            _plug_in(domain, record)
        except BaseException:
            domain.update(machine=before.machine, config=before.config)
            raise
    return tuple(notes)


def _plug_in(domain: QemuDomain, record: NicRecord) -> None:
    if record.netdev == "tap":
        _add_tap(domain, record)
    else:
        domain.qmp.execute("netdev_add", netdev(record))
    try:
        domain.qmp.execute("device_add", nic_device(domain.record.config, record))
    except QmpError:
        domain.qmp.execute("netdev_del", {"id": record.netdev_id})
        raise


def _add_tap(domain: QemuDomain, record: NicRecord) -> None:
    fd = open_nic_tap(record)
    try:
        domain.qmp.execute("getfd", {"fdname": record.netdev_id}, fds=(fd,))
    finally:
        os.close(fd)
    domain.qmp.execute("netdev_add", netdev(record, record.netdev_id))


def detach_nic(domain: QemuDomain, device: str) -> None:
    """Hot-unplug the card of this devid or MAC address and wait until the guest has let go (libxl_device_nic_remove).

    Raises DeviceNotFound, InvalidState when the guest keeps it.
    """
    domain.require_running("detach a network card")
    record = find_nic(domain, device)
    if not unplug(domain, record.device_id):
        raise InvalidState(
            f"the guest has not let go of the network card {device}",
            "it may be paused, or have no ACPI hot-plugging; it still may do so",
        )
