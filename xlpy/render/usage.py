"""What domains use of a machine at a moment: ``xl top``, in xentop's columns.

A Moment is what was asked of the host at one time; two of them give rates.
"""

from __future__ import annotations

import time

from xlpy.model.domain import DomainInfo, DomainStats, ShutdownReason
from xlpy.model.host import HostInfo
from xlpy.model.record import Record
from xlpy.render.domain import name_of, state_word
from xlpy.render.kind import Column, Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SECTOR_BYTES = 512


class Moment(Record):
    """A host and its domains as they were at ``time_s`` (of a clock that only goes forward)."""

    time_s: float
    host: HostInfo
    domains: tuple[DomainInfo, ...]
    stats: dict[str, DomainStats]  # by domid

    def of(self, domid: int) -> DomainStats:
        """The counters of a domain; zeros when it came after they were read."""
        return self.stats.get(str(domid)) or DomainStats(domid=domid)


class Usage(Record):
    """One domain's use: counters since its start, and rates since the moment before."""

    info: DomainInfo
    stats: DomainStats
    cpu_percent: float = 0.0
    nic_rx_bytes_per_s: float = 0.0
    nic_tx_bytes_per_s: float = 0.0
    disk_read_bytes_per_s: float = 0.0
    disk_write_bytes_per_s: float = 0.0
    host_memory_kib: int = 1

    @property
    def memory_percent(self) -> float:
        """Of the host's memory."""
        return 100 * self.info.current_memory_kib / self.host_memory_kib


def usages(now: Moment, before: Moment | None) -> list[Usage]:
    """The use of every domain; rates are 0 without a moment before, or for a domain that was not there then."""
    return [_usage(info, now, before) for info in now.domains]


def _usage(info: DomainInfo, now: Moment, before: Moment | None) -> Usage:
    stats = now.of(info.domid)
    total_kib = max(1, now.host.total_memory_kib)
    if before is None or str(info.domid) not in before.stats or now.time_s <= before.time_s:
        return Usage(info=info, stats=stats, host_memory_kib=total_kib)
    earlier = before.of(info.domid)
    elapsed_s = now.time_s - before.time_s

    def rate(counter: str) -> float:
        grown: int = getattr(stats, counter) - getattr(earlier, counter)
        return max(0, grown) / elapsed_s

    return Usage(
        info=info,
        stats=stats,
        host_memory_kib=total_kib,
        cpu_percent=rate("cpu_time_ns") / 1e7,
        nic_rx_bytes_per_s=rate("nic_rx_bytes"),
        nic_tx_bytes_per_s=rate("nic_tx_bytes"),
        disk_read_bytes_per_s=rate("disk_read_bytes"),
        disk_write_bytes_per_s=rate("disk_write_bytes"),
    )


def usage_kind() -> Kind:
    """Rows are Usage; the plain form is that of ``xentop -b -f``."""
    return Kind(
        "usage",
        (
            Column("name", "Name", lambda row: row.info.name, text=lambda row: name_of(row.info)),
            Column("domid", "ID", lambda row: row.info.domid, right=True),
            Column("state", "State", lambda row: state_word(row.info)),
            Column("cpu_time_ns", "CPU(s)", lambda row: row.stats.cpu_time_ns, text=_cpu_seconds, right=True),
            Column("cpu_percent", "CPU%", lambda row: round(row.cpu_percent, 1), right=True),
            _kib("memory_kib", "Mem(MiB)", lambda row: row.info.current_memory_kib),
            Column("memory_percent", "Mem%", lambda row: round(row.memory_percent, 1), right=True),
            _kib("max_memory_kib", "Max(MiB)", lambda row: row.info.max_memory_kib, shown=False),
            _kib("resident_memory_kib", "Resident", lambda row: row.stats.resident_memory_kib, shown=False),
            Column("vcpus_online", "VCPUs", lambda row: row.info.vcpu_online, right=True),
            *_counters(),
            _rate("nic_tx_bytes_per_s", "NetTX/s"),
            _rate("nic_rx_bytes_per_s", "NetRX/s"),
            _rate("disk_read_bytes_per_s", "Read/s"),
            _rate("disk_write_bytes_per_s", "Write/s"),
        ),
        _plain,
    )


def _counters() -> Iterator[Column]:
    for key in (
        "nic_count",
        "nic_tx_bytes",
        "nic_rx_bytes",
        "disk_count",
        "disk_read_requests",
        "disk_write_requests",
        "disk_read_bytes",
        "disk_write_bytes",
    ):
        yield _counter(key)


def _counter(key: str) -> Column:
    return Column(key, key, lambda row: getattr(row.stats, key), right=True, shown=False)


def _kib(key: str, title: str, value: Callable[[Usage], int], shown: bool = True) -> Column:
    return Column(key, title, value, text=lambda row: str(value(row) // 1024), right=True, shown=shown)


def _rate(key: str, title: str) -> Column:
    return Column(
        key,
        title,
        lambda row: round(getattr(row, key)),
        text=lambda row: short_bytes(getattr(row, key)),
        right=True,
    )


def _cpu_seconds(row: Usage) -> str:
    return f"{row.stats.cpu_time_ns / 1e9:.0f}"


def short_bytes(count: float) -> str:
    """A number of bytes in at most five characters: ``512``, ``1.5K``, ``20M``."""
    for unit in ("", "K", "M", "G"):
        if count < 999.5:
            return f"{count:.1f}{unit}" if unit and count < 9.95 else f"{count:.0f}{unit}"
        count /= 1024
    return f"{count:.0f}T"


def summary(moment: Moment, wall_time_s: float) -> tuple[str, str, str]:
    """The lines above the table: who and when, how many domains in which state, memory and pcpus (do_summary)."""
    host = moment.host
    used_kib = host.total_memory_kib - host.free_memory_kib
    return (
        f"xlpy top - {_clock(wall_time_s)}   {host.host}   {host.engine}",
        _states(moment.domains),
        f"Mem: {host.total_memory_kib}k total, {used_kib}k used, {host.free_memory_kib}k free    "
        f"CPUs: {host.nr_cpus} @ {host.cpu_khz // 1000}MHz",
    )


def total_summary(moments: Sequence[Moment], wall_time_s: float) -> tuple[str, str, str]:
    """The lines above the table of several hosts: what they have together."""
    total_kib = sum(moment.host.total_memory_kib for moment in moments)
    free_kib = sum(moment.host.free_memory_kib for moment in moments)
    return (
        f"xlpy top - {_clock(wall_time_s)}   {len(moments)} hosts",
        _states([domain for moment in moments for domain in moment.domains]),
        f"Mem: {total_kib}k total, {total_kib - free_kib}k used, {free_kib}k free    "
        f"CPUs: {sum(moment.host.nr_cpus for moment in moments)}",
    )


def _clock(wall_time_s: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(wall_time_s))


def _states(domains: Sequence[DomainInfo]) -> str:
    """How many domains there are in which state."""
    counts = dict.fromkeys(("running", "blocked", "paused", "crashed", "dying", "shutdown"), 0)
    for domain in domains:
        counts[_summary_word(domain)] += 1
    return f"{len(domains)} domains: " + ", ".join(f"{count} {word}" for word, count in counts.items())


def _summary_word(domain: DomainInfo) -> str:
    if domain.shutdown and domain.shutdown_reason is ShutdownReason.CRASH:
        return "crashed"
    word = state_word(domain)
    return "blocked" if word == "runnable" else word


def _plain(rows: Sequence[Usage], headers: bool) -> Iterator[str]:
    """xentop's fields and widths; large numbers widen their column as xentop's do."""
    cells = [_xentop_cells(row) for row in rows]
    widths = [
        max(width, *(len(row[place]) for row in cells)) if cells else width
        for place, (_, width) in enumerate(_XENTOP_FIELDS)
    ]
    if headers:
        yield " ".join(title.rjust(width) for (title, _), width in zip(_XENTOP_FIELDS, widths, strict=True))
    for row in cells:
        yield " ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))


_XENTOP_FIELDS = (
    ("NAME", 10),
    ("STATE", 6),
    ("CPU(sec)", 10),
    ("CPU(%)", 6),
    ("MEM(k)", 10),
    ("MEM(%)", 6),
    ("MAXMEM(k)", 10),
    ("MAXMEM(%)", 9),
    ("VCPUS", 5),
    ("NETS", 4),
    ("NETTX(k)", 8),
    ("NETRX(k)", 8),
    ("VBDS", 4),
    ("VBD_OO", 8),
    ("VBD_RD", 8),
    ("VBD_WR", 8),
    ("VBD_RSECT", 10),
    ("VBD_WSECT", 10),
    ("SSID", 4),
)


def _xentop_cells(row: Usage) -> tuple[str, ...]:
    """VBD_OO counts requests that a backend had to put off, which only Xen's has: ``-`` as in xentop."""
    info, stats = row.info, row.stats
    return (
        name_of(info),
        _xentop_state(info),
        str(stats.cpu_time_ns // 1_000_000_000),
        f"{row.cpu_percent:.1f}",
        str(info.current_memory_kib),
        f"{row.memory_percent:.1f}",
        str(info.max_memory_kib),
        f"{100 * info.max_memory_kib / row.host_memory_kib:.1f}",
        str(info.vcpu_online),
        str(stats.nic_count),
        str(stats.nic_tx_bytes // 1024),
        str(stats.nic_rx_bytes // 1024),
        str(stats.disk_count),
        "-",
        str(stats.disk_read_requests),
        str(stats.disk_write_requests),
        str(stats.disk_read_bytes // SECTOR_BYTES),
        str(stats.disk_write_bytes // SECTOR_BYTES),
        "0",
    )


def _xentop_state(info: DomainInfo) -> str:
    """xentop's six letters, in another order than xl's."""
    crashed = info.shutdown and info.shutdown_reason is ShutdownReason.CRASH
    return "".join(
        letter if is_so else "-"
        for letter, is_so in (
            ("d", info.dying),
            ("s", info.shutdown),
            ("b", info.blocked),
            ("c", crashed),
            ("p", info.paused),
            ("r", info.running),
        )
    )
