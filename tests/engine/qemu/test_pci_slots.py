"""Places on the PCI bus follow from names, and never collide."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlpy.engine.qemu import pci_slots
from xlpy.engine.qemu.pci_slots import (
    DISK_BRIDGE,
    NIC_BRIDGE,
    bridge_devices,
    bridge_of,
    bridge_slots,
    disk_slot,
    nic_slot,
    slot_properties,
)
from xlpy.errors import InvalidState

FIXED = {value for name, value in vars(pci_slots).items() if name.endswith("_SLOT")}


@settings(deadline=None)
@given(
    st.sets(st.tuples(st.integers(0, 40), st.integers(0, 20)), max_size=12),
    st.sets(st.integers(0, 20), max_size=20),
)
def test_all_devices_have_places_of_their_own(disks: set[tuple[int, int]], nics: set[int]) -> None:
    taken = {*FIXED, 0, 1}
    for disk, partition in sorted(disks):
        slot = disk_slot(disk, partition, taken)
        assert slot not in taken
        taken.add(slot)
    for devid in sorted(nics):
        slot = nic_slot(devid, taken)
        assert slot not in taken
        taken.add(slot)
    assert not taken & set(bridge_slots(taken).values())


def test_the_usual_disks_and_cards_are_on_the_main_bus() -> None:
    slots = [disk_slot(disk, 0, ()) for disk in range(14)] + [nic_slot(devid, ()) for devid in range(6)]
    assert slots == sorted(slots)
    assert {bridge_of(slot) for slot in slots} == {None}
    assert slot_properties(slots[0]) == {"bus": "pci.0", "addr": "0x8"}


def test_partitions_and_further_devices_are_behind_bridges() -> None:
    assert bridge_of(disk_slot(0, 1, ())) == DISK_BRIDGE
    assert bridge_of(disk_slot(14, 0, ())) == DISK_BRIDGE
    assert bridge_of(nic_slot(6, ())) == NIC_BRIDGE


def test_partitions_keep_their_order() -> None:
    slots = [disk_slot(0, partition, ()) for partition in range(1, 16)]
    assert slots == sorted(slots)


def test_a_bridge_takes_31_devices_and_no_more() -> None:
    taken: set[int] = set()
    for number in range(31):
        taken.add(nic_slot(6 + number, taken))
    with pytest.raises(InvalidState, match="no room"):
        nic_slot(99, taken)


def test_only_bridges_that_are_needed_are_made() -> None:
    assert bridge_slots([8, 24]) == {}
    needed = bridge_slots([8, disk_slot(0, 1, ())])
    assert needed == {DISK_BRIDGE: 30}
    assert bridge_devices(needed) == [
        {"driver": "pci-bridge", "id": DISK_BRIDGE, "chassis_nr": 30, "bus": "pci.0", "addr": "0x1e"}
    ]
