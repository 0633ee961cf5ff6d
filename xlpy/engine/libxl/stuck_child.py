"""Children of libxl's that were forked at a bad moment, and how they are noticed.

The last step of a destruction is a child that libxl forks and that goes on in its libraries. These have locks of their own
(``cache_mutex`` of libxencall, for each hypercall's buffer): if another thread holds one when the child is forked, nobody in
the child will ever open it, and libxl waits for the child for ever. Such a child has one thread, which waits for a futex.
That is beyond doubt, so it is ended; libxl then reports a failure, and what it was to do can be done again.
"""

from __future__ import annotations

import logging
import os
import signal
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

log = logging.getLogger("xlpyd")

_LOOK_EVERY_S = 1.0


class StuckChildWatch:
    """While it is entered: a child that the entering thread has forked and that is stuck is ended; ``ended`` tells of it."""

    def __init__(self, look_every_s: float = _LOOK_EVERY_S) -> None:
        self.ended = False
        self._look_every_s = look_every_s
        self._children = f"/proc/self/task/{threading.get_native_id()}/children"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="stuck child watch", daemon=True)

    def __enter__(self) -> StuckChildWatch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        suspects: set[int] = set()
        while not self._over.wait(self._look_every_s):
            stuck = {pid for pid in self._forked() if is_stuck(pid)}
            for pid in stuck & suspects:
                self._end(pid)
            suspects = stuck

    def _forked(self) -> list[int]:
        try:
            with open(self._children, encoding="ascii") as file:
                return [int(word) for word in file.read().split()]
        except OSError:
            return []  # a kernel without CONFIG_PROC_CHILDREN

    def _end(self, pid: int) -> None:
        try:
            child = os.pidfd_open(pid)
        except OSError:
            return  # it is gone
        try:
            if is_stuck(pid):  # still, and still this one
                signal.pidfd_send_signal(child, signal.SIGKILL)
                self.ended = True
                log.warning(
                    "process %d, forked by libxl, waited for a lock that nobody has; it was ended", pid
                )
        except ProcessLookupError:
            pass
        finally:
            os.close(child)


def is_stuck(pid: int) -> bool:
    """Whether this process was forked by ours, runs no other program, has one thread, and that waits for a lock."""
    try:
        return (
            _content(pid, "cmdline") == _content(os.getpid(), "cmdline")
            and len(os.listdir(f"/proc/{pid}/task")) == 1
            and _content(pid, "wchan").lstrip(b"_").startswith(b"futex")  # the rest is each kernel's own
        )
    except OSError:
        return False  # it is gone, or not ours to look at


def _content(pid: int, name: str) -> bytes:
    with open(f"/proc/{pid}/{name}", "rb") as file:
        return file.read()
