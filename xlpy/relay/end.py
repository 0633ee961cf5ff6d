"""A stream's local end: its descriptor, and what is under way to it."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.relay.endpoint import Endpoint

_JOINED_BYTES = 16 << 10  # small pieces that wait are kept in one


class End:
    """A stream's local end and what is under way to it."""

    def __init__(self, stream: int, endpoint: Endpoint, holder: End | None, ordered: bool) -> None:
        self.stream = stream
        self.endpoint = endpoint
        self.holder = holder  # the connection that carries it; None: it is a connection itself
        self.ordered = ordered  # what is read here has to arrive before what its holder says next
        self.spoken = False  # something arrived for it
        self.waiting: list[tuple[memoryview, list[int]]] = []  # for the endpoint to take
        self.passing: list[int] = []  # descriptors that go with the next bytes
        self.reading = endpoint.readable
        self.writing = endpoint.writable
        self.finishing = False  # no more will come for the endpoint
        self.held: bytes | None = None  # read already, but what others carry comes first
        self.before: dict[int, int] = {}  # of which streams so many bytes
        self.interest: int | None = None  # what is polled for; None: not even whether the other end has gone
        self.gone = False

    @property
    def is_connection(self) -> bool:
        """Whether its words get through before the bulk of transfers."""
        return self.holder is None

    def put(self, data: memoryview) -> None:
        """Let the endpoint take this next, with the descriptors that wait for it."""
        last, fds = self.waiting[-1] if self.waiting else (data, [])
        if last is not data and not self.passing and len(last) + len(data) <= _JOINED_BYTES:
            self.waiting[-1] = (memoryview(b"".join((last, data))), fds)
            return
        self.waiting.append((data, self.passing))
        self.passing = []

    def drop_waiting(self) -> None:
        """Nobody will take it."""
        for _, fds in self.waiting:
            close_fds(fds)
        close_fds(self.passing)
        self.waiting.clear()


def close_fds(fds: list[int]) -> None:
    """Close them all, and forget them."""
    while fds:
        os.close(fds.pop())
