"""``xlpy events --follow``: on and on, of one host or of several, each event on a line of its own as it comes.

JSON is one document a line, YAML one with ``---`` before it, so that a reader need not wait for an end. A host whose
connection breaks is named, and tried again; it goes on after the last event that was seen, so none is lost.
"""

from __future__ import annotations

import sys
import time
from _queue import SimpleQueue
from _thread import start_new_thread

from xlpy.cli.failure import report_for
from xlpy.cli.many_hosts import failures, look, open_parts, overall_status, report_failures
from xlpy.errors import ConnectError, Interrupted, XlError
from xlpy.render.event import event_kind
from xlpy.render.many import HostRow, HostRows, merged_kind, with_host
from xlpy.render.output import Wishes, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from xlpy.cli.session import Session
    from xlpy.client.host import Host
    from xlpy.client.many import Part
    from xlpy.model.event import EventRecord
    from xlpy.render.kind import Kind

    Collect = Callable[[Host], list[EventRecord]]
    Includes = Callable[[EventRecord], bool]

RETRY_S = 10.0


def follow(session: Session, collect: Collect, includes: Callable[[Host], Includes], last: int | None) -> int:
    """Show the events that there are, the ``last`` of them if not None, and then new ones until the user leaves."""
    if session.plural:
        return _follow_many(session, collect, includes, last)
    stream = _Stream(event_kind(), session.wishes)
    wanted = includes(session.host)
    before = collect(session.host)
    after_id = _newest(before)
    stream.show_all(_last([event for event in before if wanted(event)], last))
    while True:
        for event in session.host.wait_events(after_id):
            after_id = event.id
            if wanted(event):
                stream.show(event)


class _Stream:
    """Where the events go, in the form that was asked for."""

    def __init__(self, kind: Kind, wishes: Wishes) -> None:
        self._kind = kind
        self._wishes = wishes
        self._first = True

    def show_all(self, rows: Sequence[Any]) -> None:
        """Those that were there before; a table on a terminal."""
        if self._wishes.form in ("json", "yaml"):
            for row in rows:
                self.show(row)
            return
        show(self._kind, rows, self._wishes, sys.stdout)
        sys.stdout.flush()
        self._first = False

    def show(self, row: Any) -> None:
        """One that has just come."""
        wishes = self._wishes
        if wishes.form in ("json", "yaml"):
            self._write_document(row)
        else:
            form = "plain" if wishes.form == "table" else wishes.form
            headers = wishes.headers and self._first
            show(self._kind, [row], Wishes(form, wishes.columns, None, headers, wishes.filter), sys.stdout)
        self._first = False
        sys.stdout.flush()

    def _write_document(self, row: Any) -> None:
        from xlpy.render.document import write_value
        from xlpy.render.output import arranged

        found, chosen = arranged(self._kind, [row], self._wishes)
        if not found:
            return
        document = {"schema": self._kind.schema, "rows": [self._kind.as_mapping(row, chosen)]}
        if self._wishes.form == "json":
            import json

            sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
        else:
            sys.stdout.write("---\n")
            write_value(document, "yaml", sys.stdout)


class _Feed:
    """The events of one host, told to ``queue`` from a thread of its own: events, errors, words, and None at the end."""

    def __init__(self, session: Session, part: Part, queue: SimpleQueue[tuple[_Feed, Any]]) -> None:
        self.part = part
        self.rows = HostRows(part.entry.name, event_kind(), ())
        self.after_id: int | None = None  # not known before it has answered once
        self._session = session
        self._queue = queue

    def run(self, collect: Collect, includes: Callable[[Host], Includes]) -> None:
        """The thread. It ends when the host can't do this, and else with the process."""
        lost = self.part.error is not None
        while True:
            try:
                if lost:
                    self.part.host = self._session.open(self.part.entry)
                wanted = includes(self.part.host)
                if self.after_id is None:
                    self.after_id = _newest(collect(self.part.host))
                if lost:
                    self._queue.put((self, "it answers again"))
                    lost = False
                while True:
                    for event in self.part.host.wait_events(self.after_id):
                        self.after_id = event.id
                        if wanted(event):
                            self._queue.put((self, event))
            except (ConnectError, Interrupted) as error:
                if not lost:
                    self._queue.put((self, error))
                lost = True
                self.part.host.close()
                time.sleep(RETRY_S)
            except XlError as error:
                self._queue.put((self, error))
                self._queue.put((self, None))
                return


def _follow_many(
    session: Session, collect: Collect, includes: Callable[[Host], Includes], last: int | None
) -> int:
    parts = open_parts(session)
    look(session, parts, lambda part: (collect(part.host), includes(part.host)))
    failed = failures(parts)
    report_failures(session, failed)
    if len(failed) == len(parts):
        return overall_status([error.exit_status for _, error in failed])
    queue: SimpleQueue[tuple[_Feed, Any]] = SimpleQueue()
    feeds = [_Feed(session, part, queue) for part in parts]
    stream = _Stream(merged_kind([feed.rows for feed in feeds]), with_host(session.wishes))
    before: list[HostRow] = []
    for feed in feeds:
        if feed.part.error is None:
            events, wanted = feed.part.value
            feed.after_id = _newest(events)
            before += [HostRow(feed.rows, event) for event in events if wanted(event)]
    before.sort(key=lambda row: row.row.time_s)
    stream.show_all(_last(before, last))
    for feed in feeds:
        start_new_thread(feed.run, (collect, includes))
    return _tell(session, stream, queue, len(feeds))


def _tell(session: Session, stream: _Stream, queue: SimpleQueue[tuple[_Feed, Any]], running: int) -> int:
    """Show what the feeds tell until none is left, which is a failure."""
    while running:
        feed, told = queue.get()
        if told is None:
            running -= 1
        elif isinstance(told, XlError):
            report_for(feed.part.entry.name, told, session)
        elif isinstance(told, str):
            session.say(f"{session.program}: {feed.part.entry.name}: {told}")
        else:
            stream.show(HostRow(feed.rows, told))
    return 1


def _newest(events: Sequence[EventRecord]) -> int:
    return events[-1].id if events else 0


def _last(rows: list[Any], count: int | None) -> list[Any]:
    return rows if count is None or count >= len(rows) else rows[len(rows) - count :]
