"""Which PCI slot each device of a domain sits in.

A state stream fits only a machine whose devices sit where they sat, hot-plugged ones too. So a slot follows from the
device's own name, and is kept in the domain's MachineRecord, which travels ahead of the state.

Bus ``pci.0`` has the slots 0 to 31: 0 and 1 belong to the chipset, 2 to 7 and 22, 23 to the devices named below, 8 to
21 to the disks xvda to xvdn, 24 to 29 to the first six network cards, 30 and 31 to two bridges. Slots 32 to 63 are those
behind the disks' bridge, 64 to 95 those behind the network cards'. Guests number disks and cards in this order. A
bridge can't be hot-plugged: it is there only if the domain had a device behind it when it was made.
"""

from __future__ import annotations

from xlpy.errors import InvalidState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

VGA_SLOT = 2
CONSOLE_SLOT = 3
BALLOON_SLOT = 4
WATCHDOG_SLOT = 5
AHCI_SLOT = 6
SCSI_SLOT = 7
USB_SLOT = 22
SOUND_SLOT = 23

DISK_BRIDGE = "disk-bridge"
NIC_BRIDGE = "nic-bridge"

_DISK_SLOTS = range(8, 22)
_NIC_SLOTS = range(24, 30)
_BUS_SLOTS = 32
_BUSES = ("pci.0", DISK_BRIDGE, NIC_BRIDGE)
_BRIDGE_SLOTS = {DISK_BRIDGE: 30, NIC_BRIDGE: 31}


def disk_slot(disk: int, partition: int, taken: Collection[int]) -> int:
    """The slot of a disk by its number and partition. Raises InvalidState when there is no room."""
    if partition == 0 and disk < len(_DISK_SLOTS):
        return _DISK_SLOTS[disk]
    return _behind_bridge(1, disk * 16 + partition - 1, taken)


def nic_slot(devid: int, taken: Collection[int]) -> int:
    """The slot of a network card by its number. Raises InvalidState when there is no room."""
    if devid < len(_NIC_SLOTS):
        return _NIC_SLOTS[devid]
    return _behind_bridge(2, devid - len(_NIC_SLOTS), taken)


def _behind_bridge(bus: int, wish: int, taken: Collection[int]) -> int:
    """The wished slot behind a bridge; the next free one where another name claims the same."""
    usable = _BUS_SLOTS - 1  # slot 0 is the bridge's own hot-plug controller
    for step in range(usable):
        slot = bus * _BUS_SLOTS + (wish + step) % usable + 1
        if slot not in taken:
            return slot
    raise InvalidState(f"the domain has no room for more than {usable} such devices")


def slot_properties(slot: int) -> dict[str, object]:
    """``bus`` and ``addr`` of a QEMU device in this slot."""
    bus, number = divmod(slot, _BUS_SLOTS)
    return {"bus": _BUSES[bus], "addr": f"0x{number:x}"}


def bridge_of(slot: int) -> str | None:
    """The id of the bridge that a slot is behind."""
    return _BUSES[slot // _BUS_SLOTS] if slot >= _BUS_SLOTS else None


def bridge_slots(slots: Iterable[int]) -> dict[str, int]:
    """The bridges that devices in these slots need, with the slots that they take themselves."""
    needed = {bridge_of(slot) for slot in slots}
    return {bridge: slot for bridge, slot in _BRIDGE_SLOTS.items() if bridge in needed}


def bridge_devices(slots: dict[str, int]) -> list[dict[str, object]]:
    """The bridges (QEMU ``pci-bridge``) in a machine's table; they come before the devices behind them."""
    return [
        {"driver": "pci-bridge", "id": bridge, "chassis_nr": slots[bridge], **slot_properties(slots[bridge])}
        for bridge in (DISK_BRIDGE, NIC_BRIDGE)
        if bridge in slots
    ]
