"""Marking methods as operations, which can be called over the wire."""

from __future__ import annotations

from xlpy.errors import NotSupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    M = TypeVar("M", bound=Callable[..., object])

OPERATIONS: dict[str, Callable[..., object]] = {}


def operation(method: M) -> M:
    """Mark a method of Engine as callable over the wire."""
    OPERATIONS[method.__name__] = method
    return method


class Refusing:
    """A group of operations that refuses what isn't overridden; ``name`` is the engine's."""

    name = "none"

    def _refuse(self, what: str) -> NotSupported:
        return NotSupported(f"the {self.name} engine cannot {what}")
