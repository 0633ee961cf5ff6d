"""Devices of a domain: ``xl block-list`` and ``xl network-list``."""

from __future__ import annotations

from xlpy.render.kind import Column, Kind, plain_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.model.device import DiskInfo, NicInfo

    DiskRow = tuple[int, DiskInfo]
    NicRow = tuple[int, NicInfo]

_DISK_HEADER = (
    f"{'Vdev':<5} {'BE':<3} {'handle':<6} {'state':<5} {'evt-ch':<6} {'ring-ref':<8} {'BE-path':<30}"
)
_NIC_HEADER = (
    f"{'Idx':<3} {'BE':<2} {'Mac Addr.':<17} {'handle':<6} {'state':<5} {'evt-ch':<6} "
    f"{'tx-':>5}/{'rx-ring-ref':<5} {'BE-path':<30}"
)
_XENBUS_STATES = ("unknown", "initialising", "initwait", "initialised", "connected", "closing", "closed")


def disk_kind() -> Kind:
    """Rows are (domid, DiskInfo)."""
    return Kind(
        "disk",
        (
            Column("domid", "ID", lambda row: row[0], right=True),
            Column("vdev", "Vdev", lambda row: row[1].vdev),
            Column("devid", "Number", lambda row: row[1].devid, right=True),
            Column("target", "Target", lambda row: row[1].target),
            Column("format", "Format", lambda row: row[1].format),
            Column("readonly", "Mode", lambda row: row[1].readonly, text=_disk_mode),
            Column("cdrom", "CD", lambda row: row[1].cdrom, shown=False),
            Column("state", "State", lambda row: row[1].state, text=_state_word),
            Column("backend_domid", "BE", lambda row: row[1].backend_domid, right=True, shown=False),
            Column("evtch", "evt-ch", lambda row: row[1].evtch, right=True, shown=False),
            Column("rref", "ring-ref", lambda row: row[1].rref, right=True, shown=False),
            Column("backend_path", "BE-path", lambda row: row[1].backend_path, shown=False),
        ),
        plain_table(_DISK_HEADER, _plain_disk),
    )


def nic_kind() -> Kind:
    """Rows are (domid, NicInfo)."""
    return Kind(
        "nic",
        (
            Column("domid", "ID", lambda row: row[0], right=True),
            Column("devid", "Idx", lambda row: row[1].devid, right=True),
            Column("mac", "MAC", lambda row: row[1].mac),
            Column("model", "Model", lambda row: row[1].model),
            Column("bridge", "Bridge", lambda row: row[1].bridge),
            Column("ifname", "Interface", lambda row: row[1].ifname),
            Column("state", "State", lambda row: row[1].state, text=_state_word),
            Column("backend_domid", "BE", lambda row: row[1].backend_domid, right=True, shown=False),
            Column("evtch", "evt-ch", lambda row: row[1].evtch, right=True, shown=False),
            Column("rref_tx", "tx-ring-ref", lambda row: row[1].rref_tx, right=True, shown=False),
            Column("rref_rx", "rx-ring-ref", lambda row: row[1].rref_rx, right=True, shown=False),
            Column("backend_path", "BE-path", lambda row: row[1].backend_path, shown=False),
        ),
        plain_table(_NIC_HEADER, _plain_nic),
    )


def _plain_disk(row: DiskRow) -> str:
    """main_blocklist: the device by its number, the frontend's domid as handle."""
    disk = row[1]
    return (
        f"{disk.devid:<5d} {disk.backend_domid:<3d} {row[0]:<6d} {disk.state:<5d} "
        f"{disk.evtch:<6d} {disk.rref:<8d} {disk.backend_path:<30}"
    )


def _plain_nic(row: NicRow) -> str:
    """main_networklist: the MAC fills its column, so the devid stands as handle right behind it."""
    nic = row[1]
    return (
        f"{nic.devid:<3d} {nic.backend_domid:<2d} {nic.mac}{nic.devid:6d} {nic.state:5d} {nic.evtch:6d} "
        f"{nic.rref_tx:5d}/{nic.rref_rx:<11d} {nic.backend_path:<30}"
    )


def _disk_mode(row: DiskRow) -> str:
    mode = "r" if row[1].readonly else "rw"
    return f"{mode}, cdrom" if row[1].cdrom else mode


def _state_word(row: DiskRow | NicRow) -> str:
    state = row[1].state
    return _XENBUS_STATES[state] if 0 <= state < len(_XENBUS_STATES) else str(state)


def port_kind() -> Kind:
    """One row, (address, port): where a domain's display can be seen from here."""
    return Kind(
        "display-port",
        (
            Column("address", "Address", lambda row: row[0]),
            Column("port", "Port", lambda row: row[1], right=True),
        ),
    )
