"""What an operation writes into a pipe, passed on until there is no more."""

from __future__ import annotations

import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xlpy.client.call import Call


def pass_on(call: Call, reader: int, take: Callable[[], int]) -> None:
    """Call ``take`` whenever ``reader`` has something, until it returns 0, and wait for the operation's end.

    Raises Interrupted when the host is lost, and what ``take`` raises.
    """
    poller = select.poll()
    poller.register(call, select.POLLIN)
    poller.register(reader, select.POLLIN)
    waiting = {call.fileno(), reader}
    while waiting:
        for fd, _ in poller.poll():
            over = not take() if fd == reader else call.advance()
            if over:
                poller.unregister(fd)
                waiting.discard(fd)
