from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from functools import partial

import pytest

from xlpy.engine.reactor import WRITE, Reactor


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    reactor = Reactor()
    yield reactor
    reactor.close()


def test_a_ready_descriptor_is_told(reactor: Reactor) -> None:
    reading, writing = os.pipe()
    got: list[bytes] = []
    told = threading.Event()

    def ready(_events: int) -> None:
        got.append(os.read(reading, 100))
        told.set()

    reactor.watch(reading, ready)
    os.write(writing, b"x")
    assert told.wait(10)
    assert got == [b"x"]
    closed = threading.Event()

    def close() -> None:
        os.close(reading)
        closed.set()

    reactor.release(reading, close)
    assert closed.wait(10)
    os.close(writing)


def test_other_events_can_be_waited_for(reactor: Reactor) -> None:
    ours, theirs = socket.socketpair()
    told = threading.Event()
    reactor.watch(ours.fileno(), lambda events: told.set() if events & WRITE else None)
    assert not told.is_set()
    reactor.change(ours.fileno(), WRITE)
    assert told.wait(10)
    reactor.unwatch(ours.fileno())
    ours.close()
    theirs.close()


def test_timers_run_in_their_order(reactor: Reactor) -> None:
    order: list[str] = []
    done = threading.Event()
    reactor.call_later(0.02, lambda: (order.append("second"), done.set())[0])
    reactor.call_later(0.001, lambda: order.append("first"))
    assert done.wait(10)
    assert order == ["first", "second"]


def test_a_failing_callback_takes_nobody_with_it(
    reactor: Reactor, capsys: pytest.CaptureFixture[str]
) -> None:
    done = threading.Event()
    reactor.call_soon(lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    reactor.call_soon(done.set)
    assert done.wait(10)
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_what_was_asked_for_is_done_before_it_ends() -> None:
    for _ in range(200):
        reactor = Reactor()
        done: list[int] = []
        for number in range(20):
            reactor.call_soon(partial(done.append, number))
        reactor.close()
        assert done == list(range(20))


def test_a_closed_one_runs_things_at_once() -> None:
    reactor = Reactor()
    reactor.close()
    reactor.close()
    done: list[int] = []
    reactor.call_soon(lambda: done.append(1))
    assert done == [1]
