"""Migration between two agents: after success and after every fault, exactly one running copy."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from eventually import eventually
from fake_engine import FakeEngine
from in_process import InProcessHost
from sample_configs import tiny, with_devices

from xlpy.agent.domain_record import Phase
from xlpy.client.host import Host
from xlpy.client.migrate import migrate
from xlpy.errors import (
    Aborted,
    DomainExists,
    EngineError,
    Interrupted,
    InvalidState,
    UsageError,
    XlError,
)
from xlpy.model.console_history import unpacked_history
from xlpy.model.migration import TransferProgress


class Pair:
    """Two hosts, and a domain ``web`` on the first."""

    def __init__(self, place: Path, prefix: str = "unix:///test/") -> None:
        self.place = place
        self.prefix = prefix
        self.fakes = (FakeEngine(), FakeEngine())
        self.agents = [self._start(0), self._start(1)]
        self.source, self.target = (agent.connect() for agent in self.agents)
        self.domid = self.source.create_domain(with_devices("web"))
        self.fakes[0].guests[self.domid].ticks = 42

    def _start(self, which: int) -> InProcessHost:
        return InProcessHost(self.fakes[which], self.place / f"state{which}", f"{self.prefix}{which}")

    def restart(self, which: int) -> None:
        """Kill this agent and start the next one over the same engine and records."""
        self.agents[which].kill()
        self.agents[which] = self._start(which)

    def running(self) -> list[tuple[int, str | None]]:
        """Every copy of the domain that runs, wherever it does."""
        return [
            (which, guest.info.name)
            for which, fake in enumerate(self.fakes)
            for guest in list(fake.guests.values())
            if guest.info.domid and guest.info.running
        ]

    def settled(self, which: int) -> bool:
        """Whether it runs there alone, and nothing is left of it on the other host."""
        other = 1 - which
        return (
            self.running() == [(which, "web")]
            and [domid for domid in self.fakes[other].guests if domid] == []
            and self.agents[other].supervisor.store.records() == []
            and [record.phase for record in self.agents[which].supervisor.store.records()] == [Phase.RUNNING]
        )

    def close(self) -> None:
        self.source.close()
        self.target.close()
        for agent in self.agents:
            agent.close()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    pair = Pair(tmp_path)
    yield pair
    pair.close()


def test_domain_moves_with_its_state(pair: Pair) -> None:
    uuid = pair.source.domain_info(pair.domid).uuid
    seen: list[TransferProgress] = []
    domid, result = migrate(pair.source, pair.target, pair.domid, progress=seen.append)
    assert result.phase == "completed"
    assert seen
    assert pair.settled(1)
    info = pair.target.find_domain("web")
    assert (info.domid, info.uuid, info.running) == (domid, uuid, True)
    assert pair.fakes[1].guests[domid].ticks == 42


def test_console_goes_along(pair: Pair) -> None:
    """What it said before, what it says on the way, and from which position whoever looks goes on."""
    guest = pair.fakes[0].guests[pair.domid]
    guest.say(b"booted\r\n")
    said = iter([b"still here\r\n"])
    guest.on_page = lambda: guest.say(next(said, b""))
    domid, _ = migrate(pair.source, pair.target, pair.domid)
    pair.fakes[1].guests[domid].say(b"arrived\r\n")
    ours, theirs = socket.socketpair()
    with ours:
        assert pair.target.open_console(domid, theirs.detach(), position=2) == 2
        expected = unpacked_history(guest.history())[2:] + b"arrived\r\n"
        assert b"booted" in expected
        assert b"still here" in expected
        assert ours.makefile("rb").read(len(expected)) == expected


def test_back_and_forth(pair: Pair) -> None:
    there, _ = migrate(pair.source, pair.target, pair.domid)
    back, _ = migrate(pair.target, pair.source, there)
    assert pair.settled(0)
    migrate(pair.source, pair.target, back)
    assert pair.settled(1)


@pytest.mark.parametrize(("was_paused", "asked"), [(True, False), (False, True)])
def test_paused_there(pair: Pair, was_paused: bool, asked: bool) -> None:
    if was_paused:
        pair.source.pause_domain(pair.domid)
    domid, _ = migrate(pair.source, pair.target, pair.domid, paused=asked)
    assert pair.target.domain_info(domid).paused


def test_to_itself(pair: Pair) -> None:
    with pytest.raises(UsageError, match="same host"):
        migrate(pair.source, pair.agents[0].connect(), pair.domid)


def test_name_in_use_there(pair: Pair) -> None:
    pair.target.create_domain(tiny("web"))
    with pytest.raises(DomainExists, match=r"runs on at unix:///test/0: .*exists already"):
        migrate(pair.source, pair.target, pair.domid)
    assert pair.source.domain_info(pair.domid).running
    assert len(pair.target.list_domains()) == 2


@pytest.mark.parametrize("which", [0, 1], ids=["source", "target"])
def test_side_that_fails_is_told_and_the_source_goes_on(pair: Pair, which: int) -> None:
    operation = ("save_domain", "restore_domain")[which]
    pair.fakes[which].fail_next(operation, EngineError("out of order"))
    with pytest.raises(EngineError, match=r"runs on at unix:///test/0: .*out of order"):
        migrate(pair.source, pair.target, pair.domid)
    eventually(lambda: pair.settled(0))


def test_interrupt_gives_it_up(pair: Pair) -> None:
    pressed: list[bool] = []

    def interrupt(moment: TransferProgress) -> None:
        if not pressed:
            pressed.append(True)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Aborted, match="as it was before"):
        migrate(pair.source, pair.target, pair.domid, progress=interrupt)
    eventually(lambda: pair.settled(0))


def test_target_that_cannot_accept(pair: Pair) -> None:
    """The engine fails after the moment of handing over: the domain is the target's all the same."""
    pair.fakes[1].fail_next("accept_restored", EngineError("stuck"))
    with pytest.raises(EngineError, match="did not come up: stuck"):
        migrate(pair.source, pair.target, pair.domid)
    assert [domid for domid in pair.fakes[0].guests if domid] == []
    pair.restart(1)
    assert pair.settled(1)


# -- one of the parties is lost


def at(moment: str, pair: Pair, act: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Do something right before or after a step of the protocol, seen from the client."""
    when, operation = moment.split(" ")
    original = getattr(Host, operation)

    def step(self: Host, *args: object, **kwargs: object) -> object:
        if when == "before":
            act()
        result = original(self, *args, **kwargs)
        if when == "after":
            act()
        return result

    monkeypatch.setattr(Host, operation, step)


@pytest.mark.parametrize("which", [0, 1], ids=["source", "target"])
def test_agent_killed_in_the_middle_of_the_transfer(pair: Pair, which: int) -> None:
    killed: list[bool] = []

    def kill(moment: TransferProgress) -> None:
        if not killed:
            killed.append(True)
            pair.restart(which)

    with pytest.raises(XlError):
        migrate(pair.source, pair.target, pair.domid, progress=kill)
    pair.source.close()
    pair.target.close()
    eventually(lambda: pair.settled(0))


@pytest.mark.parametrize(
    ("moment", "which", "where"),
    [
        ("before accept_restored", 0, 1),
        ("before accept_restored", 1, 0),
        ("after accept_restored", 0, 1),
        ("after accept_restored", 1, 1),
        ("before destroy_domain", 0, 1),
        ("before destroy_domain", 1, 1),
        ("after destroy_domain", 0, 1),
        ("after destroy_domain", 1, 1),
    ],
)
def test_agent_killed_at_a_step(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, moment: str, which: int, where: int
) -> None:
    at(moment, pair, lambda: pair.restart(which), monkeypatch)
    message = None
    try:
        migrate(pair.source, pair.target, pair.domid)
    except XlError as error:
        message = error.message
    assert message is None or f"unix:///test/{where}" in message, "it says where the domain is"
    eventually(lambda: pair.settled(where))


@pytest.mark.parametrize(
    ("moment", "where"),
    [
        ("before accept_restored", 0),
        ("after accept_restored", 1),
        ("before destroy_domain", 1),
        ("after destroy_domain", 1),
    ],
)
def test_client_killed_at_a_step(pair: Pair, moment: str, where: int) -> None:
    class Killed(BaseException):
        pass

    def die() -> None:
        pair.source.close()
        pair.target.close()
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        at(moment, pair, die, patch)
        with pytest.raises(Killed):
            migrate(pair.source, pair.target, pair.domid)
    eventually(lambda: pair.settled(where))


def test_both_agents_and_the_client_are_lost_before_the_end(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def all_die() -> None:
        pair.restart(0)
        pair.restart(1)

    at("after accept_restored", pair, all_die, monkeypatch)
    migrate(pair.source, pair.target, pair.domid)  # both are asked anew
    eventually(lambda: pair.settled(1))


def test_target_is_gone_for_good(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can say what became of it: the copy stands still, and a human decides."""
    at("before accept_restored", pair, pair.agents[1].kill, monkeypatch)
    with pytest.raises(Interrupted, match="not known yet on which host it goes on"):
        migrate(pair.source, pair.target, pair.domid)
    assert pair.running() == []
    with pytest.raises(InvalidState, match="has not confirmed"):
        pair.source.unpause_domain(pair.domid)
    with pytest.raises(InvalidState, match="was sent to unix:///test/1, and may run there"):
        pair.source.resume_saved(pair.domid)
    (transfer,) = pair.source.list_transfers()
    assert (transfer.side, transfer.state, transfer.peer.name) == ("source", "sent", "unix:///test/1")
    pair.source.settle_transfer(transfer.transfer_id, "lost")
    assert pair.running() == [(0, "web")]
    assert pair.source.list_transfers() == ()


def test_nobody_touches_a_domain_on_its_way(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    refused: list[str] = []

    def meddle() -> None:
        host = pair.agents[0].connect()
        for attempt in (host.unpause_domain, host.pause_domain, host.shutdown_domain):
            with pytest.raises(InvalidState):
                attempt(pair.domid)
            refused.append(attempt.__name__)
        with pytest.raises(InvalidState):
            host.rename_domain(pair.domid, "other")

    at("before accept_restored", pair, meddle, monkeypatch)
    migrate(pair.source, pair.target, pair.domid)
    assert len(refused) == 3
    assert pair.settled(1)
