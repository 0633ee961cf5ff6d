"""Tables for a person at a terminal. Colour only underlines what the text says already.

Where a line would be too long, columns move together, titles take two lines, text in the last column goes on below,
and names are cut short; numbers and other words never are (``table_fit``). What doesn't fit even so is shown row by
row, a line for each value.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.style import Style
    from rich.table import Table

    from xlpy.render.kind import Column, Kind, Row
    from xlpy.render.table_fit import Fit


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
    """A table of these rows that is no wider than this, or sheets if there is no such table."""
    from xlpy.render.table_fit import fitted

    cells = [[_one_line(column.text(row)) for column in columns] for row in rows]
    fit = fitted(columns, [column.title if headers else "" for column in columns], cells, width)
    if fit is None:
        return _sheets(columns, rows)
    styles = [[_style(column, row) for column in columns] for row in rows]
    return _Grid([column.right for column in columns], fit, headers, cells, styles)


class _Grid:
    """Looks like a rich Table with ``box.SIMPLE_HEAD``. That one measures and wraps every cell anew, which takes half a
    second for the domains of a hundred hosts; here it is known already that each fits on one line.
    """

    def __init__(
        self,
        right: Sequence[bool],
        fit: Fit,
        headers: bool,
        cells: Sequence[Sequence[str]],
        styles: Sequence[Sequence[str]],
    ) -> None:
        self._right = right
        self._widths = fit.widths
        self._gap = " " * fit.gap
        self._titles = fit.title_lines if headers else ()
        self._cells = cells
        self._styles = styles

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.segment import Segment

        named: dict[str, Style | None] = {"": None}
        for titles in self._titles:
            yield Segment(self._line(titles) + "\n", console.get_style("bold"))
        if self._titles:
            yield Segment("─" * (sum(self._widths) + len(self._gap) * (len(self._widths) - 1)) + "\n")
        for texts, styles in self._rows():
            start = 0
            for place, style in enumerate(styles):
                if not style:
                    continue
                if style not in named:
                    named[style] = console.get_style(style)
                yield Segment(self._line(texts, start, place) + (self._gap if place > start else ""))
                yield Segment(self._line(texts, place, place + 1), named[style])
                yield Segment(self._gap if place + 1 < len(texts) else "")
                start = place + 1
            yield Segment(self._line(texts, start) + "\n")

    def _rows(self) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
        """The lines of all rows: where the last column is too narrow for a text, that goes on in further lines."""
        from rich.cells import cell_len

        from xlpy.render.table_fit import folded

        for texts, styles in zip(self._cells, self._styles, strict=True):
            if len(texts) == 1 or self._right[-1] or cell_len(texts[-1]) <= self._widths[-1]:
                yield texts, styles
                continue
            for number, piece in enumerate(folded(texts[-1], self._widths[-1])):
                if number == 0:
                    yield (*texts[:-1], piece), styles
                else:
                    yield (*("" for _ in texts[:-1]), piece), (*("" for _ in texts[:-1]), styles[-1])

    def _line(self, texts: Sequence[str], start: int = 0, end: int | None = None) -> str:
        """The cells from one place to another, each as wide as its column."""
        from rich.cells import cell_len

        from xlpy.render.table_fit import cut

        pieces = []
        for text, width, at_right in zip(
            texts[start:end], self._widths[start:end], self._right[start:end], strict=True
        ):
            blanks = width - cell_len(text)
            if blanks < 0:
                text, blanks = cut(text, width), 0
            pieces.append(" " * blanks + text if at_right else text + " " * blanks)
        line = self._gap.join(pieces)
        return line.rstrip() if end in (None, len(self._widths)) else line


def _one_line(text: str) -> str:
    """What of a text a terminal may see in one line of a table."""
    from rich.control import strip_control_codes

    return strip_control_codes(text).expandtabs().replace("\n", " ")


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
