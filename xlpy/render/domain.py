"""Domains: ``xl list``, ``xl vm-list``, ``xl uptime``, ``xl domid`` and ``xl domname``."""

from __future__ import annotations

import time

from xlpy.model.domain import ShutdownReason
from xlpy.render.cpumap import format_cpumap
from xlpy.render.kind import Column, Kind, plain_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from xlpy.model.domain import DomainInfo

# libxl_shutdown_reason's numbers, and the letter that `xl list` shows in the fifth place of the state
_REASONS = {
    ShutdownReason.POWEROFF: (0, "-"),
    ShutdownReason.REBOOT: (1, "r"),
    ShutdownReason.SUSPEND: (2, "s"),
    ShutdownReason.CRASH: (3, "c"),
    ShutdownReason.WATCHDOG: (4, "w"),
    ShutdownReason.SOFT_RESET: (5, "S"),
}
_UNKNOWN_REASON = (0xFFFFFFFF, "?")
_ON_ITS_WAY = {
    "saving": "leaving for",
    "sent": "sent to",
    "incoming": "coming from",
    "accepted": "coming from",
}
_STYLES = {
    "running": "green",
    "blocked": "green",
    "runnable": "green",
    "paused": "yellow",
    "shutdown": "dim",
    "dying": "red",
    "off": "dim",
}
NOT_RUNNING = -1
"""The domid of a managed domain that has none, as a row of ``list --all``."""


def reason_code(reason: ShutdownReason | None) -> int:
    """libxl's number of a shutdown reason."""
    return _REASONS.get(reason, _UNKNOWN_REASON)[0] if reason else _UNKNOWN_REASON[0]


def state_letters(domain: DomainInfo) -> str:
    """xl's six characters: running, blocked, paused, shut down, why, dying."""
    why = "-"
    if domain.shutdown:
        why = _REASONS.get(domain.shutdown_reason or ShutdownReason.UNKNOWN, _UNKNOWN_REASON)[1]
    return (
        ("r" if domain.running else "-")
        + ("b" if domain.blocked else "-")
        + ("p" if domain.paused else "-")
        + ("s" if domain.shutdown else "-")
        + why
        + ("d" if domain.dying else "-")
    )


def state_word(domain: DomainInfo) -> str:
    """The state in one word; what ends a domain counts more than what it does."""
    if domain.domid == NOT_RUNNING:
        return "off"
    for word in ("dying", "shutdown", "paused", "running", "blocked"):
        if getattr(domain, word):
            return word
    return "runnable"


def domain_kind(
    *, verbose: bool = False, context: bool = False, cpupool: bool = False, nodes: int | None = None
) -> Kind:
    """Rows of ``xl list``. ``nodes`` is the host's number of NUMA nodes, given when their column shall be shown."""
    header = "Name                                        ID   Mem VCPUs\tState\tTime(s)"
    cells: list[Callable[[DomainInfo], str]] = []
    if verbose:
        header += "   UUID                            Reason-Code\tSecurity Label"
        cells.append(lambda row: f" {row.uuid} {_reason_text(row):>8}")
    elif context:
        header += "   Security Label"
    if verbose or context:
        cells.append(lambda row: f" {row.ssid_label or '-':>16}")
    if cpupool:
        header += "         Cpupool"
        cells.append(lambda row: f"{row.cpupool_name:>16}")
    if nodes is not None:
        header += " NODE Affinity"
        cells.append(lambda row: f" {format_cpumap(row.node_affinity, nodes)}")

    def line(row: DomainInfo) -> str:
        memory_mib = (row.current_memory_kib + row.outstanding_memory_kib) // 1024
        return (
            f"{name_of(row):<40} {_domid_text(row):>5} {memory_mib:5d} {row.vcpu_online:5d}     "
            f"{state_letters(row)}  {row.cpu_time_ns / 1e9:8.1f}" + "".join([cell(row) for cell in cells])
        )

    return Kind("domain", _domain_columns(verbose, context, cpupool, nodes), plain_table(header, line))


def name_of(domain: DomainInfo) -> str:
    """The name, or what xl prints for a domain without one."""
    return "(null)" if domain.name is None else domain.name


def _domid_text(row: DomainInfo) -> str:
    return "-" if row.domid == NOT_RUNNING else str(row.domid)


def _reason_text(row: DomainInfo) -> str:
    return f"{reason_code(row.shutdown_reason):x}" if row.shutdown else "-"


def _state_text(row: DomainInfo) -> str:
    word = state_word(row)
    if row.activity is not None:
        doing = (
            f"{_ON_ITS_WAY[row.activity]} {row.peer}"
            if row.peer and row.activity in _ON_ITS_WAY
            else row.activity
        )
        return f"{word} ({doing})"
    if word == "shutdown" and row.shutdown_reason not in (None, ShutdownReason.POWEROFF):
        return f"shutdown ({row.shutdown_reason.value})"
    return word


def _state_style(row: DomainInfo) -> str | None:
    if row.shutdown and row.shutdown_reason in (ShutdownReason.CRASH, ShutdownReason.WATCHDOG):
        return "bold red"
    return _STYLES[state_word(row)]


def _domain_columns(verbose: bool, context: bool, cpupool: bool, nodes: int | None) -> Sequence[Column]:
    return (
        Column("name", "Name", lambda row: row.name, text=name_of),
        Column(
            "domid",
            "ID",
            lambda row: None if row.domid == NOT_RUNNING else row.domid,
            text=_domid_text,
            right=True,
        ),
        Column("uuid", "UUID", lambda row: row.uuid, shown=verbose),
        Column("type", "Type", lambda row: row.domain_type.value, shown=verbose),
        Column(
            "memory_kib",
            "Mem",
            lambda row: row.current_memory_kib + row.outstanding_memory_kib,
            text=lambda row: str((row.current_memory_kib + row.outstanding_memory_kib) // 1024),
            right=True,
        ),
        Column("max_memory_kib", "Max mem (KiB)", lambda row: row.max_memory_kib, right=True, shown=False),
        Column("vcpus_online", "VCPUs", lambda row: row.vcpu_online, right=True),
        Column("state", "State", state_word, text=_state_text, style=_state_style),
        Column("state_letters", "Letters", state_letters, shown=False),
        Column(
            "shutdown_reason",
            "Reason",
            lambda row: row.shutdown_reason.value if row.shutdown and row.shutdown_reason else None,
            shown=False,
        ),
        Column(
            "cpu_time_ns",
            "Time(s)",
            lambda row: row.cpu_time_ns,
            text=lambda row: f"{row.cpu_time_ns / 1e9:.1f}",
            right=True,
        ),
        Column("activity", "Activity", lambda row: row.activity, shown=False),
        Column("peer", "Other host", lambda row: row.peer, shown=False),
        Column("start_time_s", "Started", lambda row: row.start_time_s, text=_start_text, shown=verbose),
        Column("security_label", "Security label", lambda row: row.ssid_label, shown=verbose or context),
        Column("cpupool", "Cpupool", lambda row: row.cpupool_name, shown=cpupool),
        Column(
            "node_affinity",
            "NUMA nodes",
            lambda row: None if row.node_affinity is None else list(row.node_affinity),
            text=lambda row: format_cpumap(row.node_affinity, nodes or 0),
            shown=nodes is not None,
        ),
    )


def _start_text(row: DomainInfo) -> str:
    if row.start_time_s is None:
        return "-"
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row.start_time_s))


def vm_kind() -> Kind:
    """Rows of ``xl vm-list``."""
    return Kind(
        "vm",
        (
            Column("uuid", "UUID", lambda row: row.uuid),
            Column("domid", "ID", lambda row: row.domid, right=True),
            Column("name", "Name", lambda row: row.name, text=name_of),
        ),
        plain_table(
            "UUID                                  ID    name",
            lambda row: f"{row.uuid}  {row.domid}    {name_of(row):<30}",
        ),
    )


def uptime_kind(now_s: float, short: bool = False) -> Kind:
    """Rows of ``xl uptime`` as of now; a domain whose start nobody knows has no plain line, as in xl."""
    clock = time.strftime("%H:%M:%S", time.localtime(now_s))

    def lines(rows: Sequence[DomainInfo], headers: bool) -> Iterator[str]:
        if headers and not short:
            yield f"{'Name':<33} {'ID':>4} Uptime"
        for row in rows:
            up_s = _uptime_s(row, now_s)
            if up_s is None:
                continue
            if short:
                yield f" {clock} up {uptime_text(up_s, short=True)}, {name_of(row)} ({row.domid})"
            else:
                yield f"{name_of(row):<33} {row.domid:4d} {uptime_text(up_s)}"

    return Kind(
        "uptime",
        (
            Column("name", "Name", lambda row: row.name, text=name_of),
            Column("domid", "ID", lambda row: row.domid, right=True),
            Column(
                "uptime_s",
                "Uptime",
                lambda row: _uptime_s(row, now_s),
                text=lambda row: _uptime_cell(row, now_s),
                right=True,
            ),
            Column("start_time_s", "Started", lambda row: row.start_time_s, text=_start_text, shown=False),
        ),
        lines,
    )


def uptime_text(uptime_s: int, *, short: bool = False) -> str:
    """``1 day,  3:04:05``; the short form has no seconds (uptime_to_string in xl_info.c)."""
    days, rest = divmod(uptime_s, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    text = f"{hours:2d}:{minutes:02d}" + ("" if short else f":{seconds:02d}")
    return f"{days} day{'s' if days > 1 else ''}, {text}" if days else text


def _uptime_s(row: DomainInfo, now_s: float) -> int | None:
    return None if row.start_time_s is None else max(0, int(now_s) - int(row.start_time_s))


def _uptime_cell(row: DomainInfo, now_s: float) -> str:
    up_s = _uptime_s(row, now_s)
    return "-" if up_s is None else uptime_text(up_s).strip()


def name_kind(shown: str) -> Kind:
    """One domain's name and number, of which the plain form shows one: ``domid`` or ``name``."""
    return Kind(
        "domain-name",
        (
            Column("name", "Name", lambda row: row.name, text=name_of),
            Column("domid", "ID", lambda row: row.domid, right=True),
        ),
        plain_table(None, lambda row: str(getattr(row, shown))),
    )
