"""How a table is fitted into a terminal: gaps, widths of columns, titles on one or two lines."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlpy.render.kind import Column

# What is tried, one after the other: blanks between columns, whether titles may take two lines, and what is made
# narrower then, in steps: names, or the last column where that is text, and to what width.
_WAYS: tuple[tuple[int, bool, tuple[tuple[str, int], ...]], ...] = (
    (3, False, ()),
    (2, True, ()),
    (2, True, (("names", 20),)),
    (2, True, (("last", 30), ("names", 16))),
    (1, True, (("last", 30), ("names", 16), ("last", 16), ("names", 10))),
)
_NAMES = ("host", "name")
_WHOLE = ("uuid",)


class Fit:
    """A way to show a table: ``widths`` of its columns, ``gap`` blanks between them, its ``title_lines``."""

    __slots__ = ("gap", "title_lines", "widths")

    def __init__(self, gap: int, widths: Sequence[int], title_lines: Sequence[Sequence[str]]) -> None:
        self.gap = gap
        self.widths = widths
        self.title_lines = title_lines


def fitted(
    columns: Sequence[Column], titles: Sequence[str], cells: Sequence[Sequence[str]], width: int
) -> Fit | None:
    """The roomiest way to show these cells within ``width``, or None if there is none."""
    from rich.cells import cell_len

    content = [max(map(cell_len, texts), default=0) for texts in zip(*cells, strict=True)] or [0] * len(
        columns
    )
    last = (len(columns) - 1,) if len(columns) > 1 and not columns[-1].right else ()
    places = {"last": last, "names": _cuttable(columns)}
    for gap, short_titles, steps in _WAYS:
        lines = _title_lines(titles, content) if short_titles else (titles,)
        widths = [
            max(own, *map(cell_len, above))
            for own, above in zip(content, zip(*lines, strict=True), strict=True)
        ]
        too_wide = sum(widths) + gap * (len(widths) - 1) - width
        for what, least in steps:
            too_wide -= _narrow(widths, places[what], least, too_wide)
        if too_wide <= 0:
            return Fit(gap, widths, lines)
    return None


def folded(text: str, width: int) -> list[str]:
    """The text in pieces that are no wider than this, broken at blanks and behind commas where there are some."""
    from rich.cells import cell_len, chop_cells

    pieces: list[str] = []
    for word in text.split(" "):
        for number, part in enumerate(word.replace(",", ",\0").split("\0")):
            joined = part if number else f" {part}"
            if pieces and cell_len(pieces[-1]) + cell_len(joined) <= width:
                pieces[-1] += joined
            elif part or not number:
                pieces += chop_cells(part, width) or [""]
    return pieces


def cut(text: str, width: int) -> str:
    """The text without its middle, for ends of names tell them apart as well as their beginnings."""
    from rich.cells import cell_len, set_cell_size

    behind = (width - 1) // 3
    tail = text[len(text) - behind :] if behind else ""
    while cell_len(tail) > behind:
        tail = tail[1:]
    return set_cell_size(text, width - 1 - cell_len(tail)) + "…" + tail


def _cuttable(columns: Sequence[Column]) -> Sequence[int]:
    """The columns that can be cut: names, and the first one of the kind itself."""
    first = 1 if columns[0].key == "host" and len(columns) > 1 else 0
    return [
        place
        for place, column in enumerate(columns)
        if not column.right and (column.key in _NAMES or (place == first and column.key not in _WHOLE))
    ]


def _narrow(widths: list[int], places: Sequence[int], least: int, by: int) -> int:
    """Take that much from the widest of these columns, and so on; returns how much it came to."""
    taken = 0
    while taken < by:
        widest = max(places, key=lambda place: widths[place], default=None)
        if widest is None or widths[widest] <= least:
            break
        widths[widest] -= 1
        taken += 1
    return taken


def _title_lines(titles: Sequence[str], content: Sequence[int]) -> tuple[Sequence[str], ...]:
    """The titles on one line, or on two where a column is narrower than its title of several words."""
    from rich.cells import cell_len

    pairs = [
        ("", title) if " " not in title or cell_len(title) <= width else _halves(title)
        for title, width in zip(titles, content, strict=True)
    ]
    above, below = zip(*pairs, strict=True)
    return (above, below) if any(above) else (below,)


def _halves(title: str) -> tuple[str, str]:
    """Two lines of about the same length."""
    from rich.cells import cell_len

    words = title.split(" ")
    ways = [(" ".join(words[:at]), " ".join(words[at:])) for at in range(1, len(words))]
    return min(ways, key=lambda way: max(map(cell_len, way)))
