"""Devices of a domain: ``xl block-list`` and ``xl network-list``."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.model.device import DiskInfo, NicInfo

PLAIN_DISK_HEADER = (
    f"{'Vdev':<5} {'BE':<3} {'handle':<6} {'state':<5} {'evt-ch':<6} {'ring-ref':<8} {'BE-path':<30}\n"
)
PLAIN_NIC_HEADER = (
    f"{'Idx':<3} {'BE':<2} {'Mac Addr.':<17} {'handle':<6} {'state':<5} {'evt-ch':<6} "
    f"{'tx-':>5}/{'rx-ring-ref':<5} {'BE-path':<30}\n"
)


def plain_disk(disk: DiskInfo) -> str:
    """One line of ``xl block-list``: the device by its number, the frontend's domid as handle."""
    return (
        f"{disk.devid:<5d} {disk.backend_domid:<3d} {disk.frontend_domid:<6d} {disk.state:<5d} "
        f"{disk.evtch:<6d} {disk.rref:<8d} {disk.backend_path:<30}\n"
    )


def plain_nic(nic: NicInfo) -> str:
    """One line of ``xl network-list``; the MAC fills its column, so a long number moves the rest."""
    return (
        f"{nic.devid:<3d} {nic.backend_domid:<2d} {nic.mac}{nic.devid:6d} {nic.state:5d} {nic.evtch:6d} "
        f"{nic.rref_tx:5d}/{nic.rref_rx:<11d} {nic.backend_path:<30}\n"
    )
