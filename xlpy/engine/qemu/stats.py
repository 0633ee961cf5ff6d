"""Counters of all domains at once: QEMU is asked by all connections together, the rest is read from /proc."""

from __future__ import annotations

from xlpy.engine.qemu.memory import current_memory_kib
from xlpy.engine.qemu.procfs import (
    host_cpu_times_ns,
    host_memory_kib,
    interface_bytes,
    process_time_ns,
    resident_kib,
)
from xlpy.errors import EngineError
from xlpy.model.domain import DomainStats

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from xlpy.engine.qemu.domain import QemuDomain
    from xlpy.engine.qemu.qmp import Pending

_ANSWER_TIMEOUT_S = 5.0


def domain_stats(domains: Sequence[QemuDomain]) -> tuple[DomainStats, ...]:
    """Counters of Domain-0 and of these domains.

    A domain whose QEMU has ended, or hangs, has no disk counters. A user-mode network counts nothing.
    """
    asked = [(domain, _ask(domain)) for domain in domains]
    interfaces = interface_bytes()
    return (_host_stats(), *(_one(domain, pending, interfaces) for domain, pending in asked))


def _ask(domain: QemuDomain) -> Pending | None:
    try:
        return domain.qmp.submit("query-blockstats") if domain.record.machine.disks else None
    except EngineError:
        return None


def _host_stats() -> DomainStats:
    total, available = host_memory_kib()
    return DomainStats(
        domid=0,
        cpu_time_ns=sum(host_cpu_times_ns().values()),
        memory_kib=total,
        resident_memory_kib=total - available,
    )


def _one(domain: QemuDomain, pending: Pending | None, interfaces: dict[str, tuple[int, int]]) -> DomainStats:
    received = sent = 0
    for nic in domain.record.machine.nics:
        # what the host receives from the tap, the guest has sent
        tap_received, tap_sent = interfaces.get(nic.ifname or "", (0, 0))
        received += tap_sent
        sent += tap_received
    pid = domain.process.pid
    return DomainStats(
        domid=domain.domid,
        cpu_time_ns=0 if domain.gone else process_time_ns(pid),
        memory_kib=current_memory_kib(domain),
        resident_memory_kib=0 if domain.gone else resident_kib(pid),
        nic_count=len(domain.record.machine.nics),
        disk_count=len(domain.record.machine.disks),
        nic_rx_bytes=received,
        nic_tx_bytes=sent,
        **_disk_counters(pending),
    )


def _disk_counters(pending: Pending | None) -> dict[str, Any]:
    drives: list[dict[str, Any]] = []
    if pending is not None:
        try:
            drives = pending.result(_ANSWER_TIMEOUT_S)
        except EngineError:
            pass  # it ended between; the domain is listed with what is known
    counters = [drive["stats"] for drive in drives]
    return {
        "disk_read_bytes": sum(counter["rd_bytes"] for counter in counters),
        "disk_write_bytes": sum(counter["wr_bytes"] for counter in counters),
        "disk_read_requests": sum(counter["rd_operations"] for counter in counters),
        "disk_write_requests": sum(counter["wr_operations"] for counter in counters),
    }
