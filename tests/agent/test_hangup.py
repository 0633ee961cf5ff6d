"""A client that is gone: whoever works for it hears of that, however early or late it was."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

from xlpy.agent.hangup import HangupWatch


def test_a_file_whose_writer_begins_after_the_hangup(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    asked, begun, told = threading.Event(), threading.Event(), threading.Event()

    def call_off() -> None:
        asked.set()
        if begun.is_set():
            told.set()

    with ours, (tmp_path / "state").open("wb") as file:
        theirs.close()
        with HangupWatch(ours.fileno(), file.fileno(), call_off):
            assert asked.wait(20)
            begun.set()
            assert told.wait(20)


def test_a_socket_is_shut_down() -> None:
    ours, theirs = socket.socketpair()
    stream, other_end = socket.socketpair()
    with ours, stream, other_end:
        theirs.close()
        with HangupWatch(ours.fileno(), stream.fileno()):
            assert other_end.recv(1) == b""


def test_nothing_is_broken_off_while_the_client_is_there(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    asked = threading.Event()
    with ours, theirs, (tmp_path / "state").open("wb") as file:
        with HangupWatch(ours.fileno(), file.fileno(), asked.set):
            pass
        assert not asked.is_set()
