"""``xlpy top`` over several hosts: their domains in one table."""

from __future__ import annotations

import sys
import time

from xlpy.cli.many_hosts import failures, look, open_parts, overall_status, report_failures
from xlpy.cli.top import Pace, take_moment, watch
from xlpy.render.many import HostRow, HostRows, merged_kind, show_many, with_host
from xlpy.render.usage import total_summary, usage_kind, usages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlpy.cli.session import Session
    from xlpy.cli.top import Draw
    from xlpy.client.many import Part
    from xlpy.errors import XlError
    from xlpy.render.usage import Moment

_PATIENCE_S = 10.0  # with a host, unless --timeout says otherwise: the others' rows wait for it
_RETRY_S = 30.0  # between two tries with a host that didn't answer in time


def top_of_many(session: Session, pace: Pace, live: bool) -> int:
    """Show the use of all domains of all hosts again and again; a host that doesn't answer is named and left out."""
    hosts = _Hosts(session)
    if live:
        _live(session, hosts, pace)
        return overall_status(hosts.statuses)
    return _batch(session, hosts, pace)


class _Hosts:
    """The hosts and how they were the last two times."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._parts = open_parts(session)
        for part in self._parts:
            if session.options.timeout_s is None and part.limit_s is not None:
                part.limit_s = min(part.limit_s, _PATIENCE_S)
        self._lost_s: dict[Part, float] = {}
        self._now: dict[Part, Moment] = {}
        self._before: dict[Part, Moment] = {}

    @property
    def moments(self) -> Sequence[Moment]:
        """How things are on the hosts that answered."""
        return list(self._now.values())

    @property
    def failed(self) -> list[tuple[str, XlError]]:
        """The hosts that didn't."""
        return failures(self._parts)

    @property
    def statuses(self) -> list[int]:
        """0 for each that answered, the error's exit status for the others."""
        return [0] * len(self._now) + [error.exit_status for _, error in self.failed]

    def look(self) -> None:
        """Ask all of them, those that were lost only now and then."""
        for part in self._parts:
            if part.lost and time.monotonic() - self._lost_s[part] >= _RETRY_S:
                part.host, part.lost = self._session.open(part.entry), False
        asked = [part for part in self._parts if not part.lost]
        look(self._session, asked, lambda part: take_moment(part.host))
        self._lost_s.update({part: time.monotonic() for part in asked if part.lost})
        self._before = self._now
        self._now = {part: part.value for part in self._parts if part.error is None}

    def rows(self) -> list[HostRows]:
        """Their domains' use, rates since the time before."""
        return [
            HostRows(part.entry.name, usage_kind(), usages(now, self._before.get(part)))
            for part, now in self._now.items()
        ]


def _batch(session: Session, hosts: _Hosts, pace: Pace) -> int:
    for _ in pace.slow_looks():
        hosts.look()
        show_many(hosts.rows(), hosts.failed, session.wishes, sys.stdout)
        sys.stdout.flush()
        report_failures(session, hosts.failed)
    return overall_status(hosts.statuses)


def _live(session: Session, hosts: _Hosts, pace: Pace) -> None:
    from xlpy.render.usage_screen import filled_screen

    def look() -> tuple[int, Draw]:
        hosts.look()
        parts = hosts.rows() or [HostRows("-", usage_kind(), ())]
        kind = merged_kind(parts)
        rows = [HostRow(part, row) for part in parts for row in part.rows]
        above = [
            *total_summary(hosts.moments, time.time()),
            *(f"{host}: {error}" for host, error in hosts.failed[:5]),
        ]
        return len(rows), lambda view, width, height: filled_screen(kind, rows, above, view, width, height)

    watch(pace, with_host(session.wishes), look)
