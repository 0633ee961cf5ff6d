"""An xlpyd that dies in the middle of its answer."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path

from xlpy.protocol.messages import PROTOCOL_VERSION, Hello, Reply, encode_message

_SAID = encode_message(Hello(protocol=PROTOCOL_VERSION, version="1", engine="dying"))
_HALF = encode_message(Reply(id=1, value=[{"domid": 0}]))[:-10]


class HalfAnswer:
    """Listens at a socket, and gives everybody half an answer. To be closed."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(128)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, contextlib.suppress(ConnectionError):  # some only look whether we are there
                client.sendall(_SAID)
                if client.recv(65536):
                    client.sendall(_HALF)

    def close(self) -> None:
        """Listen no more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(20)
