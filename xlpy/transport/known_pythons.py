"""Which hosts are known to have the same Python as this machine, from earlier visits: code for it can go there compiled.

A guess that is wrong costs nothing but some bytes: the agent looks at what came before it runs it.
"""

from __future__ import annotations

import threading
from importlib.util import MAGIC_NUMBER

from xlpy.model.json_text import dumps, loads
from xlpy.transport.cache import keep_cached, read_cached

OWN = MAGIC_NUMBER.hex()
_FILE = "pythons"
_MOST_HOSTS = 10_000

_changing = threading.Lock()
_known: dict[str, str] | None = None


def has_same_python(host: str) -> bool:
    """Whether this host had it the last time."""
    with _changing:
        return _hosts().get(host) == OWN


def remember_python(host: str, magic: str) -> None:
    """Know better the next time."""
    with _changing:
        hosts = _hosts()
        if magic and hosts.get(host) != magic and len(hosts) < _MOST_HOSTS:
            hosts[host] = magic
            keep_cached(_FILE, dumps(hosts).encode("ascii"), _FILE)


def _hosts() -> dict[str, str]:
    global _known
    if _known is None:
        try:
            found = loads(read_cached(_FILE) or b"{}")
        except (ValueError, RecursionError):
            found = {}
        _known = found if isinstance(found, dict) else {}
    return _known
