"""The same work on many hosts at once: limits, failures, and nobody waits for a host that hangs."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from xlpy.client import many
from xlpy.client.host import Host
from xlpy.client.many import Part, no_answer, on_each
from xlpy.errors import ConnectError, Interrupted, XlError
from xlpy.inventory.entry import HostEntry


class Stuck(Host):
    """A host on which work hangs until somebody hangs up."""

    def __init__(self) -> None:
        super().__init__(self._never)
        self.hung_up = threading.Event()

    def _never(self) -> None:  # type: ignore[override]
        raise AssertionError("connected")

    def hang_up(self) -> None:
        self.hung_up.set()


@pytest.fixture
def stuck() -> Iterator[list[Stuck]]:
    hosts: list[Stuck] = []
    yield hosts
    for host in hosts:
        host.hung_up.set()


def part(name: str, hosts: list[Stuck], limit_s: float | None = 60.0) -> Part:
    hosts.append(Stuck())
    return Part(HostEntry(name=name, address=name), hosts[-1], limit_s)


def hang(one: Part) -> None:
    assert isinstance(one.host, Stuck)
    assert one.host.hung_up.wait(60)
    raise Interrupted("hung up")


def test_results_and_errors_are_each_parts_own(stuck: list[Stuck]) -> None:
    parts = [part(str(number), stuck) for number in range(100)]

    def work(one: Part) -> str:
        if int(one.entry.name) % 7 == 0:
            raise XlError(f"not {one.entry.name}")
        if one.entry.name == "50":
            raise ZeroDivisionError
        return f"done {one.entry.name}"

    on_each(parts, work, 10)
    for number, one in enumerate(parts):
        if number % 7 == 0:
            assert (str(one.error), one.value) == (f"not {number}", None)
        elif number == 50:
            assert isinstance(one.error, ZeroDivisionError)
        else:
            assert (one.error, one.value) == (None, f"done {number}")
        assert not one.lost


def test_no_more_than_so_many_at_a_time(stuck: list[Stuck]) -> None:
    counting = threading.Lock()
    busy = threading.Barrier(3)
    now = most = 0

    def work(one: Part) -> None:
        nonlocal now, most
        with counting:
            now += 1
            most = max(most, now)
        busy.wait(60)  # three have to be here at once to go on
        with counting:
            now -= 1

    on_each([part(str(number), stuck) for number in range(9)], work, 3)
    assert most == 3


def test_hosts_that_hang_take_their_own_time_only(stuck: list[Stuck]) -> None:
    """With fewer threads than hanging hosts the others get their turn all the same."""
    parts = [part(f"h{number}", stuck, 0.1 if number % 2 else 60.0) for number in range(10)]

    def work(one: Part) -> str:
        if one.limit_s == 0.1:
            hang(one)
        return "done"

    on_each(parts, work, 2)
    for one in parts:
        assert isinstance(one.host, Stuck)
        if one.limit_s == 0.1:
            assert one.lost
            assert one.host.hung_up.is_set()
            assert str(one.error) == "no answer within 0.1 s"
        else:
            assert (one.value, one.lost) == ("done", False)


def test_who_is_late_may_be_spoken_of_in_other_words(stuck: list[Stuck]) -> None:
    one = part("h", stuck, 0.05)
    on_each([one], hang, 1, late=lambda late: Interrupted(f"who knows about {late.entry.name}"))
    assert isinstance(one.error, Interrupted)
    assert isinstance(no_answer(one), ConnectError)


def test_ctrl_c_ends_it_and_hangs_up(stuck: list[Stuck]) -> None:
    parts = [part("h", stuck, None), part("i", stuck, None)]

    def work(one: Part) -> None:
        if one.entry.name == "i":
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        hang(one)

    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        on_each(parts, work, 2)
    assert time.monotonic() - begin < 60
    assert all(host.hung_up.is_set() for host in stuck)


@pytest.mark.parametrize("limit_s", [None, 60.0])
def test_a_ctrl_c_that_comes_just_before_a_wait_is_not_lost(
    stuck: list[Stuck], limit_s: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float | None] = []

    class Watched(many.SimpleQueue):  # type: ignore[type-arg]
        def get(self, block: bool = True, timeout: float | None = None) -> Any:
            waits.append(timeout)
            if len(waits) == 3:
                raise KeyboardInterrupt
            return super().get(block, timeout)

    monkeypatch.setattr(many, "SimpleQueue", Watched)
    with pytest.raises(KeyboardInterrupt):
        on_each([part("h", stuck, limit_s)], hang, 1)
    assert all(wait is not None and wait <= 1 for wait in waits)


def test_nothing_to_do() -> None:
    on_each([], hang, 5)


def test_parts_can_be_used_again(stuck: list[Stuck]) -> None:
    one = part("h", stuck)

    def fail(one: Part) -> None:
        raise XlError("no")

    on_each([one], fail, 1)
    on_each([one], lambda one: "yes", 1)
    assert (one.error, one.value) == (None, "yes")
