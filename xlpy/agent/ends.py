"""Who waits for the end of which domain."""

from __future__ import annotations

import threading

from xlpy.agent.watch import Watches
from xlpy.model.domain import DomainEnd, ShutdownReason

_REASONS_KEPT = 1000


class Ends(Watches):
    """Is told about every end, and wakes those who watch; from any thread."""

    def __init__(self) -> None:
        super().__init__()
        self._changing = threading.Lock()
        self._reasons: dict[int, ShutdownReason] = {}

    def note(self, end: DomainEnd) -> None:
        """A domain has ended or is gone."""
        with self._changing:
            if end.reason is not ShutdownReason.UNKNOWN or end.domid not in self._reasons:
                self._reasons.pop(end.domid, None)
                self._reasons[end.domid] = end.reason
            while len(self._reasons) > _REASONS_KEPT:
                del self._reasons[next(iter(self._reasons))]
        self.wake()

    def reason(self, domid: int) -> ShutdownReason:
        """Why a domain that is gone had ended."""
        return self._reasons.get(domid, ShutdownReason.UNKNOWN)

    def forget(self, domid: int) -> None:
        """This domid belongs to a new domain."""
        with self._changing:
            self._reasons.pop(domid, None)
