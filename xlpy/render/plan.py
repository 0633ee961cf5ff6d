"""What will be done to which domain on which host, and what came of it."""

from __future__ import annotations

from xlpy.model.record import Record
from xlpy.render.kind import Column, Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.errors import XlError


class Step(Record):
    """One thing that would be done. ``host`` is None for what is done on none, ``name`` and ``domid`` if it is to no domain.

    ``action`` is the command, ``change`` says what it does, and ``loses`` what is lost by it, if anything is.
    """

    host: str | None = None
    name: str | None = None
    domid: int | None = None
    action: str
    memory_kib: int | None = None
    change: str
    loses: str | None = None


class Outcome:
    """What came of a step. ``pending`` was asked for and has not happened yet."""

    __slots__ = ("error", "pending", "step")

    def __init__(self, step: Step, error: XlError | None) -> None:
        self.step = step
        self.error = error
        self.pending = False

    @property
    def result(self) -> str:
        """``ok``, or the error's code."""
        return self.error.code if self.error is not None else "ok"


def plan_kind() -> Kind:
    """Rows are Step."""
    return Kind(
        "plan",
        (
            Column("host", "Host", lambda row: row.host),
            Column("name", "Name", lambda row: row.name),
            Column("domid", "ID", lambda row: row.domid, right=True),
            Column("action", "Action", lambda row: row.action),
            Column(
                "memory_kib",
                "Mem",
                lambda row: row.memory_kib,
                text=lambda row: "-" if row.memory_kib is None else str(row.memory_kib // 1024),
                right=True,
            ),
            Column("change", "Change", lambda row: row.change),
            Column("loses", "Loses", lambda row: row.loses, shown=False),
        ),
    )


def outcome_kind() -> Kind:
    """Rows are Outcome."""
    return Kind(
        "outcome",
        (
            Column("host", "Host", lambda row: row.step.host),
            Column("name", "Name", lambda row: row.step.name),
            Column("domid", "ID", lambda row: row.step.domid, right=True),
            Column("action", "Action", lambda row: row.step.action),
            Column(
                "result", "Result", lambda row: row.result, style=lambda row: "red" if row.error else "green"
            ),
            Column("error", "Error", lambda row: None if row.error is None else str(row.error), shown=False),
        ),
    )
