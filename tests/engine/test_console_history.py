"""Logs of consoles that go along with a domain: the same bytes at the same positions, and never too many."""

from __future__ import annotations

from pathlib import Path

import pytest

from xlpy.engine.console_history import read_histories, take_histories
from xlpy.engine.console_log import KEPT_BYTES, ConsoleLog
from xlpy.model.console_history import HISTORY_BYTES, ConsoleHistory

PV0 = ("pv", 0)
SERIAL0 = ("serial", 0)


class Logs:
    """The log of one console on two hosts."""

    def __init__(self, place: Path) -> None:
        self.source, self.target = place / "source.log", place / "target.log"
        self.source.touch()

    def say(self, data: bytes) -> None:
        with self.source.open("ab") as file:
            file.write(data)

    def trim(self) -> None:
        log = ConsoleLog(str(self.source))
        log.trim()
        log.close()

    def read(self, after: tuple[ConsoleHistory, ...] = ()) -> tuple[ConsoleHistory, ...]:
        return read_histories({PV0: str(self.source)}, after)

    def take(self, histories: tuple[ConsoleHistory, ...]) -> None:
        take_histories({PV0: str(self.target)}, histories)

    def there(self) -> tuple[int, bytes]:
        """What a viewer at the target gets: from which position, and what."""
        log = ConsoleLog(str(self.target))
        try:
            start = log.start()
            return start, self.target.read_bytes()[start:]
        finally:
            log.close()


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path)


def lines(first: int, count: int) -> bytes:
    return b"".join(b"line %09d\n" % number for number in range(first, first + count))


def test_all_of_a_short_one(logs: Logs) -> None:
    logs.say(b"hello\nlogin: ")
    logs.take(logs.read())
    assert logs.there() == (0, b"hello\nlogin: ")


def test_what_is_said_while_it_moves(logs: Logs) -> None:
    logs.say(b"one\n")
    first = logs.read()
    logs.say(b"two\n")
    rest = logs.read(first)
    logs.take(first)
    logs.take(rest)
    logs.take(rest)  # asked twice, as after a lost answer
    assert logs.there() == (0, b"one\ntwo\n")


def test_nothing_said(logs: Logs) -> None:
    assert logs.read() == ()
    logs.say(b"one\n")
    assert logs.read(logs.read()) == ()


def test_long_one_keeps_its_positions(logs: Logs) -> None:
    """A hole stands for what isn't taken along."""
    said = lines(0, 200_000)
    logs.say(said)
    logs.trim()
    (history,) = histories = logs.read()
    assert history.length <= HISTORY_BYTES
    assert history.end == len(said)
    logs.take(histories)
    start, there = logs.there()
    assert there == said[start:]
    assert HISTORY_BYTES - 8192 < len(there) <= HISTORY_BYTES
    assert logs.target.stat().st_blocks * 512 <= HISTORY_BYTES + 8192


def test_more_said_on_the_way_than_is_taken_along(logs: Logs) -> None:
    logs.say(b"long ago\n")
    first = logs.read()
    said = lines(0, 100_000)
    logs.say(said)
    (rest,) = logs.read(first)
    assert rest.length <= HISTORY_BYTES
    logs.take(first)
    logs.take((rest,))
    start, there = logs.there()
    assert start > len(b"long ago\n")
    assert there == (b"long ago\n" + said)[start:]


def test_consoles_share_the_room(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(lines(0, KEPT_BYTES // 15))
    histories = read_histories({PV0: str(tmp_path / "a"), SERIAL0: str(tmp_path / "b")})
    assert [(history.kind, history.number) for history in histories] == [PV0, SERIAL0]
    assert sum(history.length for history in histories) <= HISTORY_BYTES


def test_console_that_is_not_here_is_left_out(logs: Logs, tmp_path: Path) -> None:
    """Also one whose name would lead elsewhere."""
    logs.say(b"hello\n")
    (history,) = logs.read()
    take_histories(
        {PV0: str(logs.target)},
        (history.replace(kind="serial"), history.replace(kind="../../x"), history.replace(packed="?")),
    )
    assert not logs.target.exists() or logs.target.read_bytes() == b""
    assert [path.name for path in tmp_path.iterdir()] == ["source.log"] or not logs.target.stat().st_size


def test_log_that_is_gone(tmp_path: Path) -> None:
    assert read_histories({PV0: str(tmp_path / "none")}) == ()
