"""A new xlpyd over the same engine and the same records: whatever was under way is finished or undone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from eventually import eventually
from fake_engine import FakeEngine
from in_process import InProcessHost
from sample_configs import tiny

from xlpy.agent import adoption, lifecycle
from xlpy.agent.domain_record import DomainRecord, Phase
from xlpy.agent.store import Store
from xlpy.model.domain import ActionOnShutdown, DomainInfo, ShutdownReason
from xlpy.model.domain_config import DomainConfig
from xlpy.model.migration import Peer

UUID = "11111111-2222-3333-4444-555555555555"


@pytest.fixture(autouse=True)
def no_pause_between_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "SHORTEST_LIFE_S", 0.0)


class Machine:
    """An engine and records on which xlpyds come and go."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.fake = FakeEngine()
        self.agents: list[InProcessHost] = []

    def leave(
        self, phase: Phase, in_engine: bool, config: DomainConfig | None = None, **fields: object
    ) -> None:
        """What a killed xlpyd has left behind: a record, and maybe a domain."""
        config = config or tiny("web")
        domid = 5
        if in_engine:
            identity = config.c_info.replace(domid=domid, uuid=UUID)
            self.fake.create_domain(config.replace(c_info=identity))
        self.place.mkdir(exist_ok=True)
        store = Store(str(self.place / "xlpyd.db"))
        store.adopt(
            DomainRecord(uuid=UUID, domid=domid, name="web", phase=phase, config=config, **fields)  # type: ignore[arg-type]
        )
        store.close()

    def start(self) -> InProcessHost:
        """The next xlpyd."""
        agent = InProcessHost(self.fake, self.place)
        self.agents.append(agent)
        return agent

    def domids(self) -> list[int]:
        return [domid for domid in self.fake.guests if domid]

    def records(self) -> list[tuple[int, Phase]]:
        return [(record.domid, record.phase) for record in self.agents[-1].supervisor.store.records()]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path / "state")
    yield machine
    for agent in machine.agents:
        agent.close()


@pytest.mark.parametrize("in_engine", [False, True])
@pytest.mark.parametrize("phase", [Phase.CREATING, Phase.DESTROYING, Phase.INCOMING])
def test_undone(machine: Machine, phase: Phase, in_engine: bool) -> None:
    machine.leave(phase, in_engine)
    machine.start()
    assert machine.domids() == []
    assert machine.records() == []


def test_running_goes_on(machine: Machine) -> None:
    machine.leave(Phase.RUNNING, True)
    host = machine.start().connect()
    assert host.find_domain("web").domid == 5
    assert host.domain_info(5).running


def test_rules_are_applied_to_an_end_nobody_saw(machine: Machine) -> None:
    machine.leave(Phase.RUNNING, True)
    machine.fake.end(5, ShutdownReason.REBOOT)
    machine.start()
    eventually(lambda: machine.records() == [(1, Phase.RUNNING)] and machine.domids() == [1])


def test_ended_without_supervision_stays(machine: Machine) -> None:
    machine.leave(Phase.RUNNING, True, supervised=False)
    machine.fake.end(5, ShutdownReason.REBOOT)
    machine.start()
    assert machine.domids() == [5]


@pytest.mark.parametrize("restarts", [False, True])
def test_vanished_is_a_crash(machine: Machine, restarts: bool) -> None:
    action = ActionOnShutdown.RESTART if restarts else ActionOnShutdown.DESTROY
    machine.leave(Phase.RUNNING, False, tiny("web", on_crash=action))
    machine.start()
    expected = [(1, Phase.RUNNING)] if restarts else []
    eventually(lambda: machine.records() == expected)
    assert machine.domids() == [domid for domid, _ in expected]


def test_vanished_with_the_host_is_no_crash(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.place.mkdir()
    old_boot = machine.place / "boot"
    old_boot.write_text("before\n")
    monkeypatch.setattr(adoption, "_BOOT_ID", str(old_boot))
    machine.start()
    machine.leave(Phase.RUNNING, False, tiny("web", on_crash=ActionOnShutdown.RESTART))
    old_boot.write_text("after\n")
    host = machine.start().connect()
    assert machine.records() == []
    assert host.list_events()[-1].what == "lost with the host's restart"


@pytest.mark.parametrize("in_engine", [False, True])
def test_restart_goes_on_after_any_step(machine: Machine, in_engine: bool) -> None:
    machine.leave(Phase.RESTARTING, in_engine)
    machine.start()
    assert machine.records() == [(1, Phase.RUNNING)]
    assert machine.domids() == [1]


@pytest.mark.parametrize("in_engine", [False, True])
def test_recreation_is_finished_not_repeated(machine: Machine, in_engine: bool) -> None:
    machine.leave(Phase.RECREATING, in_engine)
    machine.start()
    assert machine.records() == [(5, Phase.RUNNING)]
    assert machine.domids() == [5]


@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize("phase", [Phase.SAVING, Phase.SAVED])
def test_save_is_taken_back(machine: Machine, phase: Phase, paused: bool) -> None:
    machine.leave(phase, True, paused=paused)
    machine.fake.guests[5].saved = True
    host = machine.start().connect()
    assert machine.records() == [(5, Phase.RUNNING)]
    assert host.domain_info(5).paused is paused
    assert not machine.fake.guests[5].saved


@pytest.mark.parametrize(
    ("outcome", "expected"), [("absent", [(5, Phase.RUNNING)]), ("accepted", [])], ids=["absent", "accepted"]
)
def test_sent_domain_is_settled_with_its_peer(
    machine: Machine, tmp_path: Path, outcome: str, expected: list[tuple[int, Phase]]
) -> None:
    peer = InProcessHost(FakeEngine(), tmp_path / "peer", "unix:///test/peer")
    peer.supervisor.store._set_outcome("t1", outcome)
    machine.leave(Phase.SENT, True, receiver=receiver(peer), transfer_id="t1")
    machine.fake.guests[5].saved = True
    machine.start()
    eventually(lambda: machine.records() == expected)
    assert machine.domids() == [domid for domid, _ in expected]
    peer.close()


def receiver(peer: InProcessHost) -> Peer:
    return Peer(name="b", instance=peer.supervisor.instance, address=peer.address)


def test_half_sent_domain_is_taken_back_without_asking(machine: Machine) -> None:
    """Nobody can have been told to accept it."""
    machine.leave(Phase.SAVING, True, receiver=Peer(name="b", instance="of b"), transfer_id="t1")
    machine.fake.guests[5].saved = True
    machine.start()
    assert machine.records() == [(5, Phase.RUNNING)]
    assert not machine.fake.guests[5].saved


def test_sent_domain_stands_still_while_its_peer_is_silent(machine: Machine, tmp_path: Path) -> None:
    peer = InProcessHost(FakeEngine(), tmp_path / "peer", "unix:///test/peer")
    machine.leave(Phase.SENT, True, receiver=receiver(peer), transfer_id="t1")
    peer.kill()
    machine.fake.guests[5].saved = True
    host = machine.start().connect()
    eventually(lambda: any(event.result == "unsettled" for event in host.list_events()))
    stranger = InProcessHost(
        FakeEngine(), tmp_path / "stranger", "unix:///test/peer"
    )  # not the one it was sent to
    assert machine.records() == [(5, Phase.SENT)]
    assert machine.fake.guests[5].saved
    stranger.close()
    peer = InProcessHost(FakeEngine(), tmp_path / "peer", "unix:///test/peer")  # which never heard of it
    eventually(lambda: machine.records() == [(5, Phase.RUNNING)])
    peer.close()


def test_sent_domain_stands_still_where_nobody_can_be_asked(machine: Machine) -> None:
    machine.leave(Phase.SENT, True, receiver=Peer(name="b", instance="of b"), transfer_id="t1")
    machine.fake.guests[5].saved = True
    host = machine.start().connect()
    assert machine.records() == [(5, Phase.SENT)]
    (event,) = [event for event in host.list_events() if event.result == "unsettled"]
    assert "'xlpy migrate --resume web b' asks" in (event.detail or "")
    host.settle_transfer("t1", "absent")
    assert machine.records() == [(5, Phase.RUNNING)]


@pytest.mark.parametrize("paused", [False, True])
def test_accepted_domain_gets_its_name_and_runs(machine: Machine, paused: bool) -> None:
    machine.leave(Phase.ACCEPTED, True, paused=paused)
    machine.fake.guests[5].change(name="web--incoming", paused=True, running=False)
    host = machine.start().connect()
    assert machine.records() == [(5, Phase.RUNNING)]
    assert machine.fake.guests[5].info.name == "web"
    assert host.domain_info(5).paused is paused


def test_rename_that_the_engine_wasnt_told(machine: Machine) -> None:
    machine.leave(Phase.RUNNING, True)
    machine.fake.guests[5].change(name="before")
    machine.start()
    assert machine.fake.guests[5].info.name == "web"


def test_domain_without_a_record_is_kept(machine: Machine) -> None:
    machine.fake.create_domain(tiny("stranger"))
    host = machine.start().connect()
    domid = host.find_domain("stranger").domid
    machine.fake.end(domid, ShutdownReason.POWEROFF)
    eventually(lambda: machine.domids() == [])


@pytest.mark.parametrize("phase", list(Phase), ids=lambda phase: phase.value)
def test_no_phase_is_forgotten(machine: Machine, phase: Phase) -> None:
    """After a start every domain is settled, whatever was being done with it; a second start changes nothing."""
    machine.leave(phase, True)
    machine.fake.guests[5].saved = phase in (Phase.SAVING, Phase.SAVED, Phase.SENT)
    machine.start()
    eventually(lambda: all(phase is Phase.RUNNING for _, phase in machine.records()))
    before = (machine.records(), machine.domids())
    machine.agents.pop().close()
    machine.start()
    assert (machine.records(), machine.domids()) == before


@pytest.mark.parametrize("phase", list(Phase))
def test_domain_of_others_under_the_same_domid_is_left_alone(machine: Machine, phase: Phase) -> None:
    """On a host where others make domains too, ours may be gone and its domid theirs."""
    machine.fake.shared = True
    machine.fake.made_here = lambda domid: False  # type: ignore[method-assign]
    machine.leave(phase, False, transfer_id="t1")
    machine.fake.add(
        DomainInfo(domid=5, uuid="99999999-2222-3333-4444-555555555555", name="theirs", running=True)
    )
    agent = machine.start()
    agent.supervisor.lifecycle.stop()
    assert machine.fake.guests[5].info.name == "theirs"
    assert machine.fake.guests[5].info.running
    assert 5 not in [domid for domid, _ in machine.records()]


def test_domain_of_others_has_no_record(machine: Machine) -> None:
    machine.fake.shared = True
    machine.fake.made_here = lambda domid: domid == 6  # type: ignore[method-assign]
    for domid in (5, 6):
        machine.fake.create_domain(
            tiny(f"d{domid}").replace(c_info=tiny(f"d{domid}").c_info.replace(domid=domid, uuid=f"u{domid}"))
        )
    machine.start()
    assert machine.records() == [(6, Phase.RUNNING)]
