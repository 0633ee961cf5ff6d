"""Platform shared resources: what sockets can monitor and allocate, and who has which share (libxl_psr_*)."""

from __future__ import annotations

from xlpy.model.record import Record


class PsrHardware(Record):
    """One feature of one socket. ``feature`` is l3, l2 (shares of a cache) or mba (of memory bandwidth)."""

    feature: str
    socket: int
    cos_max: int
    cbm_length: int = 0  # bits of a share of a cache
    cdp_enabled: bool = False  # code and data have shares of their own
    cache_kib: int | None = None  # the L3 cache's
    thrtl_max: int = 0
    linear: bool = False


class PsrMonitoring(Record):
    """Cache monitoring. ``kinds`` are what can be counted, ``domids`` those that are watched."""

    enabled: bool
    total_rmid: int = 0
    kinds: tuple[str, ...] = ()
    domids: tuple[int, ...] = ()
    cache_kib: tuple[int, ...] = ()  # the L3 cache of each online socket, in order of ``sockets``
    sockets: tuple[int, ...] = ()


class PsrValue(Record):
    """A domain's share on a socket; None when the socket wouldn't tell."""

    socket: int
    value: int | None
