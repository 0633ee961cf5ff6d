"""What will be done to which domain on which host, and what came of it."""

from __future__ import annotations

from xlpy.model.record import Record
from xlpy.render.kind import Column, Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.errors import XlError


class Step(Record):
    """One domain's part of a plan."""

    host: str
    name: str | None
    domid: int
    action: str
    memory_kib: int


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
                text=lambda row: str(row.memory_kib // 1024),
                right=True,
            ),
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
