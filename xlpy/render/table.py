"""Tables for a person at a terminal. Colour only underlines what the text says already."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from rich.table import Table

    from xlpy.render.kind import Column, Kind, Row


def show_table(
    kind: Kind, rows: Sequence[Row], chosen: Sequence[Column] | None, headers: bool, out: TextIO
) -> None:
    """Write the rows as a table as wide as the terminal; NO_COLOR and TERM=dumb are honoured by rich."""
    from rich.console import Console

    console = Console(file=out, highlight=False)
    columns = chosen or [column for column in kind.columns if column.shown]
    if kind.vertical:
        for row in rows:
            console.print(_sheet(row, columns))
    else:
        console.print(make_table(columns, rows, headers))


def make_table(columns: Sequence[Column], rows: Sequence[Row], headers: bool = True) -> Table:
    """A rich table of these rows; names are cut short on a narrow terminal, numbers never."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_header=headers, pad_edge=False, header_style="bold", expand=False)
    for column in columns:
        table.add_column(
            column.title,
            justify="right" if column.right else "left",
            no_wrap=True,
            overflow="ellipsis",
            min_width=None if not column.right else 1,
        )
    for row in rows:
        table.add_row(*(Text(column.text(row), style=_style(column, row)) for column in columns))
    return table


def _sheet(row: Row, columns: Sequence[Column]) -> Table:
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
