"""The xenstore client, against a small xenstored that speaks the real protocol over a real socket."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from xlpy.engine.libxl import xenstore
from xlpy.engine.libxl.xenstore import Xenstore
from xlpy.errors import ConnectError, EngineError

HEADER = struct.Struct("=IIII")
DIRECTORY, READ, WATCH, WRITE, RM, WATCH_EVENT, ERROR = 1, 2, 4, 11, 13, 15, 16


class SmallXenstored:
    """Nodes in a dict; every write fires the watches above it, before its own answer as the real one may."""

    def __init__(self, path: Path) -> None:
        self.nodes: dict[str, str] = {}
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._thread.join(10)
        self._listener.close()

    def _serve(self) -> None:
        client, _ = self._listener.accept()
        watched: list[str] = []
        with client, client.makefile("rb") as source:
            while True:
                header = source.read(HEADER.size)
                if not header:
                    return
                kind, request, transaction, length = HEADER.unpack(header)
                path, _, value = source.read(length).partition(b"\0")

                def send(answer: int, body: bytes, *numbers: int) -> None:
                    # one byte at a time: a message comes in as many pieces as it likes
                    for byte in HEADER.pack(answer, *(numbers or (0, 0)), len(body)) + body:
                        client.sendall(bytes((byte,)))

                name = path.decode()
                if kind == WATCH:
                    watched.append(name)
                    send(kind, b"OK\0", request, transaction)
                    send(WATCH_EVENT, path + b"\0xlpy\0")
                elif kind == WRITE:
                    self.nodes[name] = value.decode()
                    for each in watched:
                        if name.startswith(each):
                            send(WATCH_EVENT, path + b"\0xlpy\0")
                    send(kind, b"OK\0", request, transaction)
                elif kind == READ and name in self.nodes:
                    send(kind, self.nodes[name].encode(), request, transaction)
                elif kind == DIRECTORY and any(node.startswith(f"{name}/") for node in self.nodes):
                    below = {
                        node[len(name) + 1 :].split("/")[0]
                        for node in self.nodes
                        if node.startswith(f"{name}/")
                    }
                    send(
                        kind, b"".join(each.encode() + b"\0" for each in sorted(below)), request, transaction
                    )
                elif name == "/forbidden":
                    send(ERROR, b"EACCES\0", request, transaction)
                else:
                    send(ERROR, b"ENOENT\0", request, transaction)


@pytest.fixture
def xenstored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallXenstored]:
    monkeypatch.setattr(xenstore, "_SOCKETS", (str(tmp_path / "absent"), str(tmp_path / "socket")))
    xenstored = SmallXenstored(tmp_path / "socket")
    yield xenstored
    xenstored.close()


@pytest.fixture
def client(xenstored: SmallXenstored) -> Iterator[Xenstore]:
    client = Xenstore()
    yield client
    client.close()


def test_nodes(xenstored: SmallXenstored, client: Xenstore) -> None:
    xenstored.nodes = {"/local/domain/3/name": "wéb", "/local/domain/3/console/tty": "/dev/pts/1"}
    assert client.read("/local/domain/3/name") == "wéb"
    assert client.read("/local/domain/4/name") is None
    assert client.names("/local/domain/3") == ("console", "name")
    assert client.names("/local/domain/4") == ()
    assert client.read_all("/local/domain/3", ("name", "image")) == {"name": "wéb"}
    client.write("/local/domain/3/name", "db")
    assert xenstored.nodes["/local/domain/3/name"] == "db"
    client.remove("/nosuch")


def test_events_between_answers_do_no_harm(client: Xenstore) -> None:
    client.watch("/a")
    assert client.next_event() == "/a"
    client.write("/a/b", "1")
    assert client.read("/a/b") == "1"


def test_events(client: Xenstore) -> None:
    client.watch("@releaseDomain")
    assert client.next_event() == "@releaseDomain"


def test_what_is_refused(client: Xenstore) -> None:
    with pytest.raises(EngineError, match="/forbidden: Permission denied"):
        client.read("/forbidden")


def test_no_xenstore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xenstore, "_SOCKETS", (str(tmp_path / "absent"),))
    monkeypatch.setattr(xenstore, "_DEVICE", str(tmp_path / "absent too"))
    with pytest.raises(ConnectError, match="there is no xenstore"):
        Xenstore()
