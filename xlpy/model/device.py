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


class VtpmInfo(Record):
    """A virtual TPM (libxl_vtpminfo)."""

    devid: int
    uuid: str
    backend_domid: int = 0
    state: int = 4
    evtch: int = -1
    rref: int = -1
    backend_path: str = ""


class UsbPort(Record):
    """What is plugged into a port of a virtual USB controller; ports count from 1, None is nothing."""

    port: int
    hostbus: int | None = None
    hostaddr: int | None = None


class UsbctrlInfo(Record):
    """A virtual USB controller (libxl_usbctrlinfo). ``type`` is pv, devicemodel or qusb."""

    devid: int
    type: str
    version: int
    ports: tuple[UsbPort, ...] = ()
    backend_domid: int = 0
    state: int = 4


class VkbInfo(Record):
    """A virtual keyboard (libxl_vkbinfo). ``backend_type`` is qemu or linux."""

    devid: int
    unique_id: str | None = None
    backend_type: str = "qemu"
    backend_domid: int = 0
    state: int = 4
    evtch: int = -1
    rref: int = -1
    backend_path: str = ""


class ConnectorInfo(Record):
    """A connector of a virtual display (libxl_connectorinfo)."""

    unique_id: str | None = None
    width: int = 0
    height: int = 0
    req_evtch: int = -1
    req_rref: int = -1
    evt_evtch: int = -1
    evt_rref: int = -1


class VdisplInfo(Record):
    """A virtual display (libxl_vdisplinfo)."""

    devid: int
    be_alloc: bool = False
    connectors: tuple[ConnectorInfo, ...] = ()
    backend_domid: int = 0
    frontend_domid: int = 0
    state: int = 4
    backend_path: str = ""
    frontend_path: str = ""


class ChannelInfo(Record):
    """A channel (libxl_channelinfo). ``path`` is that of the terminal, or of the socket."""

    devid: int
    name: str | None = None
    connection: str = "pty"
    path: str | None = None
    backend_domid: int = 0
    state: int = 4
    evtch: int = -1
    rref: int = -1
