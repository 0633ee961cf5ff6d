"""Hosts of the inventory, how to reach them, and what was found there: ``xlpy host ...``."""

from __future__ import annotations

from xlpy.inventory.entry import HostEntry
from xlpy.model.record import Record
from xlpy.render.kind import Column, Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from xlpy.render.kind import Plain, Row

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


class Reached:
    """A host of the inventory, and how SSH would reach it: ``SshSettings``, or None without SSH."""

    __slots__ = ("entry", "route")

    def __init__(self, entry: HostEntry, route: Row) -> None:
        self.entry = entry
        self.route = route


def entry_kind() -> Kind:
    """Rows are HostEntry."""
    return Kind("host-entry", tuple(_entry_columns(lambda row: row, _SHORT)))


def reached_kind() -> Kind:
    """Rows are Reached, each shown with all that is known of it."""
    columns = (
        *_entry_columns(lambda row: row.entry, _FIELDS),
        _routed("ssh_host", "SSH host", lambda route: route.host),
        _routed("ssh_port", "SSH port", lambda route: route.port),
        _routed("ssh_user", "SSH user", lambda route: route.user),
        _routed("ssh_identity_files", "SSH keys", lambda route: list(route.identity_files)),
        _routed("ssh_agent", "SSH agent", lambda route: route.agent_socket),
        _routed("ssh_known_hosts_files", "SSH known hosts", lambda route: list(route.known_hosts_files)),
        _routed("ssh_jumps", "SSH jumps", lambda route: list(route.jumps) or None),
        _routed("ssh_proxy_command", "SSH proxy command", lambda route: route.proxy_command),
    )
    return Kind("host-reached", columns, _sheets(columns), vertical=True)


def _sheets(columns: Sequence[Column]) -> Plain:
    """The plain form: a line for each thing that is known, an empty one between hosts, as ``xl info`` looks."""

    def lines(rows: Sequence[Row], headers: bool) -> Iterator[str]:
        for number, row in enumerate(rows):
            if number:
                yield ""
            yield from (
                f"{column.key:<23}: {column.text(row)}" for column in columns if column.value(row) is not None
            )

    return lines


# ``proxy_jump`` says all that there is to be said of ``via``
_FIELDS = tuple(field for field in HostEntry.fields_ if field != "via")
_SHORT = ("name", "address", "user", "port", "groups", "labels")


def _entry_columns(entry: Callable[[Row], HostEntry], shown: Sequence[str]) -> Iterator[Column]:
    for key in _FIELDS:
        yield _field(entry, key, key in shown)


def _field(entry: Callable[[Row], HostEntry], key: str, shown: bool) -> Column:
    def value(row: Row) -> object:
        found = getattr(entry(row), key)
        if isinstance(found, tuple):
            return list(found) or None
        return found if found != {} else None

    title = key.replace("_", " ").capitalize()
    text = (lambda row: _labels(entry(row))) if key == "labels" else None
    return Column(key, title, value, text=text, right=key == "port", shown=shown)


def _routed(key: str, title: str, value: Callable[[Row], object]) -> Column:
    return Column(key, title, lambda row: None if row.route is None else value(row.route))


def _labels(entry: HostEntry) -> str:
    return ",".join(f"{name}={value}" for name, value in entry.labels.items()) or "-"


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
