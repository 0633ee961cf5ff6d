"""Rehearsal: a host is looked at as usual, and what would change it is noted instead of done."""

from __future__ import annotations

from xlpy.client.call import close_stream
from xlpy.engine.base import OPERATIONS
from xlpy.engine.operation import LOOKING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from xlpy.client.host import Host

    Note = Callable[[Host, str, dict[str, Any]], None]

_WAITING = ("wait_domain_end", "wait_events")


class RehearsalOver(Exception):
    """What comes next depends on a change that isn't made."""


class Rehearsal:
    """What ``Host.rehearsal`` is, for no operation to change anything there.

    ``note`` is called with the host, the operation's name and its arguments, defaults included.
    """

    def __init__(self, note: Note) -> None:
        self._note = note
        self._noted = False

    def takes(self, host: Host, operation: str, bound: dict[str, Any]) -> bool:
        """Whether the operation is one that changes something; it is noted then, and its stream closed.

        Raises what ``note`` raises, and RehearsalOver for one with a result, which only doing it can tell, and for waiting
        for something that isn't going to happen.
        """
        if operation in LOOKING and not bound.get("clear"):
            if self._noted and operation in _WAITING:
                raise RehearsalOver
            return False
        self._noted = True
        close_stream(bound)
        self._note(host, operation, {**_defaults(operation), **bound})
        if OPERATIONS[operation].__annotations__["return"] != "None":
            raise RehearsalOver
        return True

    def over(self) -> NoReturn:
        """For an operation that was only to be begun, whose Call there isn't. Raises RehearsalOver."""
        raise RehearsalOver


def _defaults(operation: str) -> dict[str, object]:
    method = OPERATIONS[operation]
    code = method.__code__
    names = code.co_varnames[1 : code.co_argcount]
    defaults: tuple[object, ...] = method.__defaults__ or ()
    return dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))
