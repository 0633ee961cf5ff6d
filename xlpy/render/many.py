"""Rows of several hosts in one table: the kind's own columns with the host before them.

The plain form is the kind's own, line by line, with the host's name in front: what a script takes from ``xlpy list`` it
finds one column further in ``xlpy -H all list``.
"""

from __future__ import annotations

from xlpy.render.kind import Column, Kind
from xlpy.render.output import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import TextIO

    from xlpy.errors import XlError
    from xlpy.render.kind import Row
    from xlpy.render.output import Wishes

TITLE = "Host"


class HostRows:
    """What one host has of a kind; its Kind may differ from the others' in how rows are shown."""

    __slots__ = ("columns", "host", "kind", "rows")

    def __init__(self, host: str, kind: Kind, rows: Sequence[Row]) -> None:
        self.host = host
        self.kind = kind
        self.rows = rows
        self.columns = {column.key: column for column in kind.columns}


class HostRow:
    """A row, and whose it is."""

    __slots__ = ("of", "row")

    def __init__(self, of: HostRows, row: Row) -> None:
        self.of = of
        self.row = row


def show_many(
    parts: Sequence[HostRows], errors: Sequence[tuple[str, XlError]], wishes: Wishes, out: TextIO
) -> None:
    """Write the rows of all parts, in their order or as ``wishes`` sorts them.

    JSON and YAML have the ``errors`` of those that gave none as well. Raises UsageError for a column that isn't there.
    """
    if not parts:
        if wishes.form in ("json", "yaml"):
            _write_document("xlpy/nothing/1", [], errors, wishes, out)
        return
    kind = merged_kind(parts)
    rows = [HostRow(part, row) for part in parts for row in part.rows]
    wishes = with_host(wishes)
    if wishes.form not in ("json", "yaml"):
        show(kind, rows, wishes, out)
        return
    from xlpy.render.output import arranged

    ordered, chosen = arranged(kind, rows, wishes)
    _write_document(kind.schema, [kind.as_mapping(row, chosen) for row in ordered], errors, wishes, out)


def with_host(wishes: Wishes) -> Wishes:
    """The same wishes, the column of the host in front of the others if columns were chosen without it."""
    columns = wishes.columns
    if not columns or "host" in {name.strip().lower() for name in columns.split(",")}:
        return wishes
    return wishes.replace(columns=f"host,{columns}")


def merged_kind(parts: Sequence[HostRows]) -> Kind:
    """The kind of HostRow: ``host`` and every column that a part has, in the order of the first that has it.

    A column of the kind's own that is called ``host`` becomes ``hostname``.
    """
    first = parts[0].kind
    columns: dict[str, Column] = {}
    for part in parts:
        for key, column in part.columns.items():
            if key not in columns:
                columns[key] = _column(key, column)
    return Kind(
        first.name,
        (Column("host", TITLE, lambda row: row.of.host), *columns.values()),
        _plain(parts) if first.plain is not None else None,
        version=first.version,
        vertical=first.vertical,
    )


def show_documents(
    schema: str,
    parts: Sequence[tuple[str, Sequence[dict[str, object]]]],
    errors: Sequence[tuple[str, XlError]],
    wishes: Wishes,
    out: TextIO,
) -> None:
    """Write what hosts have of documents (``list -l``): one list, with the host in each of them; plain it is JSON."""
    merged: list[dict[str, object]] = [{"host": host, **row} for host, rows in parts for row in rows]
    if wishes.form in ("json", "yaml"):
        _write_document(schema, merged, errors, wishes, out)
        return
    from xlpy.render.document import write_value

    write_value(merged, "json", out)


def _write_document(
    schema: str,
    rows: list[dict[str, object]],
    errors: Sequence[tuple[str, XlError]],
    wishes: Wishes,
    out: TextIO,
) -> None:
    from xlpy.render.document import write_value

    failed = [{"host": host, "error": str(error), "hint": error.hint} for host, error in errors]
    write_value({"schema": schema, "rows": rows, "errors": failed}, wishes.form, out)


def _column(key: str, like: Column) -> Column:
    def of(row: HostRow) -> Column | None:
        return row.of.columns.get(key)

    def value(row: HostRow) -> object:
        column = of(row)
        return None if column is None else column.value(row.row)

    def text(row: HostRow) -> str:
        column = of(row)
        return "-" if column is None else column.text(row.row)

    def style(row: HostRow) -> str | None:
        column = of(row)
        return column.style(row.row) if column is not None and column.style is not None else None

    return Column(
        "hostname" if key == "host" else key,
        like.title,
        value,
        text=text,
        right=like.right,
        style=style,
        shown=like.shown,
    )


def _plain(parts: Sequence[HostRows]) -> Callable[[Sequence[HostRow], bool], Iterator[str]]:
    """The plain form: the first part's header, then every row's lines as its own kind writes them."""
    width = max(len(TITLE), *(len(part.host) for part in parts))

    def lines(rows: Sequence[HostRow], headers: bool) -> Iterator[str]:
        if headers:
            for number, line in enumerate(_header(parts[0])):
                yield f"{TITLE if number == 0 else '':{width}}  {line}"
        for of, run in _runs(rows):
            assert of.kind.plain is not None
            for line in _lines(of.kind.plain(run, False)):
                yield f"{of.host:{width}}  {line}"

    return lines


def _header(part: HostRows) -> list[str]:
    """What the plain form has only with headers: the lines before the rows."""
    assert part.kind.plain is not None
    with_header = list(_lines(part.kind.plain(part.rows, True)))
    without = list(_lines(part.kind.plain(part.rows, False)))
    count = len(with_header) - len(without)
    return with_header[:count] if with_header[count:] == without else []


def _lines(texts: Iterable[str]) -> Iterator[str]:
    """Line by line, for a kind may put several into one text."""
    for text in texts:
        yield from text.split("\n")


def _runs(rows: Sequence[HostRow]) -> Iterator[tuple[HostRows, list[Row]]]:
    """Neighbours of the same host together: some kinds set their widths by all rows, or put lines between them."""
    run: list[Row] = []
    of: HostRows | None = None
    for row in rows:
        if row.of is not of:
            if of is not None:
                yield of, run
            of, run = row.of, []
        run.append(row.row)
    if of is not None:
        yield of, run
