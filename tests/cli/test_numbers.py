"""Numbers on the command line are what they say, or an error that says what was expected."""

from __future__ import annotations

import pytest
from command_line import Call
from hypothesis import given
from hypothesis import strategies as st

from xlpy.cli.numbers import LARGEST, LONGEST_S, seconds, whole_number
from xlpy.errors import UsageError


@given(st.integers(0, LARGEST))
def test_whole_numbers_are_read(number: int) -> None:
    assert whole_number(str(number), "number") == number


@given(st.integers(-LARGEST, -1))
def test_below_zero_only_where_it_can_be_meant(number: int) -> None:
    assert whole_number(str(number), "number", -LARGEST) == number
    with pytest.raises(UsageError):
        whole_number(str(number), "number")


@pytest.mark.parametrize("text", ["", "x", "1x", "0x10", " 1", "1.5", "+1", "--1", "²", "٣", "9" * 5000])
def test_nothing_else_is_one(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        whole_number(text, "port", -5, 10)
    assert (caught.value.message, caught.value.hint) == (f"{text!r} is no port", "a number from -5 to 10")


def test_the_hint_says_what_would_do() -> None:
    for least, most, hint in ((1, LARGEST, "a whole number, 1 at least"), (1, 16, "a number from 1 to 16")):
        with pytest.raises(UsageError) as caught:
            whole_number("0", "number", least, most)
        assert caught.value.hint == hint


@pytest.mark.parametrize(("text", "found"), [("2", 2.0), ("0.5", 0.5), (".25", 0.25), ("1e3", 1000.0)])
def test_seconds(text: str, found: float) -> None:
    assert seconds(text, "timeout") == found


@pytest.mark.parametrize("text", ["", "x", "-1", "nan", "inf", "0", "1e10", "1s"])
def test_no_seconds(text: str) -> None:
    with pytest.raises(UsageError, match="is no timeout"):
        seconds(text, "timeout", most=LONGEST_S)


def test_no_time_at_all_only_where_it_can_be_meant() -> None:
    assert seconds("0", "delay", zero=True) == 0


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("list", "--timeout", "soon"), "'soon' is no timeout"),
        (("list", "--parallel", "0"), "'0' is no number of hosts"),
        (("shutdown", "-w", "--timeout", "0", "web"), "'0' is no timeout"),
        (("wait", "web", "gone", "--timeout", "-3"), "'-3' is no timeout"),
        (("events", "-n", "few"), "'few' is no number of events"),
        (("events", "--after", "x"), "'x' is no number of an event"),
        (("top", "-b", "-i", "1.5"), "'1.5' is no number of iterations"),
        (("top", "-b", "-d", "0"), "'0' is no delay"),
        (("console", "-n", "x", "web"), "'x' is no console number"),
        (("host", "ping", "-n", "0"), "'0' is no number of questions"),
        (("migrate", "--downtime", "0", "1", "b"), "'0' is no downtime in milliseconds"),
        (("migrate", "--bwlimit", "fast", "1", "b"), "'fast' is no bandwidth"),
        (("usbctrl-detach", "1", "x"), "'x' is no number of a controller"),
        (("usbdev-detach", "1", "0", "x"), "'x' is no number of a port"),
        (("vkb-detach", "1", "x"), "'x' is no number of a device"),
        (("trigger", "1", "nmi", "x"), "'x' is no number of a vcpu"),
        (("autostart", "web", "--order", "-1"), "'-1' is no order"),
        (("autostart", "web", "--delay", "1d"), "'1d' is no delay"),
        (("config", "log", "web", "x"), "'x' is no version"),
        (("sched-rtds", "-d", "web", "-v", "x"), "'x' is no vcpu"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_junk_is_refused_before_anything_is_done(words: tuple[str, ...], what: str, call: Call) -> None:
    result = call(*words)
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith(f"xlpy: {what}\n")
