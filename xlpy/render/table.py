"""Tables for a person at a terminal. Colour only underlines what the text says already.

The first column, a name as a rule, is cut short when a line would be too long; the others never are. What doesn't
fit even so is shown row by row, a line for each value.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.style import Style
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
    """A table of these rows that is no wider than this, or sheets if there is no such table."""
    from rich.cells import cell_len

    cells = [[_one_line(column.text(row)) for column in columns] for row in rows]
    titles = [column.title if headers else "" for column in columns]
    widths = [max(map(cell_len, texts)) for texts in zip(titles, *cells, strict=True)]
    too_wide = sum(widths) + _GAP * (len(widths) - 1) - width
    if too_wide > 0:
        if widths[0] - too_wide < min(_LEAST_NAME, widths[0]):
            return _sheets(columns, rows)
        widths[0] -= too_wide
    styles = [[_style(column, row) for column in columns] for row in rows]
    return _Grid([column.right for column in columns], widths, titles if headers else None, cells, styles)


class _Grid:
    """Looks like a rich Table with ``box.SIMPLE_HEAD``. That one measures and wraps every cell anew, which takes half a
    second for the domains of a hundred hosts; here it is known already that each fits on one line.
    """

    def __init__(
        self,
        right: Sequence[bool],
        widths: Sequence[int],
        titles: Sequence[str] | None,
        cells: Sequence[Sequence[str]],
        styles: Sequence[Sequence[str]],
    ) -> None:
        self._right = right
        self._widths = widths
        self._titles = titles
        self._cells = cells
        self._styles = styles

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.segment import Segment

        named: dict[str, Style | None] = {"": None}
        if self._titles is not None:
            yield Segment(self._line(self._titles), console.get_style("bold"))
            yield Segment("\n" + "─" * (sum(self._widths) + _GAP * (len(self._widths) - 1)) + "\n")
        for texts, styles in zip(self._cells, self._styles, strict=True):
            start = 0
            for place, style in enumerate(styles):
                if not style:
                    continue
                if style not in named:
                    named[style] = console.get_style(style)
                yield Segment(self._line(texts, start, place) + (" " * _GAP if place > start else ""))
                yield Segment(self._line(texts, place, place + 1), named[style])
                yield Segment(" " * _GAP if place + 1 < len(texts) else "")
                start = place + 1
            yield Segment(self._line(texts, start) + "\n")

    def _line(self, texts: Sequence[str], start: int = 0, end: int | None = None) -> str:
        """The cells from one place to another, each as wide as its column."""
        from rich.cells import cell_len

        pieces = []
        for text, width, at_right in zip(
            texts[start:end], self._widths[start:end], self._right[start:end], strict=True
        ):
            blanks = width - cell_len(text)
            if blanks < 0:
                text, blanks = _cut(text, width), 0
            pieces.append(" " * blanks + text if at_right else text + " " * blanks)
        return (" " * _GAP).join(pieces)


def _one_line(text: str) -> str:
    """What of a text a terminal may see in one line of a table."""
    from rich.control import strip_control_codes

    return strip_control_codes(text).expandtabs().replace("\n", " ")


def _cut(text: str, width: int) -> str:
    """The text so short that it fits with an ellipsis."""
    from rich.cells import set_cell_size

    return set_cell_size(text, width - 1) + "…"


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
