"""Doing something that takes a while once, for all threads that want its result."""

from __future__ import annotations

import functools
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from typing import TypeVar

    T = TypeVar("T")


def once(work: Callable[..., T]) -> Callable[..., T]:
    """Keep what ``work`` returns for the same arguments. One thread works, and the others wait for it."""
    kept = functools.cache(work)
    working = threading.Lock()

    @functools.wraps(work)
    def keeper(*args: Hashable) -> T:
        with working:
            return kept(*args)

    return keeper
