"""What the hypervisor alone knows: ``xl getenforce``, ``xenstore-quota-get``, ``psr-hwinfo``, ``psr-cmt-show``, ``psr-cat-show``."""

from __future__ import annotations

from xlpy.render.kind import Column, Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from xlpy.model.domain import DomainInfo
    from xlpy.model.hypervisor import PsrHardware, PsrMonitoring

    HardwareRow = PsrHardware | PsrMonitoring

    ShareRow = tuple[PsrHardware, DomainInfo, tuple[int | None, ...]]
    SampleRow = tuple[DomainInfo, tuple[int, ...]]

_MODES = {None: "Flask XSM Disabled", True: "Enforcing", False: "Permissive"}
_NO_SUCH_NAME = "(null)"
_HEADINGS = {
    "cmt": "Cache Monitoring Technology (CMT):",
    "l3": "Cache Allocation Technology (CAT):",
    "l2": "Cache Allocation Technology (CAT): L2",
    "mba": "Memory Bandwidth Allocation (MBA):",
}


def flask_kind() -> Kind:
    """One row: whether Flask enforces its policy, None when it is disabled."""
    return Kind(
        "flask",
        (Column("mode", "Flask", lambda row: "disabled" if row is None else _MODES[row].lower()),),
        lambda rows, headers: (_MODES[row] for row in rows),
    )


def quota_kind() -> Kind:
    """Rows are (name, value)."""

    def plain(rows: Sequence[tuple[str, int]], headers: bool) -> Iterator[str]:
        if headers:
            yield "Quota name           Quota value"
            yield "-" * 32
        for name, value in rows:
            yield f"{name:<20} {value:8d}"

    return Kind(
        "xenstore-quota",
        (
            Column("name", "Quota", lambda row: row[0]),
            Column("value", "Value", lambda row: row[1], right=True),
        ),
        plain,
    )


def psr_hardware_kind() -> Kind:
    """Rows are PsrHardware in order of their features, and PsrMonitoring (``cmt``), which is all sockets'."""

    def fact(name: str, only: str | None = None) -> Callable[[HardwareRow], object]:
        return lambda row: getattr(row, name, None) if only in (None, _feature(row)) else None

    def plain(rows: Sequence[HardwareRow], headers: bool) -> Iterator[str]:
        """psr_cmt_hwinfo, psr_l3_cat_hwinfo, psr_l2_cat_hwinfo, psr_mba_hwinfo."""
        before = None
        for row in rows:
            feature = _feature(row)
            if feature != before:
                yield _HEADINGS[feature]
            before = feature
            yield from _lines(row)

    return Kind(
        "psr-hardware",
        (
            Column("feature", "Feature", _feature),
            Column("enabled", "Enabled", lambda row: getattr(row, "enabled", True), shown=False),
            Column("socket", "Socket", fact("socket"), right=True),
            Column("cos_max", "Maximum COS", fact("cos_max"), right=True),
            Column(
                "cbm_length", "CBM length", lambda row: getattr(row, "cbm_length", None) or None, right=True
            ),
            Column("cdp_enabled", "CDP", fact("cdp_enabled")),
            Column("cache_kib", "L3 cache (KiB)", fact("cache_kib", "l3"), right=True),
            Column(
                "thrtl_max",
                "Maximum throttling",
                lambda row: getattr(row, "thrtl_max", None) or None,
                right=True,
            ),
            Column("linear", "Linear", fact("linear")),
            Column("total_rmid", "RMIDs", fact("total_rmid"), right=True),
            Column("kinds", "Monitor types", fact("kinds")),
        ),
        plain,
    )


def _feature(row: HardwareRow) -> str:
    return str(getattr(row, "feature", "cmt"))


def _lines(row: Any) -> Iterator[str]:
    if _feature(row) == "cmt":
        yield _pair("Enabled", int(row.enabled))
        if row.enabled:
            yield _pair("Total RMID", row.total_rmid)
            yield "Supported monitor types:"
            yield from row.kinds
        return
    if row.feature == "mba":
        yield f"Socket ID               : {row.socket}"
        yield f"Linear Mode             : {_enabled(row.linear)}"
        yield f"Maximum COS             : {row.cos_max}"
        yield f"Maximum Throttling Value: {row.thrtl_max}"
        yield "Default Throttling Value: 0"
        return
    yield _pair("Socket ID", row.socket)
    if row.feature == "l3":
        yield _pair("L3 Cache", f"{row.cache_kib or 0}KB")
        yield _pair("CDP Status", _enabled(row.cdp_enabled))
    yield _pair("Maximum COS", row.cos_max)
    yield _pair("CBM length", row.cbm_length)
    yield _pair("Default CBM", _hex((1 << row.cbm_length) - 1))


def psr_share_kind() -> Kind:
    """Rows are (PsrHardware, DomainInfo, values): a domain's share on one socket, its code's and its data's if they differ."""

    def plain(rows: Sequence[ShareRow], headers: bool) -> Iterator[str]:
        last: PsrHardware | None = None
        for hardware, domain, values in rows:
            if hardware is not last and headers:
                yield from _share_header(hardware)
            last = hardware
            cells = "".join(_share(hardware, value) for value in values)
            yield f"{domain.domid:5d}{domain.name or _NO_SUCH_NAME:>25}{cells}"

    return Kind(
        "psr-share",
        (
            Column("socket", "Socket", lambda row: row[0].socket, right=True),
            Column("domid", "ID", lambda row: row[1].domid, right=True),
            Column("name", "Name", lambda row: row[1].name),
            Column("feature", "Feature", lambda row: row[0].feature),
            Column("values", "Share", lambda row: list(row[2]), text=_share_words),
        ),
        plain,
    )


def psr_sample_kind(monitoring: PsrMonitoring, kind: str) -> Kind:
    """Rows are (DomainInfo, samples): a number for each socket, in KiB or KiB/s."""
    cache = kind == "cache-occupancy"

    def plain(rows: Sequence[SampleRow], headers: bool) -> Iterator[str]:
        if headers:
            yield f"Total RMID: {monitoring.total_rmid}"
            sockets = "".join(f"{'Socket':>14} {socket}" for socket in monitoring.sockets)
            yield f"{'Name':<40} {'ID':>5}{sockets}"
            if cache:
                sizes = "".join(f"{size:13d} KB" for size in monitoring.cache_kib)
                yield f"{'Total L3 Cache Size':<46}{sizes}"
        for domain, samples in rows:
            cells = "".join(f"{value:13d} KB" if cache else f"{value:11d} KB/s" for value in samples)
            yield f"{domain.name or _NO_SUCH_NAME:<40} {domain.domid:5d}{cells}"

    return Kind(
        "psr-sample",
        (
            Column("name", "Name", lambda row: row[0].name),
            Column("domid", "ID", lambda row: row[0].domid, right=True),
            Column("kind", "Counts", lambda row: kind),
            Column("samples", "By socket", lambda row: list(row[1])),
        ),
        plain,
    )


def _share_header(hardware: PsrHardware) -> Iterator[str]:
    yield _pair("Socket ID", hardware.socket)
    if hardware.feature == "mba":
        yield _pair("Default THRTL", 0)
        titles = ["THRTL"]
    else:
        if hardware.feature == "l3":
            yield _pair("L3 Cache", f"{hardware.cache_kib or 0}KB")
        yield _pair("Default CBM", _hex((1 << hardware.cbm_length) - 1))
        titles = ["CBM (code)", "CBM (data)"] if hardware.cdp_enabled else ["CBM"]
    yield f"{'ID':>5}{'NAME':>25}" + "".join(f"{title:>16}" for title in titles)


def _share(hardware: PsrHardware, value: int | None) -> str:
    if value is None:
        return f"{'error':>16}"
    decimal = hardware.feature == "mba" and hardware.linear
    return f"{str(value) if decimal else _hex(value):>16}"


def _share_words(row: ShareRow) -> str:
    return ", ".join(_share(row[0], value).strip() for value in row[2])


def _hex(value: int) -> str:
    """As printf's ``%#llx``: a zero has no prefix."""
    return f"{value:#x}" if value else "0"


def _enabled(value: bool) -> str:
    return "Enabled" if value else "Disabled"


def _pair(name: str, value: object) -> str:
    return f"{name:<16}: {value}"
