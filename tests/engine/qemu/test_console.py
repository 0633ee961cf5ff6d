"""A console whose QEMU is the test: it listens on the socket and writes the log, as QEMU does."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from eventually import eventually

from xlpy.engine.console import Console
from xlpy.engine.console_log import KEPT_BYTES, ConsoleLog
from xlpy.engine.qemu.socket_path import listen_unix, open_line
from xlpy.engine.reactor import Reactor
from xlpy.errors import EngineError, InvalidState


class Line:
    """QEMU's side of a console."""

    def __init__(self, place: Path) -> None:
        self.socket_path = str(place / "pv0.sock")
        self.log_path = str(place / "pv0.log")
        self._listener = listen_unix(self.socket_path)
        self._log = os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.reactor = Reactor()
        self.console = Console(self.reactor, self.socket_path, self.log_path, open_line)
        self._viewers: list[socket.socket] = []
        self.socket: socket.socket | None = None

    def connect(self) -> None:
        self.console.connect()
        self.socket = self._listener.accept()[0]
        self.socket.settimeout(10)

    def log(self, data: bytes) -> None:
        """Only to the log, as while nobody is connected."""
        os.write(self._log, data)

    def say(self, data: bytes) -> None:
        assert self.socket is not None
        self.socket.sendall(data)
        self.log(data)

    def view(self, history: bool = True) -> socket.socket:
        ours, theirs = socket.socketpair()
        ours.settimeout(10)
        self._viewers.append(ours)
        self.console.attach(theirs.detach(), history)
        return ours

    def hang_up(self) -> None:
        assert self.socket is not None
        self.socket.close()

    def close(self) -> None:
        self.console.close(at_once=True)
        self.reactor.close()
        for viewer in self._viewers:
            viewer.close()
        if self.socket is not None:
            self.socket.close()
        self._listener.close()
        os.close(self._log)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    line = Line(tmp_path)
    yield line
    line.close()


def read(viewer: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        part = viewer.recv(length - len(data))
        if not part:
            break
        data += part
    return data


def test_history_then_what_comes(line: Line) -> None:
    line.log(b"before xlpyd came\n")
    line.connect()
    line.say(b"boot\n")
    viewer = line.view()
    assert read(viewer, 23) == b"before xlpyd came\nboot\n"
    line.say(b"more\n")
    assert read(viewer, 5) == b"more\n"


def test_only_what_comes(line: Line) -> None:
    line.connect()
    line.log(b"old\n")
    viewer = line.view(history=False)
    line.say(b"new\n")
    assert read(viewer, 4) == b"new\n"


def view_from(line: Line, position: int) -> tuple[int, socket.socket]:
    ours, theirs = socket.socketpair()
    ours.settimeout(10)
    return line.console.attach(theirs.detach(), True, position=position), ours


def test_where_a_stream_begins(line: Line) -> None:
    line.log(b"0123456789")
    line.connect()
    for history, begins in ((True, 0), (False, 10)):
        ours, theirs = socket.socketpair()
        assert line.console.attach(theirs.detach(), history) == begins
        ours.close()


def test_taking_up_where_another_stream_broke_off(line: Line) -> None:
    line.connect()
    viewer = line.view()
    line.say(b"0123456789")
    seen = read(viewer, 4)
    viewer.close()
    line.say(b"abc")
    begins, viewer = view_from(line, len(seen))
    with viewer:
        assert begins == 4
        assert read(viewer, 9) == b"456789abc"


def test_a_position_beyond_what_was_said(line: Line) -> None:
    line.log(b"short\n")
    line.connect()
    begins, viewer = view_from(line, 1000)
    with viewer:
        assert begins == 6
        line.say(b"now")
        assert read(viewer, 3) == b"now"


def test_who_counts_is_cut_off_rather_than_left_a_gap(line: Line) -> None:
    line.connect()
    begins, slow = view_from(line, 0)
    text = b"line of a console\n" * 4096
    said = 0
    while said < KEPT_BYTES * 3:
        line.say(text)
        said += len(text)
    shown = b""
    with slow:
        while part := slow.recv(1 << 20):
            shown += part
    whole = text * (said // len(text))
    assert shown == whole[: len(shown)]
    assert len(shown) < said
    begins, viewer = view_from(line, len(shown))
    with viewer:
        assert len(shown) < begins < said
        assert read(viewer, said - begins) == whole[begins:]


def test_two_viewers_see_the_same_and_both_type(line: Line) -> None:
    line.connect()
    first, second = line.view(), line.view()
    line.say(b"hello")
    assert read(first, 5) == read(second, 5) == b"hello"
    first.sendall(b"a")
    assert line.socket is not None
    assert line.socket.recv(10) == b"a"
    second.sendall(b"b")
    assert line.socket.recv(10) == b"b"


def test_a_log_that_lags_behind_the_socket(line: Line) -> None:
    line.connect()
    viewer = line.view()
    assert line.socket is not None
    line.socket.sendall(b"late")
    line.log(b"late")
    assert read(viewer, 4) == b"late"


def test_nothing_is_lost_or_doubled_under_load(line: Line) -> None:
    line.connect()
    viewers = [line.view(), line.view()]
    sent = b"".join(b"%07d\n" % number for number in range(60_000))
    got = [b"", b""]

    def drain(index: int) -> None:
        got[index] = read(viewers[index], len(sent))

    readers = [threading.Thread(target=drain, args=(index,)) for index in range(2)]
    for reader in readers:
        reader.start()
    for start in range(0, len(sent), 1000):
        line.say(sent[start : start + 1000])
    for reader in readers:
        reader.join(20)
    assert got[0] == sent
    assert got[1] == sent


def test_who_doesnt_read_holds_up_nobody(line: Line) -> None:
    line.connect()
    line.view()  # never reads
    quick = line.view()
    block = b"x" * 65536
    for _ in range(30):
        line.say(block)
        assert read(quick, len(block)) == block


def test_a_viewer_that_fell_far_behind_is_told(line: Line) -> None:
    line.connect()
    slow = line.view()
    text = b"line of a console\n" * 4096
    said = 0
    while said < KEPT_BYTES * 3:
        line.say(text)
        said += len(text)
    log = ConsoleLog(line.log_path)
    eventually(lambda: log.start() > 0)
    log.close()
    line.hang_up()
    shown = b""
    while part := slow.recv(1 << 20):
        shown += part
    assert b"[xlpy: some output was skipped]" in shown
    assert len(shown) < said
    assert shown.endswith(b"line of a console\n")


def test_the_log_keeps_its_offsets_when_it_is_trimmed(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"0123456789abcde\n" * (3 * KEPT_BYTES // 16))
    log = ConsoleLog(str(path))
    assert log.start() == 0
    log.trim()
    assert log.size() == 3 * KEPT_BYTES
    assert path.stat().st_blocks * 512 <= KEPT_BYTES + 65536
    start = log.start()
    assert 2 * KEPT_BYTES <= start <= 2 * KEPT_BYTES + 16
    assert log.read(start).startswith(b"0123456789abcde\n")
    log.close()


def test_input_waits_for_a_guest_that_doesnt_read(line: Line) -> None:
    line.connect()
    viewer = line.view()
    text = os.urandom(1 << 20)
    writer = threading.Thread(target=viewer.sendall, args=(text,))
    writer.start()
    assert line.socket is not None
    assert read(line.socket, len(text)) == text
    writer.join(10)


def test_who_stops_typing_goes_on_looking(line: Line) -> None:
    line.connect()
    viewer = line.view()
    viewer.sendall(b"last words")
    viewer.shutdown(socket.SHUT_WR)
    assert line.socket is not None
    assert read(line.socket, 10) == b"last words"
    line.say(b"answer")
    assert read(viewer, 6) == b"answer"


def test_the_end_comes_after_the_last_words(line: Line) -> None:
    line.connect()
    viewer = line.view()
    line.say(b"reboot: Power down\n")
    line.hang_up()
    assert read(viewer, 1000) == b"reboot: Power down\n"


def test_the_log_of_an_ended_domain_can_be_read(line: Line) -> None:
    line.log(b"panic\n")
    viewer = line.view()
    assert read(viewer, 1000) == b"panic\n"


def test_typing_to_nobody(line: Line) -> None:
    with pytest.raises(InvalidState, match="nobody listens"):
        line.console.write(b"x")


def test_a_stream_must_be_a_socket(line: Line) -> None:
    reading, writing = os.pipe()
    with pytest.raises(EngineError, match="needs a socket"):
        line.console.attach(writing, True)
    assert os.read(reading, 1) == b""  # it was closed all the same
    os.close(reading)


def test_viewers_come_and_go(line: Line) -> None:
    line.connect()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        viewer = line.view()
        line.say(b"x")
        assert viewer.recv(1) == b"x"
        viewer.close()
    eventually(lambda: len(os.listdir("/proc/self/fd")) <= before)


def test_one_socket_is_not_there(tmp_path: Path) -> None:
    reactor = Reactor()
    console = Console(reactor, str(tmp_path / "none"), str(tmp_path / "log"), open_line)
    with pytest.raises(EngineError, match="does not answer"):
        console.connect()
    reactor.close()
