"""Counters, from files laid out as the kernel of a dom0 lays them out."""

from __future__ import annotations

from pathlib import Path

from xlpy.engine.libxl.stats import domain_stats
from xlpy.model.domain import DomainInfo

INFO = DomainInfo(domid=1, uuid="u", name="web", cpu_time_ns=7, current_memory_kib=5, max_memory_kib=6)


def device(directory: Path, name: str, **counters: int) -> None:
    place = directory / name / "statistics"
    place.mkdir(parents=True)
    for counter, value in counters.items():
        (place / counter).write_text(f"{value}\n")


def test_what_goes_through_the_backends_is_counted(tmp_path: Path) -> None:
    network, backends = tmp_path / "net", tmp_path / "xen-backend"
    device(network, "vif1.0", tx_bytes=10, rx_bytes=1)
    device(network, "vif1.1", tx_bytes=20, rx_bytes=2)
    device(network, "vif1.0-emu", tx_bytes=10, rx_bytes=1)
    device(network, "vif11.0", tx_bytes=999, rx_bytes=999)
    device(backends, "vbd-1-51712", rd_sect=4, wr_sect=2, rd_req=3, wr_req=1)
    device(backends, "vbd-1-51728", rd_sect=4)
    device(backends, "vbd-11-51712", rd_sect=999)
    stats = domain_stats(INFO, str(network), str(backends))
    assert (stats.nic_count, stats.nic_rx_bytes, stats.nic_tx_bytes) == (2, 30, 3)
    assert (stats.disk_count, stats.disk_read_bytes, stats.disk_write_bytes) == (2, 4096, 1024)
    assert (stats.disk_read_requests, stats.disk_write_requests) == (3, 1)
    assert (stats.cpu_time_ns, stats.resident_memory_kib) == (7, 5)


def test_a_host_without_any(tmp_path: Path) -> None:
    stats = domain_stats(INFO, str(tmp_path / "net"), str(tmp_path / "xen-backend"))
    assert (stats.nic_count, stats.disk_count) == (0, 0)
