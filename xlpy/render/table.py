"""Tables for a person at a terminal. Colour only underlines what the text says already.

The first column, a name as a rule, is cut short when a line would be too long; the others never are. What doesn't
fit even so is shown row by row, a line for each value.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from rich.console import RenderableType
    from rich.table import Table

    from xlpy.render.kind import Column, Kind, Row

_GAP = 3  # what rich puts between two columns of a table without lines
_LEAST_NAME = 12


def show_table(
    kind: Kind, rows: Sequence[Row], chosen: Sequence[Column] | None, headers: bool, out: TextIO
) -> None:
    """Write the rows as a table as wide as the terminal; NO_COLOR and TERM=dumb are honoured by rich."""
    from rich.console import Console

    console = Console(file=out, highlight=False)
    columns = chosen or [column for column in kind.columns if column.shown]
    if kind.vertical:
        console.print(_sheets(columns, rows))
    else:
        console.print(make_table(columns, rows, console.width, headers))


def make_table(
    columns: Sequence[Column], rows: Sequence[Row], width: int, headers: bool = True
) -> RenderableType:
    """A rich table of these rows that is no wider than this, or sheets if there is no such table."""
    from rich import box
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    cells = [[column.text(row) for column in columns] for row in rows]
    titles = [column.title if headers else "" for column in columns]
    widths = [max(map(cell_len, texts)) for texts in zip(titles, *cells, strict=True)]
    too_wide = sum(widths) + _GAP * (len(widths) - 1) - width
    if too_wide > 0:
        if widths[0] - too_wide < min(_LEAST_NAME, widths[0]):
            return _sheets(columns, rows)
        widths[0] -= too_wide
    table = Table(
        box=box.SIMPLE_HEAD, show_header=headers, show_edge=False, pad_edge=False, header_style="bold"
    )
    for column, column_width in zip(columns, widths, strict=True):
        table.add_column(
            column.title,
            justify="right" if column.right else "left",
            no_wrap=True,
            overflow="ellipsis",
            width=column_width,
        )
    for row, texts in zip(rows, cells, strict=True):
        table.add_row(
            *(Text(text, style=_style(column, row)) for column, text in zip(columns, texts, strict=True))
        )
    return table


def _sheets(columns: Sequence[Column], rows: Sequence[Row]) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    sheets: list[RenderableType] = []
    for row in rows:
        if sheets:
            sheets.append(Text())
        sheets.append(_sheet(columns, row))
    return Group(*sheets)


def _sheet(columns: Sequence[Column], row: Row) -> Table:
    from rich.table import Table
    from rich.text import Text

    sheet = Table.grid(padding=(0, 2))
    sheet.add_column(style="bold", no_wrap=True)
    sheet.add_column(overflow="fold")
    for column in columns:
        sheet.add_row(column.title, Text(column.text(row), style=_style(column, row)))
    return sheet


def _style(column: Column, row: Row) -> str:
    return (column.style(row) if column.style else None) or ""
