"""Ends: tells about every domain that has stopped running or is gone.

Xenstore says at ``@releaseDomain`` that some domain has, and not which, so each time all domains are looked at and
compared with what they were. It is what libxl's own domain-death events do; here one thread serves all domains, those
of others too, and nothing is lost between two looks.
"""

from __future__ import annotations

import logging
import os
import select
import threading

from xlpy.engine.libxl.xenstore import RELEASED, Xenstore
from xlpy.errors import XlError
from xlpy.model.domain import DomainEnd, ShutdownReason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    # domid to (uuid, why it has stopped or None)
    States = dict[int, tuple[str, ShutdownReason | None]]

log = logging.getLogger("xlpyd")


class Ends:
    """A thread that watches. ``look`` gives the states of all domains but the host's, now."""

    def __init__(self, look: Callable[[], States]) -> None:
        self._look = look
        self._known: States = {}
        self._on_end: Callable[[DomainEnd], None] = lambda end: None
        self._stop_reader, self._stop_writer = os.pipe()
        self._thread: threading.Thread | None = None
        self._looking = threading.Lock()

    def start(self, on_end: Callable[[DomainEnd], None]) -> None:
        """Watch from now on. Raises ConnectError."""
        xenstore = Xenstore()
        xenstore.watch(RELEASED)
        self._on_end = on_end
        self._known = self._look()
        self._thread = threading.Thread(target=self._run, args=(xenstore,), name="domain-ends", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        os.write(self._stop_writer, b"\0")
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        os.close(self._stop_reader)
        os.close(self._stop_writer)

    def look_again(self) -> None:
        """Compare now, and learn of domains that are new; from any thread."""
        with self._looking:
            before, self._known = self._known, self._look()
            ends = list(_ends(before, self._known))
        for end in ends:
            self._on_end(end)

    def learn(self, domid: int, uuid: str) -> None:
        """There is a domain that was just made; what happens to it is told at the next look."""
        with self._looking:
            known, _ = self._known.setdefault(domid, (uuid, None))
        if known != uuid:  # the end of one that had this domid before has to be told first
            self.look_again()

    def _run(self, xenstore: Xenstore) -> None:
        try:
            while True:
                ready = select.select([xenstore.fileno(), self._stop_reader], [], [])[0]
                if self._stop_reader in ready:
                    return
                xenstore.next_event()
                self.look_again()
        except XlError as error:
            log.error("ends of domains are not seen any more: %s", error)
        finally:
            xenstore.close()


def _ends(before: States, now: States) -> list[DomainEnd]:
    """What has ended between two looks. A domain that stands still for a save has not."""
    ends = []
    for domid, (uuid, reason) in before.items():
        if domid not in now or now[domid][0] != uuid:
            ends.append(DomainEnd(domid=domid, reason=reason or ShutdownReason.UNKNOWN, destroyed=True))
    for domid, (uuid, reason) in now.items():
        known_uuid, known_reason = before.get(domid, (None, None))
        if reason not in (None, ShutdownReason.SUSPEND, known_reason if known_uuid == uuid else None):
            ends.append(DomainEnd(domid=domid, reason=reason or ShutdownReason.UNKNOWN))
    return ends
