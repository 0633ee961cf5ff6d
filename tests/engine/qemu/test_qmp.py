"""The QMP client against a peer that says exactly what the test wants, and against a real QEMU."""

from __future__ import annotations

import array
import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eventually import eventually

from xlpy.engine.qemu.process import spawn_qemu
from xlpy.engine.qemu.program import find_qemu
from xlpy.engine.qemu.qmp import QmpClient, QmpClosed, QmpError, QmpTimeout
from xlpy.engine.qemu.socket_path import listen_unix
from xlpy.engine.reactor import Reactor

GREETING = b'{"QMP": {"version": {"qemu": {"major": 7}}, "capabilities": ["oob"]}}\r\n'


class Peer:
    """QEMU's end of a connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        sock.settimeout(10)
        self._lines = sock.makefile("rb")

    def read(self) -> dict[str, Any]:
        command = json.loads(self._lines.readline())
        assert isinstance(command, dict)
        return command

    def say(self, **message: object) -> None:
        self.socket.sendall(json.dumps(message).encode() + b"\r\n")

    def close(self) -> None:
        self._lines.close()
        self.socket.close()


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    reactor = Reactor()
    yield reactor
    reactor.close()


class Conversation:
    """A client, its peer, and what the client was told."""

    def __init__(self, reactor: Reactor) -> None:
        ours, theirs = socket.socketpair()
        self.events: list[tuple[str, dict[str, Any], float]] = []
        self.closed = threading.Event()
        self.client = QmpClient(ours, reactor, lambda *event: self.events.append(event), self.closed.set)
        self.peer = Peer(theirs)
        self.peer.socket.sendall(GREETING)
        greeting = self.peer.read()
        assert greeting["execute"] == "qmp_capabilities"
        self.peer.say(**{"return": {}, "id": greeting["id"]})
        self.client.wait_ready(10)


@pytest.fixture
def talk(reactor: Reactor) -> Iterator[Conversation]:
    talk = Conversation(reactor)
    yield talk
    talk.client.close()
    talk.peer.close()


def test_a_command_and_its_answer(talk: Conversation) -> None:
    pending = talk.client.submit("balloon", {"value": 1})
    command = talk.peer.read()
    assert (command["execute"], command["arguments"]) == ("balloon", {"value": 1})
    talk.peer.say(**{"return": {"x": [1]}, "id": command["id"]})
    assert pending.result(10) == {"x": [1]}


def test_answers_find_their_commands_in_any_order(talk: Conversation) -> None:
    first, second = talk.client.submit("a"), talk.client.submit("b")
    ids = [talk.peer.read()["id"], talk.peer.read()["id"]]
    talk.peer.say(**{"return": "to b", "id": ids[1]})
    talk.peer.say(**{"return": "to a", "id": ids[0]})
    assert (first.result(10), second.result(10)) == ("to a", "to b")


def test_a_refusal_is_an_error_in_words(talk: Conversation) -> None:
    pending = talk.client.submit("device_del", {"id": "x"})
    error = {"class": "DeviceNotFound", "desc": "Device 'x' not found."}
    talk.peer.say(error=error, id=talk.peer.read()["id"])
    with pytest.raises(QmpError, match=r"^device 'x' not found$") as caught:
        pending.result(10)
    assert caught.value.error_class == "DeviceNotFound"
    assert "device_del" in (caught.value.detail or "")


def test_messages_may_come_in_pieces(talk: Conversation) -> None:
    pending = talk.client.submit("a")
    answer = json.dumps({"return": "ü" * 10, "id": talk.peer.read()["id"]}, ensure_ascii=False).encode()
    for byte in answer + b"\r\n":
        talk.peer.socket.sendall(bytes([byte]))
    assert pending.result(10) == "ü" * 10


def test_events_come_with_their_time(talk: Conversation) -> None:
    stamp = {"seconds": 5, "microseconds": 500000}
    talk.peer.say(event="STOP", timestamp=stamp)
    talk.peer.say(event="SHUTDOWN", data={"reason": "guest-reset"}, timestamp=stamp)
    eventually(lambda: len(talk.events) == 2)
    assert talk.events == [("STOP", {}, 5.5), ("SHUTDOWN", {"reason": "guest-reset"}, 5.5)]


def test_what_is_under_way_fails_when_qemu_ends(talk: Conversation) -> None:
    pending = talk.client.submit("a")
    talk.peer.read()
    talk.peer.close()
    with pytest.raises(QmpClosed, match="ended"):
        pending.result(10)
    assert talk.closed.wait(10)
    with pytest.raises(QmpClosed):
        talk.client.execute("b")


def test_no_answer_in_time(talk: Conversation) -> None:
    with pytest.raises(QmpTimeout, match=r"'slow' within 0\.01 s"):
        talk.client.execute("slow", timeout_s=0.01)
    late = talk.peer.read()
    pending = talk.client.submit("next")
    talk.peer.say(**{"return": "late", "id": late["id"]})
    talk.peer.say(**{"return": "next", "id": talk.peer.read()["id"]})
    assert pending.result(10) == "next"


def test_descriptors_travel_with_the_command(talk: Conversation) -> None:
    reading, writing = os.pipe()
    pending = talk.client.submit("getfd", {"fdname": "state"}, fds=(writing,))
    os.close(writing)
    room = socket.CMSG_SPACE(4)
    data, ancillary, _, _ = talk.peer.socket.recvmsg(4096, room)
    received = array.array("i", ancillary[0][2])[0]
    os.write(received, b"hello")
    os.close(received)
    assert os.read(reading, 100) == b"hello"
    os.close(reading)
    talk.peer.say(**{"return": {}, "id": json.loads(data)["id"]})
    pending.result(10)


def test_a_command_larger_than_the_socket_takes_at_once(talk: Conversation) -> None:
    text = "x" * 3_000_000
    reader = threading.Thread(
        target=lambda: talk.peer.say(**{"return": 1, "id": talk.peer.read()["id"]}), daemon=True
    )
    reader.start()
    assert talk.client.execute("big", {"text": text}, timeout_s=20) == 1
    reader.join(10)


def test_the_reactors_thread_may_not_wait_for_itself(talk: Conversation, reactor: Reactor) -> None:
    caught: list[BaseException] = []
    done = threading.Event()

    def ask() -> None:
        try:
            talk.client.execute("query-status")
        except RuntimeError as error:
            caught.append(error)
        done.set()

    reactor.call_soon(ask)
    assert done.wait(10)
    assert "query-status" in str(caught[0])


def test_nobody_listens(reactor: Reactor, tmp_path: Path) -> None:
    with pytest.raises(QmpClosed, match="No such file"):
        QmpClient.connect(str(tmp_path / "none"), reactor, lambda *event: None)


@pytest.mark.qemu
@pytest.mark.parametrize("name", ["short", "long" * 30])
def test_a_real_qemu(reactor: Reactor, tmp_path: Path, name: str) -> None:
    path = tmp_path / name / "qmp.sock"
    path.parent.mkdir()
    listener = listen_unix(str(path))
    assert path.stat().st_mode & 0o777 == 0o600
    arguments = [
        *(find_qemu(), "-machine", "none", "-nodefaults", "-display", "none", "-S"),
        *("-chardev", "socket,id=qmp,fd={fd0},server=on,wait=off", "-mon", "chardev=qmp,mode=control"),
    ]
    process = spawn_qemu(arguments, (listener.fileno(),), str(tmp_path / "log"))
    listener.close()
    gone = threading.Event()
    process.watch(reactor, gone.set)
    client = QmpClient.connect(str(path), reactor, lambda *event: None)
    client.wait_ready(30)
    assert client.execute("query-status")["status"] == "prelaunch"
    with pytest.raises(QmpError, match="nonsense") as caught:
        client.execute("nonsense")
    assert caught.value.error_class == "CommandNotFound"
    process.signal(signal.SIGKILL)
    assert gone.wait(10)
    assert process.exit_status == -signal.SIGKILL
    client.close()
