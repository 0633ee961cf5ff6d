"""Devices of the host that domains have: ``xl pci-list``, ``pci-assignable-list`` and ``usb-list``."""

from __future__ import annotations

from xlpy.render.kind import Column, Kind, plain_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xlpy.model.device import UsbctrlInfo, UsbPort
    from xlpy.model.device_config import PciConfig

    PciRow = tuple[int, PciConfig]
    UsbRow = tuple[int, UsbctrlInfo]

_USB_HEADER = f"{'Devid':<6} {'Type':<12} {'BE':<3} {'state':<5} {'usb-ver':<7} {'ports':<5}"


def pci_kind() -> Kind:
    """Rows are (domid, PciConfig). xl prints not even the header when there are none."""

    def plain(rows: Sequence[PciRow], headers: bool) -> Iterator[str]:
        if rows and headers:
            yield "Vdev Device"
        for row in rows:
            yield f"{_slot(row[1])} {address(row[1])}"

    return Kind(
        "pci",
        (
            Column("domid", "ID", lambda row: row[0], right=True),
            Column("vdev", "Vdev", lambda row: _slot(row[1])),
            Column("device", "Device", lambda row: address(row[1])),
            Column("name", "Name", lambda row: row[1].name),
        ),
        plain,
    )


def assignable_pci_kind(names: bool = False) -> Kind:
    """Rows are PciConfig. xl's lines end with a blank, or with the name."""
    return Kind(
        "pci-assignable",
        (
            Column("device", "Device", address),
            Column("name", "Name", lambda row: row.name),
        ),
        plain_table(None, lambda row: f"{address(row)} {(row.name or '') if names else ''}"),
    )


def usb_kind() -> Kind:
    """Rows are (domid, UsbctrlInfo). xl repeats its header for every controller."""

    def plain(rows: Sequence[UsbRow], headers: bool) -> Iterator[str]:
        for _, controller in rows:
            if headers:
                yield _USB_HEADER
            yield (
                f"{controller.devid:<6d} {controller.type:<12} {controller.backend_domid:<3d} "
                f"{controller.state:<5d} {controller.version:<7d} {len(controller.ports):<5d}"
            )
            for port in controller.ports:
                yield f"  Port {port.port}:{_xl_port(port)}"

    return Kind(
        "usb",
        (
            Column("domid", "ID", lambda row: row[0], right=True),
            Column("devid", "Idx", lambda row: row[1].devid, right=True),
            Column("type", "Type", lambda row: row[1].type),
            Column("version", "USB", lambda row: row[1].version, right=True),
            Column("backend_domid", "BE", lambda row: row[1].backend_domid, right=True, shown=False),
            Column("state", "State", lambda row: row[1].state, right=True),
            Column("ports", "Ports", lambda row: [vars(port) for port in row[1].ports], text=_port_words),
        ),
        plain,
    )


def address(pci: PciConfig) -> str:
    """A function's address as everybody writes it: ``0000:01:00.0``."""
    return f"{pci.domain:04x}:{pci.bus:02x}:{pci.dev:02x}.{pci.func:01x}"


def _slot(pci: PciConfig) -> str:
    return f"{pci.vdevfn >> 3 & 0x1F:02x}.{pci.vdevfn & 7:01x}"


def _xl_port(port: UsbPort) -> str:
    if port.hostbus is None or port.hostaddr is None:
        return ""
    return f" Bus {port.hostbus:03x} Device {port.hostaddr:03x}"


def _port_words(row: UsbRow) -> str:
    ports = row[1].ports
    used = [
        f"{port.port}: {port.hostbus:03}/{port.hostaddr:03}" for port in ports if port.hostbus is not None
    ]
    return f"{', '.join(used) or 'empty'} of {len(ports)}"
