"""Who closes a stream: whoever has it last."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType


class Stream:
    """A descriptor that is closed on the way out (``with``) unless it was handed on."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def hand_over(self) -> int:
        """The descriptor, for somebody else to close."""
        fd, self._fd = self._fd, -1
        return fd

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._fd >= 0:
            os.close(self._fd)
