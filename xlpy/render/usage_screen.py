"""The live screen of ``xlpy top``: summary, table, keys; it fits any terminal from 40 columns on."""

from __future__ import annotations

from xlpy.render.output import Wishes, arranged, column_of
from xlpy.render.table import make_table
from xlpy.render.usage import summary, usage_kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Group

    from xlpy.render.kind import Column, Kind, Row
    from xlpy.render.usage import Moment, Usage

SORT_KEYS = (
    "domid",
    "name",
    "cpu_percent",
    "cpu_time_ns",
    "memory_kib",
    "nic_tx_bytes_per_s",
    "nic_rx_bytes_per_s",
    "disk_read_bytes_per_s",
    "disk_write_bytes_per_s",
)
_RISING = ("domid", "name")
_LINES_AROUND = 3 + 2  # blank, header and rule; blank and keys
# which columns go first when the terminal is narrow, each with about the width it needs
_COLUMNS = (
    ("domid", 8),
    ("state", 11),
    ("cpu_percent", 9),
    ("memory_kib", 11),
    ("vcpus_online", 8),
    ("cpu_time_ns", 10),
    ("memory_percent", 8),
    ("nic_tx_bytes_per_s", 10),
    ("nic_rx_bytes_per_s", 10),
    ("disk_read_bytes_per_s", 9),
    ("disk_write_bytes_per_s", 10),
)
_NAME_WIDTH = 18


class View:
    """How the user looks at it: which rows and columns, in what order, and how far down.

    ``wishes`` are what the command line asks for; the first press of a key that sorts puts its order aside.
    """

    def __init__(self, wishes: Wishes | None = None) -> None:
        self._wishes = wishes or Wishes("table")
        self._order = self._wishes.sort
        self.sort = "domid"
        self.first = 0

    @property
    def title(self) -> str:
        """What the rows are sorted by, in words."""
        return self._order or column_of(usage_kind(), self.sort).title

    def next_sort(self) -> None:
        """Sort by the next column."""
        if self._order:
            self._order = None
            return
        self.sort = SORT_KEYS[(SORT_KEYS.index(self.sort) + 1) % len(SORT_KEYS)]

    def scroll(self, lines: int, rows: int) -> None:
        """Move down, or up; at least one row stays in sight."""
        self.first = max(0, min(self.first + lines, rows - 1))

    def arranged(self, kind: Kind, rows: Sequence[Row]) -> list[Row]:
        """The wanted rows in the wanted order: numbers of use fall, names and domids rise. Raises UsageError."""
        order = self._order or (self.sort if self.sort in _RISING else f"-{self.sort}")
        wishes = Wishes("table", None, order, True, self._wishes.filter)
        return arranged(kind, rows, wishes)[0]

    def columns(self, kind: Kind, width: int) -> Sequence[Column]:
        """The columns that were asked for, else as many as there is room for. Raises UsageError."""
        chosen = arranged(kind, (), Wishes("table", self._wishes.columns))[1]
        return chosen or fitting_columns(width, kind, self._sorted_by(kind))

    def _sorted_by(self, kind: Kind) -> str:
        return column_of(kind, (self._order or self.sort).split(",")[0].lstrip("-")).key


def screen(
    rows: Sequence[Usage], moment: Moment, view: View, wall_time_s: float, width: int, height: int
) -> Group:
    """One screenful of one host."""
    return filled_screen(usage_kind(), rows, summary(moment, wall_time_s), view, width, height)


def filled_screen(
    kind: Kind, rows: Sequence[Row], above: Sequence[str], view: View, width: int, height: int
) -> Group:
    """One screenful of rows that have the columns of ``usage_kind`` and maybe their host's; ``above`` stands over them."""
    from rich.console import Group
    from rich.text import Text

    columns = view.columns(kind, width)
    room = max(1, height - len(above) - _LINES_AROUND)
    shown = view.arranged(kind, rows)[view.first : view.first + room]
    lines = [Text(line, no_wrap=True, overflow="ellipsis") for line in above]
    keys = f"q quit   s sort ({view.title})   up/down scroll   space refresh"
    return Group(
        *lines, make_table(columns, shown, width), Text(keys, style="dim", no_wrap=True, overflow="ellipsis")
    )


def fitting_columns(width: int, kind: Kind, sorted_by: str = "domid") -> list[Column]:
    """Host, name, what they are sorted by, and as many other columns as there is room for, most telling ones first."""
    wanted = {"host", "name"}
    left = width - sum(_NAME_WIDTH for column in kind.columns if column.key in wanted)
    for key, needs in sorted(_COLUMNS, key=lambda column: column[0] != sorted_by):
        if left < needs:
            break
        wanted.add(key)
        left -= needs
    return [column for column in kind.columns if column.key in wanted]
