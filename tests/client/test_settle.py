"""Migrations between hosts that can't reach each other: the client alone brings them together, also afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from eventually import eventually
from fake_engine import FakeEngine
from in_process import InProcessHost
from sample_configs import tiny

from xlpy.client.host import Host
from xlpy.client.migrate import migrate
from xlpy.client.preflight import look
from xlpy.client.settle import find_transfer, settle
from xlpy.errors import Aborted, ConnectError, Interrupted, InvalidState, NotSupported, UsageError, XlError
from xlpy.model.migration import Peer, Transfer


class ClientKilled(BaseException):
    """The client does nothing any more."""


class Distant:
    """Two hosts, ``a`` and ``b``, whose names mean nothing to each other, and a domain ``web`` on the first."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.fakes = {name: FakeEngine() for name in "ab"}
        self.agents = {name: self.start(name) for name in "ab"}
        self.a, self.b = self.agents["a"].connect(), self.agents["b"].connect()
        self.clients: list[Host] = []
        self.domid = self.a.create_domain(tiny("web"))

    def start(self, name: str) -> InProcessHost:
        return InProcessHost(self.fakes[name], self.place / name, f"host-{name}")

    def restart(self, name: str) -> None:
        self.agents[name].kill()
        self.agents[name] = self.start(name)

    def running(self) -> str:
        """The hosts where a copy runs."""
        return "".join(
            name
            for name, fake in self.fakes.items()
            for guest in list(fake.guests.values())
            if guest.info.domid and guest.info.running
        )

    def left(self) -> str:
        """The hosts that have anything of it."""
        return "".join(name for name, agent in self.agents.items() if agent.supervisor.store.records())

    def lose_client(self) -> None:
        self.a.close()
        self.b.close()

    def transfer(self) -> Transfer:
        found = find_transfer(self.client("a"), self.domid)
        assert found is not None
        return found

    def settle(self) -> str:
        return settle(self.client("a"), self.client("b"), self.transfer())

    def while_leaving(self, act: Callable[[], object]) -> None:
        """Do something once, when part of the state has left."""
        done: list[bool] = []

        def once() -> None:
            if not done:
                done.append(True)
                act()

        self.fakes["a"].guests[self.domid].on_page = once

    def client(self, name: str) -> Host:
        """One more client."""
        host = self.agents[name].connect()
        self.clients.append(host)
        return host

    def close(self) -> None:
        self.lose_client()
        for client in self.clients:
            client.close()
        for agent in self.agents.values():
            agent.close()


@pytest.fixture
def distant(tmp_path: Path) -> Iterator[Distant]:
    distant = Distant(tmp_path)
    yield distant
    distant.close()


def cut_off(distant: Distant, operation: str, before: bool) -> None:
    """A migration whose client is killed right before or after this step."""
    with pytest.MonkeyPatch.context() as patch:
        original = getattr(Host, operation)

        def step(self: Host, *args: object, **kwargs: object) -> object:
            result = None if before else original(self, *args, **kwargs)
            distant.lose_client()
            raise ClientKilled(result)

        patch.setattr(Host, operation, step)
        with pytest.raises(ClientKilled):
            migrate(distant.a, distant.b, distant.domid)


def test_what_was_not_accepted_goes_on_at_the_source(distant: Distant) -> None:
    cut_off(distant, "accept_restored", before=True)
    eventually(lambda: distant.left() == "a")
    assert distant.running() == "", "the source can't know, and nobody asks for it"
    assert distant.transfer().peer == Peer(name="host-b", instance=distant.b.hello.instance)
    assert distant.settle() == "absent"
    assert (distant.running(), distant.left()) == ("a", "a")


def test_what_was_accepted_goes_on_at_the_target(distant: Distant) -> None:
    cut_off(distant, "accept_restored", before=False)
    eventually(lambda: not distant.transfer().led)
    assert distant.running() == "b"
    assert distant.settle() == "accepted"
    assert (distant.running(), distant.left()) == ("b", "b")


def test_the_journals_outlive_both_agents(distant: Distant) -> None:
    cut_off(distant, "accept_restored", before=False)
    distant.restart("a")
    distant.restart("b")
    assert distant.running() == "b"
    assert distant.settle() == "accepted"
    assert (distant.running(), distant.left()) == ("b", "b")


def test_the_source_takes_back_by_itself_what_nobody_can_have(distant: Distant) -> None:
    """Its state was not complete: no target can have been told to accept it."""
    distant.while_leaving(distant.agents["a"].hang_up)
    with pytest.raises(ConnectError, match="the domain runs on at host-a: the connection to host-a was lost"):
        migrate(distant.a, distant.b, distant.domid)
    eventually(lambda: (distant.running(), distant.left()) == ("a", "a"))


def test_the_target_is_lost_in_the_middle(distant: Distant) -> None:
    distant.while_leaving(distant.agents["b"].hang_up)
    with pytest.raises(ConnectError, match="the domain runs on at host-a: the connection to host-b was lost"):
        migrate(distant.a, distant.b, distant.domid)
    eventually(lambda: (distant.running(), distant.left()) == ("a", "a"))


def test_hosts_of_two_kinds(distant: Distant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distant.agents["b"].supervisor, "name", "libxl")
    distant.b.close()
    (found,) = look(distant.a, distant.b, distant.domid)
    assert (found.host, found.finding.code) == ("host-b", "not-supported")
    with pytest.raises(NotSupported, match="runs domains with libxl, the source with fake"):
        migrate(distant.a, distant.b, distant.domid)
    assert distant.running() == "a"


@pytest.mark.parametrize("lost", ["a", "b"])
def test_connections_that_come_back_are_used_at_once(
    distant: Distant, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    """The client settles it itself: nobody has to come and do it by hand."""
    original = Host.accept_restored

    def cut(self: Host, *args: object, **kwargs: object) -> object:
        monkeypatch.setattr(Host, "accept_restored", original)
        distant.restart(lost)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Host, "accept_restored", cut)
    if lost == "a":
        migrate(distant.a, distant.b, distant.domid)
        assert (distant.running(), distant.left()) == ("b", "b")
    else:
        with pytest.raises(XlError, match="the migration failed, the domain runs on at host-a"):
            migrate(distant.a, distant.b, distant.domid)
        assert (distant.running(), distant.left()) == ("a", "a")


def test_a_target_that_does_not_answer_leaves_it_undecided(
    distant: Distant, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Host.accept_restored

    def cut(self: Host, *args: object, **kwargs: object) -> object:
        distant.agents["b"].kill()
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Host, "accept_restored", cut)
    with pytest.raises(Interrupted) as raised:
        migrate(distant.a, distant.b, distant.domid)
    assert raised.value.hint == "when both hosts can be reached: xlpy -H host-a migrate --resume web host-b"
    assert distant.running() == ""
    with pytest.raises(ConnectError):
        distant.settle()
    assert distant.running() == ""
    distant.agents["b"] = distant.start("b")
    assert distant.settle() == "absent"
    assert distant.running() == "a"


def test_only_the_host_it_was_sent_to_is_believed(distant: Distant, tmp_path: Path) -> None:
    cut_off(distant, "accept_restored", before=False)
    other = InProcessHost(FakeEngine(), tmp_path / "other", "host-other")
    try:
        with pytest.raises(UsageError, match="is not the host that domain 'web' was sent to"):
            settle(distant.client("a"), other.connect(), distant.transfer())
    finally:
        other.close()
    assert distant.running() == "b"


def test_giving_up_while_it_arrives(distant: Distant) -> None:
    """Another client has the target give up; the one that leads is told, and the source runs on."""
    asked: list[str] = []

    def give_up() -> None:
        transfer = distant.transfer()
        eventually(lambda: bool(distant.client("b").list_transfers()))
        asked.append(distant.client("b").give_up_restored(transfer.transfer_id))

    distant.while_leaving(give_up)
    with pytest.raises(Aborted, match="was called off by another client; the domain runs on at host-a"):
        migrate(distant.a, distant.b, distant.domid)
    assert asked == ["absent"]
    eventually(lambda: (distant.running(), distant.left()) == ("a", "a"))


def test_calling_off_while_it_leaves(distant: Distant) -> None:
    distant.while_leaving(lambda: distant.client("a").abort_transfer(distant.domid))
    with pytest.raises(Aborted, match="was called off by another client; the domain runs on at host-a"):
        migrate(distant.a, distant.b, distant.domid)
    eventually(lambda: (distant.running(), distant.left()) == ("a", "a"))
    migrate(distant.a, distant.b, distant.domid)
    assert (distant.running(), distant.left()) == ("b", "b")


def test_calling_off_what_has_been_sent(distant: Distant) -> None:
    """Then it is the target's to say."""
    cut_off(distant, "accept_restored", before=False)
    eventually(lambda: not distant.transfer().led)
    with pytest.raises(InvalidState, match="whether it runs at host-b is up to that host"):
        distant.client("a").abort_transfer(distant.domid)
    assert distant.settle() == "accepted"


@pytest.mark.parametrize("outcome", ["accepted", "absent", "lost"])
def test_an_outcome_is_for_its_own_transfer(distant: Distant, outcome: str) -> None:
    cut_off(distant, "accept_restored", before=True)
    eventually(lambda: distant.left() == "a")
    client = distant.client("a")
    with pytest.raises(InvalidState, match="waits for the outcome of this transfer"):
        client.settle_transfer("another", outcome)
    with pytest.raises(UsageError):
        client.settle_transfer(distant.transfer().transfer_id, "maybe")
    assert distant.running() == ""


def test_unsettled_migrations_are_in_the_events(distant: Distant) -> None:
    cut_off(distant, "accept_restored", before=False)
    eventually(lambda: not distant.transfer().led)

    def said() -> list[str]:
        events = distant.agents["a"].supervisor.list_events()
        return [event.detail or "" for event in events if event.result == "unsettled"]

    eventually(lambda: bool(said()))
    assert "it stands still here until it is known whether it runs at host-b" in said()[0]
    assert "'xlpy migrate --resume web host-b' asks" in said()[0]


def test_both_sides_tell_about_it(distant: Distant) -> None:
    seen: dict[str, Transfer] = {}

    def look() -> None:
        for name in distant.agents:
            eventually(lambda name=name: bool(distant.client(name).list_transfers()))
            (seen[name],) = distant.client(name).list_transfers()

    distant.while_leaving(look)
    migrate(distant.a, distant.b, distant.domid)
    assert (seen["a"].side, seen["a"].state, seen["a"].peer.name, seen["a"].led) == (
        "source", "saving", "host-b", True,
    )  # fmt: skip
    assert (seen["b"].side, seen["b"].state, seen["b"].peer.name) == ("target", "incoming", "host-a")
    assert seen["a"].transfer_id == seen["b"].transfer_id
