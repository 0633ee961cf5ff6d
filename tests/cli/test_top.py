"""``xlpy top``: text for pipes, the live screen on a pseudo terminal."""

from __future__ import annotations

import json
import os
import pty
import select
import sys
import termios
import threading

import pytest
from command_line import Call
from fake_engine import FakeEngine

from xlpy.cli.keys import Keys
from xlpy.cli.main import run
from xlpy.client.host import Host


def test_batch_prints_one_screen_for_each_iteration(call: Call, fake: FakeEngine) -> None:
    result = call("top", "-b", "-d", "0.01", "-i", "2")
    assert result.status == 0
    assert [line.split()[0] for line in result.out.splitlines()] == ["NAME", "Domain-0"] * 2


def test_a_pipe_gets_text_without_being_asked(call: Call) -> None:
    assert call("top", "-i", "1").out.splitlines()[0].startswith("      NAME  STATE")


def test_json(call: Call) -> None:
    document = json.loads(call("top", "-i", "1", "-o", "json").out)
    assert document["schema"] == "xlpy/usage/1"
    assert document["rows"][0]["name"] == "Domain-0"


@pytest.mark.parametrize("words", [("-d", "0"), ("-d", "soon"), ("-i", "-1")])
def test_what_is_no_number(call: Call, words: tuple[str, str]) -> None:
    assert call("top", "-b", *words).status == 2


def test_keys() -> None:
    near, far = pty.openpty()
    try:
        with Keys(far) as keys:
            for typed, key in (
                (b"q", "q"),
                (b"\x1b[A", "up"),
                (b"\x1bOB", "down"),
                (b"\x1b", "escape"),
                (b" ", " "),
            ):
                os.write(near, typed)
                assert keys.wait(10) == key
            assert keys.wait(0) is None
    finally:
        os.close(near)
        os.close(far)


def test_a_terminal_that_is_gone_counts_as_quitting() -> None:
    near, far = pty.openpty()
    try:
        with Keys(far) as keys:
            os.close(near)
            assert keys.wait(10) == "q"
    finally:
        os.close(far)


def test_live_on_a_terminal(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    near, far = pty.openpty()
    termios.tcsetwinsize(far, (24, 80))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    before = termios.tcgetattr(far)
    shown = bytearray()

    def person() -> None:
        """Sorts once the picture is there, and leaves once that is seen."""
        for awaited, typed in ((b"sort (ID)", b"s"), (b"sort (Name)", b"q")):
            while awaited not in shown:
                assert select.select([near], [], [], 30)[0], bytes(shown)
                shown.extend(os.read(near, 65536))
            os.write(near, typed)
        while b"\x1b[?1049l" not in shown:  # the screen that was there before comes back
            assert select.select([near], [], [], 30)[0], bytes(shown)
            shown.extend(os.read(near, 65536))

    watcher = threading.Thread(target=person)
    watcher.start()
    with os.fdopen(os.dup(far), "r") as keyboard, os.fdopen(os.dup(far), "w") as display:
        monkeypatch.setattr(sys, "stdin", keyboard)
        monkeypatch.setattr(sys, "stdout", display)
        status = run(["top", "-d", "60"], "xlpy", open_host=lambda address: host)
        watcher.join(30)
        monkeypatch.undo()
    assert status == 0
    assert not watcher.is_alive()
    assert b"Domain-0" in shown
    assert termios.tcgetattr(far) == before
    os.close(near)
    os.close(far)


def test_a_terminal_without_a_screen_gets_text(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    near, far = pty.openpty()
    monkeypatch.setenv("TERM", "dumb")
    with os.fdopen(os.dup(far), "r") as keyboard, os.fdopen(far, "w") as display:
        monkeypatch.setattr(sys, "stdin", keyboard)
        monkeypatch.setattr(sys, "stdout", display)
        status = run(["top", "-i", "1"], "xlpy", open_host=lambda address: host)
        shown = os.read(near, 65536)
        monkeypatch.undo()
    os.close(near)
    assert status == 0
    assert shown.startswith(b"      NAME  STATE")
    assert b"\x1b" not in shown
