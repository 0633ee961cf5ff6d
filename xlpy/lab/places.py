"""Where the lab keeps what it makes."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager

from xlpy.inventory.place import inventory_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Places:
    """``cache`` can be made again and may be removed when no host runs; ``hosts`` holds the hosts' disks and records.

    ``inventory`` is where the hosts are entered.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.cache = os.path.join(_base(environ, "XDG_CACHE_HOME", ".cache"), "xlpy/lab")
        self.hosts = os.path.join(_base(environ, "XDG_STATE_HOME", ".local/state"), "xlpy/lab")
        self.inventory = inventory_path(dict(environ))

    def host(self, name: str) -> str:
        """The directory of one host."""
        return os.path.join(self.hosts, name)


def _base(environ: Mapping[str, str], variable: str, usual: str) -> str:
    chosen = environ.get(variable, "")
    return chosen if chosen.startswith("/") else os.path.join(os.path.expanduser("~"), usual)


@contextmanager
def locked(path: str) -> Iterator[None]:
    """Be the only one here who holds this file's lock; waits for others, also those of other processes."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
