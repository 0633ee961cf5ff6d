"""Rows to a stream, in the form that was asked for. Heavy forms are imported when used."""

from __future__ import annotations

from xlpy.errors import UsageError
from xlpy.render.kind import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TextIO

    from xlpy.render.kind import Column, Kind, Row

FORMS = ("table", "plain", "json", "yaml", "csv")


class Wishes:
    """How the user wants rows to be shown; None and empty are the kind's own way."""

    __slots__ = ("columns", "filter", "form", "headers", "sort")

    def __init__(
        self,
        form: str = "plain",
        columns: str | None = None,
        sort: str | None = None,
        headers: bool = True,
        filter: str | None = None,
    ) -> None:
        self.form = form
        self.columns = columns
        self.sort = sort
        self.headers = headers
        self.filter = filter

    def replace(self, *, columns: str | None) -> Wishes:
        """The same wishes with other columns."""
        return Wishes(self.form, columns, self.sort, self.headers, self.filter)


def show(kind: Kind, rows: Iterable[Row], wishes: Wishes, out: TextIO) -> None:
    """Write the rows to ``out``. Raises UsageError for a column that the kind doesn't have."""
    rows, chosen = arranged(kind, rows, wishes)
    if wishes.form == "plain":
        _show_plain(kind, rows, chosen, wishes.headers, out)
    elif wishes.form == "table":
        from xlpy.render.table import show_table

        show_table(kind, rows, chosen, wishes.headers, out)
    else:
        from xlpy.render.document import show_document

        show_document(kind, rows, chosen, wishes, out)


def arranged(kind: Kind, rows: Iterable[Row], wishes: Wishes) -> tuple[list[Row], Sequence[Column] | None]:
    """The rows that are wished, in the order that is, and the columns if some were. Raises UsageError."""
    chosen = _chosen_columns(kind, wishes.columns) if wishes.columns else None
    if wishes.filter:
        from xlpy.render.filter import parse_filter

        rows = filter(parse_filter(wishes.filter, kind), rows)
    return _sorted(kind, rows, wishes.sort) if wishes.sort else list(rows), chosen


def column_of(kind: Kind, key: str) -> Column:
    """The kind's column of this key, ``-`` and ``_`` being the same; raises UsageError.

    A column's title will do, and so does a beginning of a key that no other one has: ``mem`` for ``memory_kib``.
    """
    wanted = key.strip().replace("-", "_").lower()
    for column in kind.columns:
        if column.key == wanted:
            return column
    for column in kind.columns:
        if column.title.lower() == wanted:
            return column
    beginning = [column for column in kind.columns if wanted and column.key.startswith(wanted)]
    if len(beginning) == 1:
        return beginning[0]
    from xlpy.model.nearest import nearest

    keys = tuple(column.key for column in kind.columns)
    near = nearest(wanted, keys)
    hint = f"columns: {', '.join(keys)}"
    raise UsageError(f"there is no column {key!r}", f"did you mean {near}? {hint}" if near else hint)


def aligned(titles: Sequence[str], cells: Sequence[Sequence[str]], right: Sequence[bool]) -> Iterator[str]:
    """Lines of text columns, two blanks apart, without blanks at their ends."""
    widths = [max(map(len, column)) for column in zip(titles, *cells, strict=True)]
    for line in (titles, *cells):
        padded = (
            text.rjust(width) if at_right else text.ljust(width)
            for text, width, at_right in zip(line, widths, right, strict=True)
        )
        yield "  ".join(padded).rstrip()


def _show_plain(
    kind: Kind, rows: list[Row], chosen: Sequence[Column] | None, headers: bool, out: TextIO
) -> None:
    if kind.plain is not None and chosen is None:
        lines: Iterable[str] = kind.plain(rows, headers)
    else:
        columns = chosen or [column for column in kind.columns if column.shown]
        titles = [column.key for column in columns]
        cells = [[text_of(column.value(row)) for column in columns] for row in rows]
        lines = list(aligned(titles, cells, [column.right for column in columns]))[0 if headers else 1 :]
    out.write("".join([f"{line}\n" for line in lines]))


def _chosen_columns(kind: Kind, names: str) -> list[Column]:
    return [column_of(kind, name) for name in names.split(",") if name.strip()]


def _sorted(kind: Kind, rows: Iterable[Row], sort: str) -> list[Row]:
    """In the order of ``sort``: keys with commas between, ``-KEY`` for falling; rows without a value last."""
    ordered = list(rows)
    for name in reversed(sort.split(",")):
        falling = name.startswith("-")
        value = column_of(kind, name[1:] if falling else name).value
        having = [row for row in ordered if value(row) is not None]
        lacking = [row for row in ordered if value(row) is None]
        having.sort(key=value, reverse=falling)  # type: ignore[arg-type]
        ordered = having + lacking
    return ordered
