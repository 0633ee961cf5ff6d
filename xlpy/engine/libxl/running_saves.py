"""Which saves are under way, so that one can be broken off from another thread."""

from __future__ import annotations

import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from xlpy.engine.libxl.context import Context

_LOOK_AGAIN_S = 0.05
_LOOKS = 200


class RunningSaves:
    """The contexts in which domains are being saved, by domid."""

    def __init__(self) -> None:
        self._contexts: dict[int, Context] = {}
        self._changed = threading.Condition()

    def running(self, domid: int, context: Context) -> _Running:
        """The time in which this context saves this domain (``with``)."""
        return _Running(self, domid, context)

    def break_off(self, domid: int) -> None:
        """Have the save of a domain end with an error; nothing happens where none runs.

        It is known a moment before libxl is called, and libxl can be told only a moment after.
        """
        with self._changed:
            for _ in range(_LOOKS):
                context = self._contexts.get(domid)
                if context is None or context.abort():
                    return
                self._changed.wait(_LOOK_AGAIN_S)

    def note(self, domid: int, context: Context) -> None:
        """A save begins."""
        with self._changed:
            self._contexts[domid] = context

    def forget(self, domid: int) -> None:
        """It has ended."""
        with self._changed:
            del self._contexts[domid]
            self._changed.notify_all()


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
