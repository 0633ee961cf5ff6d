"""The same work on many hosts at once: a few threads, a time limit for each host, and nothing that hangs.

``_thread`` and ``_queue`` are what ``threading`` and ``queue`` are made of; importing them costs nothing.
"""

from __future__ import annotations

import time
from _queue import Empty, SimpleQueue
from _thread import stack_size, start_new_thread

from xlpy.errors import ConnectError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from xlpy.client.host import Host
    from xlpy.errors import XlError
    from xlpy.inventory.entry import HostEntry

    Work = Callable[["Part"], Any]

PARALLEL = 50
_STACK_BYTES = 512 << 10
_LOOK_UP_S = 0.5


class Part:
    """One host's part of the work: what it is called, how to talk to it, how long it may take, what came of it.

    ``limit_s`` is None for work that may last for ever. A part that is ``lost`` ran out of time: its host is of no use
    any more.
    """

    __slots__ = ("entry", "error", "host", "limit_s", "lost", "started_s", "value")

    def __init__(self, entry: HostEntry, host: Host, limit_s: float | None) -> None:
        self.entry = entry
        self.host = host
        self.limit_s = limit_s
        self.lost = False
        self.started_s: float | None = None
        self.value: Any = None
        self.error: BaseException | None = None


def no_answer(part: Part) -> XlError:
    """What is said of a host that ran out of time."""
    return ConnectError(f"no answer within {part.limit_s:g} s", "--timeout SECONDS waits longer, or shorter")


def on_each(
    parts: Sequence[Part],
    work: Work,
    parallel: int = PARALLEL,
    late: Callable[[Part], XlError] = no_answer,
) -> None:
    """Do ``work`` for every part, at most ``parallel`` at a time; its result or error is in the part afterwards.

    Returns when each is done or out of time. ``work`` runs in another thread; what it raises is kept, whatever it is.
    """
    _Crowd(parts, work, late).run(parallel)


class _Crowd:
    """The threads of one ``on_each``, and who waits for them."""

    def __init__(self, parts: Sequence[Part], work: Work, late: Callable[[Part], XlError]) -> None:
        self._todo: SimpleQueue[Part] = SimpleQueue()
        self._done: SimpleQueue[tuple[Part, Any, BaseException | None]] = SimpleQueue()
        self._work = work
        self._late = late
        self._left = dict.fromkeys(parts)
        for part in parts:
            part.started_s = part.error = part.value = None
            self._todo.put(part)

    def run(self, parallel: int) -> None:
        before = stack_size(_STACK_BYTES)
        try:
            for _ in range(min(max(parallel, 1), len(self._left))):
                start_new_thread(self._serve, ())
            while self._left:
                self._take_one()
        except BaseException:
            for part in self._left:
                part.lost = True
                part.host.hang_up()
            raise
        finally:
            stack_size(before)

    def _serve(self) -> None:
        """A thread: one part after the other until none is left."""
        while True:
            try:
                part = self._todo.get_nowait()
            except Empty:
                return
            part.started_s = time.monotonic()
            try:
                self._done.put((part, self._work(part), None))
            except BaseException as error:  # noqa: BLE001 -- it is the waiting thread's to handle
                self._done.put((part, None, error))

    def _take_one(self) -> None:
        try:
            part, value, error = self._done.get(timeout=self._patience_s())
        except Empty:
            self._give_up_late_ones()
            return
        if part in self._left:  # else it came too late
            part.value, part.error = value, error
            del self._left[part]

    def _patience_s(self) -> float:
        """Until the first part is out of time, but not for long: a Ctrl-C just before a wait begins doesn't end it."""
        now = time.monotonic()
        waits = [_LOOK_UP_S]
        waits += [
            (part.started_s if part.started_s is not None else now) + part.limit_s - now
            for part in self._left
            if part.limit_s is not None
        ]
        return max(0.0, min(waits))

    def _give_up_late_ones(self) -> None:
        now = time.monotonic()
        for part in list(self._left):
            if part.limit_s is None or part.started_s is None or now < part.started_s + part.limit_s:
                continue
            part.error, part.lost = self._late(part), True
            del self._left[part]
            part.host.hang_up()
            start_new_thread(self._serve, ())  # the one that is stuck with it is of no use to the others
