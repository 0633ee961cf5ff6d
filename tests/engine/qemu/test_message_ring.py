"""The engine's own messages outlive their writer, and the oldest go first."""

from __future__ import annotations

import os
import re
from pathlib import Path

from xlpy.engine.qemu.message_ring import MessageRing


def test_messages_come_back_in_order_with_their_time(tmp_path: Path) -> None:
    ring = MessageRing(str(tmp_path / "messages.log"))
    ring.write("first")
    ring.write("second\nin two lines")
    lines = ring.read().splitlines()
    assert [line[22:] for line in lines] == ["first", "second", "in two lines"]
    assert all(re.fullmatch(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] ", line[:22]) for line in lines)


def test_the_next_xlpyd_still_has_them(tmp_path: Path) -> None:
    MessageRing(str(tmp_path / "messages.log")).write("from before")
    assert "from before" in MessageRing(str(tmp_path / "messages.log")).read()


def test_they_are_forgotten_on_request_and_not_before(tmp_path: Path) -> None:
    ring = MessageRing(str(tmp_path / "messages.log"))
    ring.write("once")
    assert ring.read() == ring.read(clear=True)
    assert ring.read() == ""
    ring.write("again")
    assert ring.read().endswith("again\n")


def test_the_file_is_bounded_and_the_newest_stay(tmp_path: Path) -> None:
    path = tmp_path / "messages.log"
    ring = MessageRing(str(path), kept_bytes=1000)
    for number in range(500):
        ring.write(f"message {number}")
        assert os.path.getsize(path) <= 2100
    lines = ring.read().splitlines()
    assert lines[-1].endswith("message 499")
    assert len(lines) == len({*lines})
    assert all(re.match(r"\[.{19}\] message \d+$", line) for line in lines), "no line is cut"


def test_no_message_no_file_and_no_place_are_no_errors(tmp_path: Path) -> None:
    ring = MessageRing(str(tmp_path / "nowhere/messages.log"))
    ring.write("lost")
    assert ring.read() == ""


def test_only_the_owner_may_read_them(tmp_path: Path) -> None:
    MessageRing(str(tmp_path / "messages.log")).write("private")
    assert (tmp_path / "messages.log").stat().st_mode & 0o777 == 0o600
