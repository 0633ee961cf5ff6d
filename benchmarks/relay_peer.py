#!/usr/bin/env python3
"""Stands where xlpyd would, for measuring the way there: it fills or empties each descriptor that is passed to it.

    relay_peer.py SOCKET

A client passes a stream with a letter, what to do with it, and a number of bytes. Emptying is answered with their number
once the stream has ended.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from pathlib import Path

FILL, EMPTY = b"f", b"e"
_PIECE = bytes(range(256)) * 4096


def main() -> None:
    """Serve until killed."""
    path = Path(sys.argv[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    while True:
        client, _ = listener.accept()
        threading.Thread(target=_serve, args=(client,), daemon=True).start()


def _serve(client: socket.socket) -> None:
    with client:
        said, fds, _, _ = socket.recv_fds(client, 64, 1)
        if not fds:
            return  # somebody who only looks whether we are there
        try:
            if said[:1] == FILL:
                _fill(fds[0], int(said[1:]))
            else:
                client.sendall(b"%d\n" % _empty(fds[0]))
        finally:
            os.close(fds[0])


def _fill(fd: int, count: int) -> None:
    while count:
        count -= os.write(fd, _PIECE if count >= len(_PIECE) else _PIECE[:count])


def _empty(fd: int) -> int:
    count = 0
    while piece := os.read(fd, len(_PIECE)):
        count += len(piece)
    return count


if __name__ == "__main__":
    main()
