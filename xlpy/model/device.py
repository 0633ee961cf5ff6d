"""Devices of a running domain as its engine sees them (libxl_diskinfo, libxl_nicinfo).

``state`` is a xenbus state: 1 Initialising, 2 InitWait, 3 Initialised, 4 Connected, 5 Closing, 6 Closed.
"""

from __future__ import annotations

from xlpy.model.record import Record


class DiskInfo(Record):
    """A disk. ``devid`` is Xen's device number (xvda is 51712)."""

    devid: int
    vdev: str
    backend_domid: int = 0
    frontend_domid: int = 0
    state: int = 4
    evtch: int = -1
    rref: int = -1
    backend_path: str = ""
    target: str | None = None
    format: str | None = None
    readonly: bool = False
    cdrom: bool = False


class NicInfo(Record):
    """A network card. ``devid`` counts from 0 in the domain."""

    devid: int
    mac: str
    backend_domid: int = 0
    state: int = 4
    evtch: int = -1
    rref_tx: int = -1
    rref_rx: int = -1
    backend_path: str = ""
    bridge: str | None = None
    model: str | None = None
    ifname: str | None = None


class VncAddress(Record):
    """Where a domain's VNC server listens. ``port`` is a TCP port, 5900 + display."""

    host: str
    port: int
    password: str | None = None
