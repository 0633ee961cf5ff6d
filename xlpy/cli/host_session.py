"""HostSession: what a command sees of one host, of several that it works on at once."""

from __future__ import annotations

from xlpy.cli.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xlpy.client.many import Part
    from xlpy.render.kind import Kind, Row


class HostSession(Session):
    """A session that keeps what is shown, and puts the host's name before what is said.

    It runs in a thread of its own.
    """

    def __init__(self, whole: Session, part: Part) -> None:
        super().__init__(whole.program)
        self.options = whole.options
        self.plan = whole.plan
        self.program = f"{whole.program}: {part.entry.name}"
        self.shown: list[tuple[Kind, list[Row]]] = []
        self.documents: list[tuple[str, Sequence[dict[str, object]]]] = []
        self.work_on(part.host)

    @property
    def plural(self) -> bool:
        """It is one of several, but it knows which."""
        return False

    @property
    def structured(self) -> bool:
        """Rows are put together with those of other hosts, so a host's own text is of no use."""
        return True

    def show(self, kind: Kind, rows: Iterable[Row]) -> None:
        """Keep rows for the one table of all hosts."""
        self.shown.append((kind, list(rows)))

    def show_documents(self, schema: str, rows: Sequence[dict[str, object]], text: str) -> None:
        """Keep documents for the one list of all hosts."""
        self.documents.append((schema, rows))

    def _message(self, text: str) -> None:
        super()._message(text if text.startswith(self.program) else f"{self.program}: {text}")
