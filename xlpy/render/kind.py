"""Kinds of rows: what one has, by name, and how xl prints it.

To add a kind of row, write a module beside this one with a function that returns a Kind:

    def nic_kind() -> Kind:
        return Kind(
            "nic",                                        # the schema becomes xlpy/nic/1
            (Column("devid", "Idx", lambda row: row.devid, right=True), Column("mac", "Mac Addr.", ...)),
            plain_table(HEADER, plain_row),               # xl's bytes: header, and a function from row to line
        )

A column's ``key`` is its name in JSON, YAML, CSV, ``--columns`` and ``--sort``; it carries the unit (``memory_kib``) and
never changes its meaning: if it has to, the kind's version goes up. ``value`` gives what JSON can hold; ``text`` gives what a
person reads in the table, if that is something else. A column that isn't ``shown`` is left out of the table unless asked for.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    Row = Any
    Plain = Callable[[Sequence[Row], bool], Iterable[str]]


class Column:
    """One named value of a row."""

    __slots__ = ("key", "right", "shown", "style", "text", "title", "value")

    def __init__(
        self,
        key: str,
        title: str,
        value: Callable[[Row], object],
        *,
        text: Callable[[Row], str] | None = None,
        right: bool = False,
        style: Callable[[Row], str | None] | None = None,
        shown: bool = True,
    ) -> None:
        self.key = key
        self.title = title
        self.value = value
        self.text = text or (lambda row: text_of(value(row)))
        self.right = right
        self.style = style
        self.shown = shown


class Kind:
    """What rows of one kind look like. ``plain`` yields xl's lines for rows, with or without its header lines.

    ``vertical`` is a kind of which one row is shown, a line for each value (``xl info``).
    """

    __slots__ = ("columns", "name", "plain", "version", "vertical")

    def __init__(
        self,
        name: str,
        columns: Sequence[Column],
        plain: Plain | None = None,
        *,
        version: int = 1,
        vertical: bool = False,
    ) -> None:
        self.name = name
        self.columns = tuple(columns)
        self.plain = plain
        self.version = version
        self.vertical = vertical

    @property
    def schema(self) -> str:
        """The name that machine-readable output carries, such as ``xlpy/domain/1``."""
        return f"xlpy/{self.name}/{self.version}"

    def as_mapping(self, row: Row, columns: Sequence[Column] | None = None) -> dict[str, object]:
        """The row's values by key."""
        return {column.key: column.value(row) for column in columns or self.columns}


def plain_table(header: str | None, line: Callable[[Row], str]) -> Plain:
    """The usual plain form: one header line, one line for each row."""

    def lines(rows: Sequence[Row], headers: bool) -> Iterator[str]:
        if headers and header is not None:
            yield header
        for row in rows:
            yield line(row)

    return lines


def text_of(value: object) -> str:
    """A value in words for a table or CSV cell; nothing is ``-``."""
    if value is None:
        return "-"
    if value is True:
        return "yes"
    if value is False:
        return "no"
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, (tuple, list)):
        return ",".join(text_of(item) for item in value)
    return str(value)
