"""What the ``call`` and ``xl`` fixtures give to tests."""

from __future__ import annotations

from collections.abc import Callable


class Result:
    """What a command line printed and returned."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.out = out
        self.err = err


Call = Callable[..., Result]
