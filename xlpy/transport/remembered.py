"""What earlier visits have shown of hosts, to be quicker the next time. It may be wrong by now, and costs nothing then.

A host's Python: code for the same one can go there compiled; the agent looks at what came before it runs it.
A host's socket: where xlpyd listens, in a place where the agent found that nobody else can put a socket.
"""

from __future__ import annotations

import threading
from importlib.util import MAGIC_NUMBER

from xlpy.model.json_text import dumps, loads
from xlpy.transport.cache import keep_cached, read_cached

OWN_PYTHON = MAGIC_NUMBER.hex()
_MOST_HOSTS = 10_000


class Remembered:
    """A word about each host, kept in a file of the user's cache."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._changing = threading.Lock()
        self._words: dict[str, str] | None = None

    def get(self, host: str) -> str | None:
        """What was kept of this host."""
        with self._changing:
            return self._read().get(host)

    def keep(self, host: str, word: str) -> None:
        """Know better the next time; an empty word forgets the host."""
        with self._changing:
            words = self._read()
            if words.get(host, "") == word or (len(words) >= _MOST_HOSTS and host not in words):
                return
            if word:
                words[host] = word
            else:
                del words[host]
            keep_cached(self._file, dumps(words).encode("ascii"), self._file)

    def forget_read(self) -> None:
        """Read the file again, the next time."""
        with self._changing:
            self._words = None

    def _read(self) -> dict[str, str]:
        if self._words is None:
            try:
                found = loads(read_cached(self._file) or b"{}")
            except (ValueError, RecursionError):
                found = {}
            words = found if isinstance(found, dict) else {}
            self._words = {host: word for host, word in words.items() if isinstance(word, str)}
        return self._words


PYTHONS = Remembered("pythons")
SOCKETS = Remembered("sockets")
