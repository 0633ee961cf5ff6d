"""An Engine that hands every operation on to another one, for those who change only some of them."""

from __future__ import annotations

from xlpy.engine.base import OPERATIONS, Engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from xlpy.model.domain import DomainEnd


class Delegate(Engine):
    """Every operation is ``inner``'s until a subclass overrides it."""

    def __init__(self, inner: Engine) -> None:
        self.inner = inner
        self.name = inner.name
        self.saves_into_files = inner.saves_into_files

    def start(self, on_end: Callable[[DomainEnd], None]) -> None:
        """As the inner engine's."""
        self.inner.start(on_end)

    def close(self) -> None:
        """As the inner engine's."""
        self.inner.close()


def _handed_on(operation: str) -> Callable[..., Any]:
    def method(self: Delegate, *args: Any, **kwargs: Any) -> Any:
        return getattr(self.inner, operation)(*args, **kwargs)

    method.__name__ = operation
    method.__doc__ = OPERATIONS[operation].__doc__
    return method


for _operation in OPERATIONS:
    setattr(Delegate, _operation, _handed_on(_operation))
