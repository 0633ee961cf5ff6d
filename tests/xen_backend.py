"""Backends of devices for which a dom0 has no driver: they do what xenbus asks of a backend, and no more.

Runs in a dom0, with xlpy in its path: ``python3 xen_backend.py vkb vsnd``. Ends with its standard input.
"""

from __future__ import annotations

import select
import sys

from xlpy.engine.libxl.xenstore import Xenstore

_PLACE = "/local/domain/0/backend"
# xenbus_state of xen/include/public/io/xenbus.h
_INITIALISING, _INIT_WAIT, _CLOSING, _CLOSED = "1", "2", "5", "6"


def serve(kinds: list[str]) -> None:
    """Answer whatever becomes of devices of these kinds."""
    events, store = Xenstore(), Xenstore()
    for kind in kinds:
        events.watch(f"{_PLACE}/{kind}")
    print("ready", flush=True)
    while sys.stdin.fileno() not in select.select([sys.stdin, events.fileno()], [], [])[0]:
        parts = events.next_event()[len(_PLACE) + 1 :].split("/")
        if len(parts) >= 3:  # KIND/DOMID/DEVID
            answer(store, f"{_PLACE}/{'/'.join(parts[:3])}")


def answer(store: Xenstore, device: str) -> None:
    """Take the step that this device waits for."""
    state = store.read(f"{device}/state")
    if state == _INITIALISING:
        store.write(f"{device}/state", _INIT_WAIT)
    elif state == _CLOSING:
        store.write(f"{device}/state", _CLOSED)


if __name__ == "__main__":
    serve(sys.argv[1:])
