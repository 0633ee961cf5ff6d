"""The console: on a terminal, in a pipe, from a file, and the terminal afterwards."""

from __future__ import annotations

import os
import pty
import termios
import threading
from collections.abc import Iterator

import pytest
from command_line import Call
from fake_engine import FakeEngine
from recorded import GPV, populate

from xlpy.cli.console import escape_character
from xlpy.cli.main import run
from xlpy.client.host import Host
from xlpy.errors import UsageError


@pytest.fixture(autouse=True)
def guest(fake: FakeEngine) -> None:
    populate(fake, GPV)
    fake.guests[GPV.domid].say(b"guest up\r\n# ")


class Stdin:
    """Descriptor 0 for the time of a test."""

    def __init__(self) -> None:
        self.saved = os.dup(0)

    def become(self, fd: int) -> None:
        os.dup2(fd, 0)
        os.close(fd)

    def holding(self, data: bytes) -> None:
        reading, writing = os.pipe()
        os.write(writing, data)
        os.close(writing)
        self.become(reading)


@pytest.fixture
def stdin() -> Iterator[Stdin]:
    stdin = Stdin()
    yield stdin
    os.dup2(stdin.saved, 0)
    os.close(stdin.saved)


def test_dump_prints_what_is_kept_and_leaves(call: Call) -> None:
    result = call("console", "--dump", "gpv")
    assert (result.out.replace("\r\n", "\n"), result.err, result.status) == ("guest up\n# ", "", 0)


def test_a_pipe_is_typed_and_output_goes_on_until_the_end(
    call: Call, fake: FakeEngine, stdin: Stdin, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin.holding(b"uptime\x1d\r")
    guest = fake.guests[GPV.domid]
    say = guest.say

    def say_and_end(data: bytes) -> None:
        say(data)
        if b"uptime" in data:
            guest.close_consoles()

    monkeypatch.setattr(guest, "say", say_and_end)
    result = call("console", "gpv")
    assert result.status == 0
    assert "uptime\x1d" in result.out  # the escape character means nothing in a pipe


def test_a_terminal_is_raw_while_and_restored_after(
    host: Host,
    fake: FakeEngine,
    stdin: Stdin,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    os.write(ours, b"ls\x1dnever typed")
    stdin.become(theirs)
    modes = []
    guest = fake.guests[GPV.domid]
    say = guest.say
    monkeypatch.setattr(guest, "say", lambda data: (modes.append(termios.tcgetattr(0)), say(data)))
    assert run(["console", "gpv"], open_host=lambda address: host) == 0
    assert termios.tcgetattr(0) == before
    for thread in threading.enumerate():  # the guest may still be saying something
        if thread.name == "fake console":
            thread.join(10)
    os.close(ours)
    captured = capfd.readouterr()
    assert "guest up" in captured.out
    assert "never typed" not in captured.out
    assert "Ctrl-] leaves the console" in captured.err


def test_it_ends_when_nobody_reads_it_any_more(host: Host, stdin: Stdin) -> None:
    stdin.holding(b"")
    seen: list[bytes] = []
    reading, writing = os.pipe()

    def read_a_little() -> None:
        seen.append(os.read(reading, 8))
        os.close(reading)

    reader = threading.Thread(target=read_a_little)
    reader.start()
    saved = os.dup(1)
    os.dup2(writing, 1)
    os.close(writing)
    try:
        assert run(["console", "gpv"], open_host=lambda address: host) == 141
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        reader.join()
    assert seen == [b"guest up"]


def test_no_input_takes_nothing_from_stdin(call: Call, fake: FakeEngine, stdin: Stdin) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"secret")
    stdin.become(reading)
    fake.guests[GPV.domid].close_consoles()
    os.close(writing)
    call("console", "--dump", "gpv")
    assert os.read(0, 100) == b"secret"


@pytest.mark.parametrize(
    ("text", "escape"),
    [(None, b"\x1d"), ("^]", b"\x1d"), ("^a", b"\x01"), ("^A", b"\x01"), ("q", b"q"), ("^", b"^")],
)
def test_escape_characters(text: str | None, escape: bytes) -> None:
    assert escape_character(text) == escape


@pytest.mark.parametrize("text", ["", "é"])
def test_senseless_escape_characters(text: str) -> None:
    with pytest.raises(UsageError):
        escape_character(text)


def test_kinds_of_console(call: Call) -> None:
    result = call("console", "-t", "vga", "gpv")
    assert (result.status, result.err) == (1, "xlpy: console type supported are: pv, serial, vuart\n")
    assert call("console", "-t", "pv", "-n", "x", "gpv").status == 2


def test_a_number_counts_without_a_kind_unless_called_as_xl(call: Call, xl: Call) -> None:
    assert call("console", "--dump", "-n", "3", "gpv").status == 1
    assert xl("console", "--dump", "-n", "3", "gpv").status == 0
