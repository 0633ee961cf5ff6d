"""Devices that leave a running domain: asked for by us, granted by the guest, sometimes much later.

QEMU says DEVICE_DELETED when the guest has let go. Only then is the device forgotten and what is behind it closed;
until then the record keeps it, as the machine has it.
"""

from __future__ import annotations

import threading
import time

from xlpy.engine.qemu.cpus import vcpu_of_device, vcpu_unplugged
from xlpy.engine.qemu.qmp import QmpClosed, QmpError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xlpy.engine.qemu.domain import QemuDomain

UNPLUG_TIMEOUT_S = 20.0
_DEVICE_NOT_FOUND = "DeviceNotFound"
_IN_USE = "in use"
_LETTING_GO_S = (0.002, 0.01, 0.05, 0.2, 1.0)
_VCPU_PART = "/lapic"
_PENDING = "is already in the process of unplug"


def unplug(domain: QemuDomain, device_id: str, timeout_s: float = UNPLUG_TIMEOUT_S) -> bool:
    """Ask the guest to let go of a device and wait; whether it has. What was behind it is closed then.

    Not to be called with the domain's lock held: others go on with the domain while the guest makes up its mind.
    """
    with domain.expect("DEVICE_DELETED", lambda data: deleted_device(data) == device_id) as gone:
        still_there = request_unplug(domain, device_id)
        if still_there and gone.wait(timeout_s) is None:
            return False
    settle(domain, device_id)
    return True


def request_unplug(domain: QemuDomain, device_id: str) -> bool:
    """Ask the guest to let go of a device, and don't wait; False if it has gone already."""
    try:
        domain.qmp.execute("device_del", {"id": device_id})
    except QmpError as error:
        if error.error_class == _DEVICE_NOT_FOUND:
            return False
        if _PENDING not in error.description:
            raise
    return True


def settle(domain: QemuDomain, device_id: str) -> None:
    """Forget a device that QEMU no longer has and close what was behind it; nothing if that's been done."""
    with domain.lock:
        vcpu = vcpu_of_device(device_id)
        if vcpu is not None:
            vcpu_unplugged(domain, vcpu)
        machine, config = domain.record.machine, domain.record.config
        for disk in machine.disks:
            if disk.device_id == device_id:
                _close(domain, "blockdev-del", {"node-name": disk.node_name})
                domain.update(
                    machine=machine.replace(
                        disks=tuple(other for other in machine.disks if other is not disk)
                    ),
                    config=config.replace(
                        disks=tuple(other for other in config.disks if other.vdev != disk.config.vdev)
                    ),
                )
        for nic in machine.nics:
            if nic.device_id == device_id:
                _close(domain, "netdev_del", {"id": nic.netdev_id})
                domain.update(
                    machine=machine.replace(nics=tuple(other for other in machine.nics if other is not nic)),
                    config=config.replace(
                        nics=tuple(other for other in config.nics if other.devid != nic.config.devid)
                    ),
                )


def _close(domain: QemuDomain, command: str, arguments: dict[str, object]) -> None:
    """Close what was behind a device. QEMU says that the device has gone a moment before it lets go of that."""
    for pause_s in (*_LETTING_GO_S, None):
        try:
            domain.qmp.execute(command, arguments)
        except QmpError as error:
            if _IN_USE not in error.description:
                return  # an empty drive has nothing behind it; or xlpyd was restarted after this step
            if pause_s is None:
                raise
            time.sleep(pause_s)
        else:
            return


def deleted_device(data: dict[str, Any]) -> str | None:
    """The id of the device that a DEVICE_DELETED event is about; None where it's a mere part of one.

    A vcpu's own event is missing in QEMU 7.2; that of its interrupt controller comes when the vcpu goes.
    """
    device_id: str | None = data.get("device")
    path = data.get("path", "")
    if device_id is None and path.endswith(_VCPU_PART):
        device_id = path[: -len(_VCPU_PART)].rpartition("/")[2]
    return device_id


def on_device_deleted(domain: QemuDomain, data: dict[str, Any]) -> None:
    """A device has left that nobody waits for. For the reactor's thread: the work is done on another one."""
    device_id = deleted_device(data)
    if device_id is not None:
        threading.Thread(target=_settle_late, args=(domain, device_id), name=f"unplug {device_id}").start()


def _settle_late(domain: QemuDomain, device_id: str) -> None:
    try:
        with domain.lock:
            # settled by somebody else meanwhile, and another one of that name plugged in?
            if device_id not in _plugged_in(domain):
                settle(domain, device_id)
    except QmpClosed:
        pass  # nothing is left to close


def _plugged_in(domain: QemuDomain) -> set[str]:
    """The ids of all devices that QEMU has."""
    return {item["name"] for item in domain.qmp.execute("qom-list", {"path": "/machine/peripheral"})}


def reconcile(domain: QemuDomain) -> None:
    """Settle what left while no xlpyd was there to see it; for adoption."""
    there = _plugged_in(domain)
    machine = domain.record.machine
    recorded = [disk.device_id for disk in machine.disks]
    recorded += [nic.device_id for nic in machine.nics]
    recorded += [f"cpu{vcpu}" for vcpu in machine.online_vcpus if vcpu]
    for device_id in recorded:
        if device_id not in there:
            settle(domain, device_id)
