"""Letting a domain that stood still go on here, as an ordinary one."""

from __future__ import annotations

from xlpy.agent.domain_record import DomainRecord, Phase
from xlpy.agent.strangers import keep_record
from xlpy.errors import DomainNotFound, InvalidState, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from xlpy.agent.store import Store
    from xlpy.engine.base import Engine


class GoingOn:
    """The end of every handover, on either side. ``look_again`` applies the rules to a domain that has died meanwhile."""

    def __init__(self, store: Store, engine: Engine, look_again: Callable[[int], None]) -> None:
        self._store = store
        self._engine = engine
        self._look_again = look_again

    def record(self, domid: int) -> DomainRecord:
        """The domain's record; one that others made gets one, unsupervised, so that its state is guarded as ours is.

        Raises DomainNotFound, and InvalidState for the host itself.
        """
        record = self._store.by_domid(domid)
        if record is None:
            info = self._engine.domain_info(domid)
            if domid == 0 or not self._engine.shared:
                raise InvalidState(f"domain {domid} cannot be saved or migrated")
            record = keep_record(self._store, self._engine, info, supervised=False)
        return record

    def let(self, record: DomainRecord, go_on: Callable[[], None], **changes: Any) -> None:
        """Have it go on, be it alive or not. Raises InvalidState for one that has died where it stood."""
        died: XlError | None = None
        try:
            go_on()
        except XlError as error:
            if not self._has_ended(record.domid):
                raise
            died = error
        self._store.move(record.uuid, Phase.RUNNING, receiver=None, sender=None, transfer_id=None, **changes)
        self._look_again(record.domid)
        if died is not None:
            raise InvalidState(
                f"domain {record.name!r} has crashed while it stood still",
                "its on_crash says what becomes of it; 'xlpy events' shows that",
                detail=died.message,
            ) from died

    def _has_ended(self, domid: int) -> bool:
        try:
            return self._engine.domain_info(domid).ended
        except DomainNotFound:
            return False  # somebody has destroyed it
