"""Joining two connected sockets: what comes from one goes to the other, both ways."""

from __future__ import annotations

import socket
import threading

_PIECE_BYTES = 1 << 18


class SocketPump:
    """Copies between two sockets on threads of its own until both sides have ended, or one breaks; then closes both.

    It has descriptors of its own: the caller closes what it has given.
    """

    def __init__(self, left: socket.socket, right: socket.socket, name: str) -> None:
        left, right = left.dup(), right.dup()
        self._sockets = (left, right)
        self._running = 2
        self._lock = threading.Lock()
        for source, target in ((left, right), (right, left)):
            source.settimeout(None)
            threading.Thread(target=self._copy, args=(source, target), name=name, daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        piece = memoryview(bytearray(_PIECE_BYTES))
        try:
            while True:
                length = source.recv_into(piece)
                if not length:
                    break
                target.sendall(piece[:length])
            target.shutdown(socket.SHUT_WR)
        except OSError:
            self._shut()
        finally:
            with self._lock:
                self._running -= 1
                if not self._running:
                    for end in self._sockets:
                        end.close()

    def _shut(self) -> None:
        for end in self._sockets:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it is broken already
