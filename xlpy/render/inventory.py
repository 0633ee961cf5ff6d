"""Hosts of the inventory, how to reach them, and what was found there: ``xlpy host ...``."""

from __future__ import annotations

from xlpy.model.record import Record
from xlpy.render.kind import Column, Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from xlpy.render.kind import Row

_STYLES = {"ok": "green", "remarks": "yellow", "failed": "red"}


class HostCheck(Record):
    """What ``host check`` found. ``state`` is ok, remarks or failed; ``access`` is how xlpyd came to run there."""

    host: str
    address: str
    state: str
    version: str | None = None
    engine: str | None = None
    python: str | None = None
    uid: int | None = None
    access: str | None = None
    hostname: str | None = None
    connect_ms: float | None = None
    total_memory_kib: int | None = None
    free_memory_kib: int | None = None
    domains: int | None = None
    remarks: tuple[str, ...] = ()
    problem: str | None = None
    hint: str | None = None


class HostPing(Record):
    """Times in milliseconds until a host had greeted us, and for questions and answers after that."""

    host: str
    connect_ms: float | None = None
    times_ms: tuple[float, ...] = ()
    problem: str | None = None


def entry_kind(*, vertical: bool = False) -> Kind:
    """Rows are HostEntry; ``vertical`` shows one with all that is said of it."""
    return Kind("host-entry", tuple(_entry_columns(vertical)), vertical=vertical)


def _entry_columns(all_shown: bool) -> Iterator[Column]:
    yield Column("name", "Name", lambda row: row.name)
    yield Column("address", "Address", lambda row: row.address)
    yield Column("user", "User", lambda row: row.user)
    yield Column("port", "Port", lambda row: row.port, right=True)
    yield Column("groups", "Groups", lambda row: list(row.groups) or None)
    yield Column("labels", "Labels", lambda row: dict(row.labels) or None, text=_labels)
    for key, title in (
        ("identity_file", "Identity file"),
        ("known_hosts_file", "Known hosts file"),
        ("proxy_jump", "Proxy jump"),
        ("python", "Python"),
        ("sudo", "Sudo"),
        ("socket", "Socket"),
        ("state_dir", "State directory"),
        ("connect_timeout_s", "Connect timeout (s)"),
        ("answer_timeout_s", "Answer timeout (s)"),
    ):
        yield _field(key, title, all_shown)


def _field(key: str, title: str, shown: bool) -> Column:
    return Column(key, title, lambda row: getattr(row, key), shown=shown)


def _labels(row: Row) -> str:
    return ",".join(f"{name}={value}" for name, value in row.labels.items()) or "-"


def check_kind() -> Kind:
    """Rows are HostCheck."""
    return Kind(
        "host-check",
        (
            Column("host", "Host", lambda row: row.host),
            Column("address", "Address", lambda row: row.address, shown=False),
            Column("state", "State", lambda row: row.state, style=lambda row: _STYLES[row.state]),
            Column("version", "xlpy", lambda row: row.version),
            Column("access", "xlpyd", lambda row: row.access),
            Column("engine", "Engine", lambda row: row.engine),
            Column("python", "Python", lambda row: row.python),
            Column("uid", "uid", lambda row: row.uid, right=True),
            Column("hostname", "Hostname", lambda row: row.hostname, shown=False),
            Column("domains", "Domains", lambda row: row.domains, right=True),
            Column("total_memory_kib", "Memory", lambda row: row.total_memory_kib, right=True, shown=False),
            Column(
                "free_memory_kib",
                "Free(MiB)",
                lambda row: row.free_memory_kib,
                text=lambda row: "-" if row.free_memory_kib is None else str(row.free_memory_kib // 1024),
                right=True,
            ),
            _milliseconds("connect_ms", "Connect(ms)", lambda row: row.connect_ms),
            Column("remarks", "Remarks", lambda row: list(row.remarks), shown=False),
            Column("problem", "Problem", lambda row: row.problem, shown=False),
            Column("hint", "Hint", lambda row: row.hint, shown=False),
        ),
    )


def ping_kind() -> Kind:
    """Rows are HostPing."""
    return Kind(
        "host-ping",
        (
            Column("host", "Host", lambda row: row.host),
            _milliseconds("connect_ms", "Connect(ms)", lambda row: row.connect_ms),
            _milliseconds("min_ms", "Min(ms)", lambda row: min(row.times_ms, default=None)),
            _milliseconds("avg_ms", "Avg(ms)", _average),
            _milliseconds("max_ms", "Max(ms)", lambda row: max(row.times_ms, default=None)),
            Column("count", "Count", lambda row: len(row.times_ms), right=True),
            Column("problem", "Problem", lambda row: row.problem, shown=False),
        ),
    )


def _average(row: Row) -> float | None:
    return sum(row.times_ms) / len(row.times_ms) if row.times_ms else None


def _milliseconds(key: str, title: str, value: Callable[[Row], float | None]) -> Column:
    def rounded(row: Row) -> float | None:
        found = value(row)
        return None if found is None else round(found, 3)

    def text(row: Row) -> str:
        found = value(row)
        return "-" if found is None else f"{found:.1f}"

    return Column(key, title, rounded, text=text, right=True)
