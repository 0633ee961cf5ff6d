"""``xlpy top``: text for pipes, the live screen on a pseudo terminal."""

from __future__ import annotations

import json
import os
import pty

import pytest
from command_line import Call
from fake_engine import FakeEngine

from xlpy.cli.keys import Keys


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
