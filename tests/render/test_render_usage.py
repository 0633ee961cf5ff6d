"""What ``top`` shows: rates between two moments, xentop's plain form, the screen in small and large terminals."""

from __future__ import annotations

import io

import pytest

from xlpy.errors import UsageError
from xlpy.model.domain import DomainInfo, DomainStats, ShutdownReason
from xlpy.model.host import HostInfo
from xlpy.render.output import Wishes, show
from xlpy.render.usage import Moment, short_bytes, summary, usage_kind, usages
from xlpy.render.usage_screen import SORT_KEYS, View, screen

HOST = HostInfo(
    engine="qemu",
    host="lab1",
    release="6.1",
    version="#1",
    machine="x86_64",
    nr_cpus=2,
    max_cpu_id=1,
    nr_nodes=1,
    cores_per_socket=2,
    threads_per_core=1,
    cpu_khz=2_600_000,
    hw_caps="",
    virt_caps="hvm",
    total_memory_kib=1000 << 10,
    free_memory_kib=400 << 10,
)


def domain(domid: int, name: str, **changes: object) -> DomainInfo:
    return DomainInfo(
        domid=domid,
        uuid="",
        name=name,
        current_memory_kib=100 << 10,
        max_memory_kib=200 << 10,
        vcpu_online=1,
    ).replace(**changes)


def moment(time_s: float, *domains: DomainInfo, **counters: int) -> Moment:
    """Every domain has the same counters."""
    stats = {str(info.domid): DomainStats(domid=info.domid).replace(**counters) for info in domains}
    return Moment(time_s=time_s, host=HOST, domains=domains, stats=stats)


WEB = domain(1, "web", running=True)
DB = domain(2, "db-of-the-accounting", blocked=True)


def test_rates_are_what_grew_in_the_time_between() -> None:
    before = moment(10, WEB, cpu_time_ns=10**9, nic_rx_bytes=1000, disk_write_bytes=0)
    now = moment(14, WEB, cpu_time_ns=3 * 10**9, nic_rx_bytes=9000, disk_write_bytes=4)
    (web,) = usages(now, before)
    assert (web.cpu_percent, web.nic_rx_bytes_per_s, web.disk_write_bytes_per_s) == (50, 2000, 1)


def test_no_rates_without_a_moment_before() -> None:
    assert usages(moment(14, WEB, cpu_time_ns=10**9), None)[0].cpu_percent == 0
    assert usages(moment(14, WEB, cpu_time_ns=10**9), moment(10, DB))[0].cpu_percent == 0


def test_counters_that_began_anew_give_no_negative_rates() -> None:
    (web,) = usages(moment(14, WEB, cpu_time_ns=5), moment(10, WEB, cpu_time_ns=10**9))
    assert web.cpu_percent == 0


def shown(*rows: object, form: str = "plain") -> str:
    out = io.StringIO()
    show(usage_kind(), rows, Wishes(form), out)
    return out.getvalue()


def test_plain_form_is_xentops() -> None:
    now = moment(
        14,
        WEB,
        cpu_time_ns=7_900_000_000,
        nic_count=1,
        nic_tx_bytes=2048,
        nic_rx_bytes=4096,
        disk_count=2,
        disk_read_requests=3,
        disk_write_requests=4,
        disk_read_bytes=5120,
        disk_write_bytes=1024,
    )
    assert shown(*usages(now, None)).splitlines() == [
        "      NAME  STATE   CPU(sec) CPU(%)     MEM(k) MEM(%)  MAXMEM(k) MAXMEM(%) VCPUS NETS NETTX(k) NETRX(k)"
        " VBDS   VBD_OO   VBD_RD   VBD_WR  VBD_RSECT  VBD_WSECT SSID",
        "       web -----r          7    0.0     102400   10.0     204800      20.0     1    1        2        4"
        "    2        -        3        4         10          2    0",
    ]


def test_plain_form_keeps_whole_names() -> None:
    rows = shown(*usages(moment(14, WEB, DB), None)).splitlines()
    assert [row.split()[0] for row in rows] == ["NAME", "web", "db-of-the-accounting"]
    assert len({len(row) for row in rows}) == 1


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"running": True}, "-----r"),
        ({"blocked": True}, "--b---"),
        ({"paused": True}, "----p-"),
        ({"shutdown": True, "shutdown_reason": ShutdownReason.CRASH}, "-s-c--"),
        ({"shutdown": True, "shutdown_reason": ShutdownReason.POWEROFF, "dying": True}, "ds----"),
    ],
)
def test_xentops_state_letters(changes: dict[str, object], state: str) -> None:
    assert shown(*usages(moment(1, domain(1, "web", **changes)), None)).splitlines()[1].split()[1] == state


def test_summary_counts_every_domain_once() -> None:
    crashed = domain(3, "x", shutdown=True, shutdown_reason=ShutdownReason.CRASH)
    lines = summary(moment(1, WEB, DB, domain(4, "idle"), crashed), 0)
    assert lines[1] == "4 domains: 1 running, 2 blocked, 0 paused, 1 crashed, 0 dying, 0 shutdown"
    assert lines[2] == "Mem: 1024000k total, 614400k used, 409600k free    CPUs: 2 @ 2600MHz"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.0K"),
        (1536, "1.5K"),
        (20 << 20, "20M"),
        (1023 << 20, "1.0G"),
        (5 << 40, "5T"),
    ],
)
def test_short_bytes(count: int, text: str) -> None:
    assert short_bytes(count) == text


def test_sorting_by_each_column_keeps_every_row() -> None:
    rows = usages(moment(1, WEB, DB, domain(3, "cache", cpu_time_ns=5)), None)
    view = View()
    for _ in SORT_KEYS:
        assert sorted(row.info.domid for row in view.arranged(usage_kind(), rows)) == [1, 2, 3]
        view.next_sort()
    assert view.sort == "domid"
    view.sort = "name"
    assert [row.info.name for row in view.arranged(usage_kind(), rows)] == [
        "cache",
        "db-of-the-accounting",
        "web",
    ]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 8), (200, 50), (20, 3)])
def test_screen_fits_the_terminal(width: int, height: int) -> None:
    from rich.console import Console

    now = moment(1, *(domain(domid, f"guest-number-{domid}", running=True) for domid in range(60)))
    out = io.StringIO()
    console = Console(file=out, width=width, height=height, force_terminal=False)
    console.print(screen(usages(now, None), now, View(), 0, width, height))
    lines = out.getvalue().splitlines()
    assert all(len(line) <= width for line in lines)
    assert len(lines) <= max(height, 9)
    assert "guest-number-0" in out.getvalue() or width < 40
    assert not any("…" in line for line in lines[4:-1]) or width < 40


def test_scrolling_stays_within_the_rows() -> None:
    view = View()
    view.scroll(-1, 5)
    assert view.first == 0
    view.scroll(10, 5)
    assert view.first == 4


def test_the_screen_is_as_the_command_line_wishes() -> None:
    rows = usages(moment(10, WEB, DB, domain(3, "spare", shutdown=True)), None)
    view = View(Wishes("table", "name,memory_kib", "-name", filter="not name = spare"))
    assert [row.info.name for row in view.arranged(usage_kind(), rows)] == ["web", "db-of-the-accounting"]
    assert [column.key for column in view.columns(usage_kind(), 200)] == ["name", "memory_kib"]
    assert view.title == "-name"
    view.next_sort()
    assert view.title == "ID"
    assert [row.info.name for row in view.arranged(usage_kind(), rows)] == ["web", "db-of-the-accounting"]
    with pytest.raises(UsageError, match="there is no column 'colour'"):
        View(Wishes("table", "colour")).columns(usage_kind(), 80)


def test_what_they_are_sorted_by_is_shown_first_of_all() -> None:
    rows = usages(moment(10, WEB, DB), None)
    for order, key in (("-disk_read_bytes_per_s", "disk_read_bytes_per_s"), ("-memory_k,name", "memory_kib")):
        view = View(Wishes("table", None, order))
        assert key in [column.key for column in view.columns(usage_kind(), 40)]
        assert len(view.arranged(usage_kind(), rows)) == 2
