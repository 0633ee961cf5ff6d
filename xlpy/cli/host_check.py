"""Whether hosts can be reached and what is there: host check, host ping."""

from __future__ import annotations

import sys

from xlpy import __version__
from xlpy.cli.many_hosts import ask_all, failures, look, open_parts, overall_status, report_failures
from xlpy.cli.numbers import whole_number
from xlpy.errors import XlError
from xlpy.render.inventory import HostCheck, HostPing, check_kind, ping_kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.client.many import Part
    from xlpy.client.probe import HostLook

_MOST_PINGS = 10_000
_LITTLE_MEMORY_KIB = 64 << 10


def check(session: Session, args: Arguments) -> int:
    """Log in to every host and look around; what is wrong is said with what to do about it."""
    parts = _parts(session, args)
    look(session, parts, _check)
    session.show(check_kind(), [part.value or _failed(part) for part in parts])
    _tell(session, parts)
    return overall_status(
        [part.error.exit_status if isinstance(part.error, XlError) else 0 for part in parts]
    )


def ping(session: Session, args: Arguments) -> int:
    """How long a connection and questions take."""
    count = _count(args.value("count"))

    def measure(part: Part) -> HostPing:
        from xlpy.client.probe import connect_s, round_trip_s

        connected_s = connect_s(part.host)
        return HostPing(
            host=part.entry.name,
            connect_ms=connected_s * 1000,
            times_ms=tuple(round_trip_s(part.host) * 1000 for _ in range(count)),
        )

    parts = _parts(session, args)
    ask_all(session, parts, measure)
    session.show(
        ping_kind(),
        [part.value or HostPing(host=part.entry.name, problem=str(part.error)) for part in parts],
    )
    sys.stdout.flush()
    report_failures(session, failures(parts))
    return overall_status(
        [part.error.exit_status if isinstance(part.error, XlError) else 0 for part in parts]
    )


def _parts(session: Session, args: Arguments) -> Sequence[Part]:
    """The hosts that are named, else all of the inventory."""
    from xlpy.client.resolve import resolve

    return open_parts(session, resolve(args.rest or session.host_names or ["all"]))


def _check(part: Part) -> HostCheck:
    """What there is at a host. Raises what keeps it from working."""
    from xlpy.client.probe import look_around

    found = look_around(part.host, part.entry)
    remarks = tuple(_remarks(found))
    return HostCheck(
        host=part.entry.name,
        address=part.entry.address,
        state="remarks" if remarks else "ok",
        version=found.version,
        engine=found.engine,
        python=found.python,
        uid=found.uid,
        access=found.access,
        hostname=found.info.host,
        connect_ms=found.connect_s * 1000,
        total_memory_kib=found.info.total_memory_kib,
        free_memory_kib=found.info.free_memory_kib,
        domains=found.domain_count,
        remarks=remarks,
    )


def _remarks(found: HostLook) -> Iterator[str]:
    """What works, but maybe not as the user thinks it does."""
    if found.version != __version__:
        yield f"xlpyd there is xlpy {found.version}, this is {__version__}; they understand each other"
    if found.uid:
        yield (
            f"the login has no root privileges (uid {found.uid}), so its domains are not the host's own; "
            "'sudo: true' in the inventory becomes root"
        )
    if found.notice is not None:
        yield found.notice
    if found.info.free_memory_kib < _LITTLE_MEMORY_KIB:
        yield f"only {found.info.free_memory_kib >> 10} MiB of memory are free"


def _failed(part: Part) -> HostCheck:
    error = part.error
    return HostCheck(
        host=part.entry.name,
        address=part.entry.address,
        state="failed",
        problem=str(error),
        hint=error.hint if isinstance(error, XlError) else None,
    )


def _tell(session: Session, parts: Sequence[Part]) -> None:
    """Say what is wrong, host by host, for whom doesn't read JSON."""
    sys.stdout.flush()
    report_failures(session, failures(parts))
    if session.structured:
        return
    for part in parts:
        for remark in part.value.remarks if part.value is not None else ():
            session.say(f"{part.entry.name}: {remark}")


def _count(text: str | None) -> int:
    if text is None:
        return 3
    return whole_number(text, "number of questions", 1, _MOST_PINGS)
