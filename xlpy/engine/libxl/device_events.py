"""What a driver domain does for others: it runs the scripts of the devices that they get from it (``xl devd``)."""

from __future__ import annotations

from xlpy.engine.libxl.context import own_children
from xlpy.engine.libxl.library import Library
from xlpy.errors import EngineError


class DeviceEvents:
    """libxl_device_events_handler, which watches the back ends of the domain it is called in.

    It has a process for itself: libxl offers no way to end it. ``log`` is a descriptor, taken over, to which libxl writes
    what it does. Raises NotSupported, MissingProgram or EngineError where libxl cannot be used.
    """

    def __init__(self, log: int) -> None:
        self._library = Library()
        _, self._logger = self._library.open_logger(log)
        self._context = self._library.open_context(self._logger)
        own_children(self._library, self._context)

    def run(self) -> None:
        """Never returns while all is well. Raises EngineError; libxl's log says why."""
        function, _ = self._library.function("device_events_handler")
        status = function(self._context, None)
        raise EngineError(f"device events are not handled any more (libxl says {status})")
