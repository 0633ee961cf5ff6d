"""Which saves are under way, so that one can be broken off from another thread."""

from __future__ import annotations

import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from xlpy.engine.libxl.context import Context


class RunningSaves:
    """The contexts in which domains are being saved, by domid."""

    def __init__(self) -> None:
        self._contexts: dict[int, Context] = {}
        self._changing = threading.Lock()

    def running(self, domid: int, context: Context) -> _Running:
        """The time in which this context saves this domain (``with``)."""
        return _Running(self, domid, context)

    def break_off(self, domid: int) -> None:
        """Have the save of a domain end with an error; nothing happens where none runs yet in libxl, so ask until it is over."""
        with self._changing:
            context = self._contexts.get(domid)
            if context is not None:
                context.abort()

    def note(self, domid: int, context: Context) -> None:
        """A save begins."""
        with self._changing:
            self._contexts[domid] = context

    def forget(self, domid: int) -> None:
        """It has ended."""
        with self._changing:
            del self._contexts[domid]


class _Running:
    def __init__(self, saves: RunningSaves, domid: int, context: Context) -> None:
        self._saves = saves
        self._domid = domid
        self._context = context

    def __enter__(self) -> None:
        self._saves.note(self._domid, self._context)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._saves.forget(self._domid)
