"""Starting managed domains when the host has started: in order, each so long after the one before as it asks for."""

from __future__ import annotations

import threading

from xlpy.errors import XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xlpy.agent.definitions import Definitions
    from xlpy.agent.event_log import EventLog
    from xlpy.model.domain_config import DomainConfig

    Create = Callable[[DomainConfig, "str | None"], int]

WHAT = "autostart"
"""What the record of events calls it."""


class BootStart:
    """Starts them in a thread of its own, so that clients are served meanwhile. ``create`` starts one domain."""

    def __init__(self, definitions: Definitions, events: EventLog, create: Create) -> None:
        self._definitions = definitions
        self._events = events
        self._create = create
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Start them all; returns at once."""
        if self._definitions.to_start():
            self._thread = threading.Thread(target=self._run, name="autostart", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Start no more, and wait for the one that is being started."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        for domain in self._definitions.to_start():
            if self._stopping.wait(domain.autostart_delay_s):
                return
            try:
                definition = self._definitions.get(domain.name)
                domid = self._create(definition.config, definition.config_text)
            except XlError as error:
                self._events.add(WHAT, name=domain.name, result=error.code, detail=str(error))
            else:
                self._events.add(WHAT, domid, domain.name)
