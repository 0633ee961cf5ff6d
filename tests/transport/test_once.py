"""Work that many threads want is done by one of them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from xlpy.transport.once import once


def test_one_works_and_all_have_it() -> None:
    done: list[str] = []
    together = threading.Barrier(8)

    @once
    def work(name: str) -> str:
        done.append(name)
        return name.upper()

    def want(name: str) -> str:
        together.wait(20)
        return work(name)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(want, ["a"] * 4 + ["b"] * 4)) == ["A"] * 4 + ["B"] * 4
    assert sorted(done) == ["a", "b"]


def test_what_fails_is_tried_again() -> None:
    tries: list[int] = []

    @once
    def work() -> int:
        tries.append(1)
        return 1 // (len(tries) - 1)

    for _ in range(2):
        try:
            result = work()
        except ZeroDivisionError:
            result = 0
    assert result == 1
