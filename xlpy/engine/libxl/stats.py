"""What domains have used: the kernel counts for its backends what goes through them (as tools/libs/stat reads it)."""

from __future__ import annotations

import os

from xlpy.model.domain import DomainStats

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.model.domain import DomainInfo

_NETWORK = "/sys/class/net"
_BACKENDS = "/sys/bus/xen-backend/devices"
_SECTOR_BYTES = 512


def domain_stats(info: DomainInfo, network: str = _NETWORK, backends: str = _BACKENDS) -> DomainStats:
    """The counters of one domain. From dom0 the guest's received bytes are those that its vif has sent."""
    vifs = _statistics(network, f"vif{info.domid}.")
    vbds = _statistics(backends, f"vbd-{info.domid}-")
    return DomainStats(
        domid=info.domid,
        cpu_time_ns=info.cpu_time_ns,
        memory_kib=info.max_memory_kib,
        resident_memory_kib=info.current_memory_kib,
        nic_count=len(vifs),
        disk_count=len(vbds),
        nic_rx_bytes=_total(vifs, "tx_bytes"),
        nic_tx_bytes=_total(vifs, "rx_bytes"),
        disk_read_bytes=_total(vbds, "rd_sect") * _SECTOR_BYTES,
        disk_write_bytes=_total(vbds, "wr_sect") * _SECTOR_BYTES,
        disk_read_requests=_total(vbds, "rd_req"),
        disk_write_requests=_total(vbds, "wr_req"),
    )


def _statistics(directory: str, prefix: str) -> list[str]:
    """Where the counters of those devices are; vif1.0-emu is the device model's half of the same card."""
    try:
        names = os.listdir(directory)
    except OSError:
        return []
    mine = (name for name in names if name.startswith(prefix) and not name.endswith("-emu"))
    return [f"{directory}/{name}/statistics" for name in mine]


def _total(places: list[str], counter: str) -> int:
    return sum(_number(f"{place}/{counter}") for place in places)


def _number(path: str) -> int:
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return 0
