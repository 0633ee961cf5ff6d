"""Names, uuids, domids, and who may do what when: the real agent over the fake engine."""

from __future__ import annotations

import os
import select
import threading

import pytest
from eventually import eventually
from fake_engine import FakeEngine
from in_process import InProcessHost
from sample_configs import tiny

from xlpy.client.host import Host
from xlpy.errors import (
    ConfigError,
    DomainExists,
    DomainNotFound,
    EngineError,
    InvalidState,
    NotEnoughMemory,
)
from xlpy.model.domain import DomainEnd, ShutdownReason

UUID = "11111111-2222-3333-4444-555555555555"


def names(host: Host) -> list[str | None]:
    return [info.name for info in host.list_domains()]


def test_domids_count_up_and_are_not_used_again_soon(host: Host) -> None:
    first = host.create_domain(tiny("a"))
    host.destroy_domain(first)
    assert host.create_domain(tiny("b")) == first + 1


def test_domids_begin_anew_after_the_last(agent: InProcessHost, host: Host) -> None:
    agent.supervisor.store.exchange_fact("last domid", "32751")
    assert host.create_domain(tiny("a")) == 1
    agent.supervisor.store.exchange_fact("last domid", "32751")
    assert host.create_domain(tiny("b")) == 2


def test_domid_can_be_asked_for(host: Host) -> None:
    config = tiny("a")
    config = config.replace(c_info=config.c_info.replace(domid=77))
    assert host.create_domain(config) == 77
    other = config.replace(c_info=config.c_info.replace(name="b"))
    with pytest.raises(DomainExists, match="77"):
        host.create_domain(other)


def test_uuid_is_made_up_or_kept(host: Host) -> None:
    domid = host.create_domain(tiny("a"))
    assert len(host.domain_info(domid).uuid) == 36
    assert host.domain_info(host.create_domain(tiny("b", uuid=UUID))).uuid == UUID


@pytest.mark.parametrize("second", [tiny("web"), tiny("other", uuid=UUID)], ids=["name", "uuid"])
def test_name_and_uuid_are_unique(host: Host, second: object) -> None:
    host.create_domain(tiny("web", uuid=UUID))
    with pytest.raises(DomainExists, match="exists already"):
        host.create_domain(second)  # type: ignore[arg-type]
    assert names(host) == ["Domain-0", "web"]


def test_of_many_simultaneous_creates_of_one_name_one_succeeds(agent: InProcessHost) -> None:
    outcomes: list[object] = []
    start = threading.Barrier(8)

    def create(host: Host) -> None:
        start.wait(10)
        try:
            outcomes.append(host.create_domain(tiny("web")))
        except DomainExists:
            outcomes.append(None)

    threads = [threading.Thread(target=create, args=(agent.connect(),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(outcomes) == 8
    assert sum(outcome is not None for outcome in outcomes) == 1
    assert names(agent.connect()) == ["Domain-0", "web"]


def test_failed_creation_leaves_nothing(host: Host, fake: FakeEngine) -> None:
    fake.fail_next("create_domain", EngineError("no"))
    with pytest.raises(EngineError):
        host.create_domain(tiny("web"))
    with pytest.raises(NotEnoughMemory):
        host.create_domain(tiny("web", memory_kib=1 << 30))
    assert names(host) == ["Domain-0"]
    host.create_domain(tiny("web"))


def test_a_domain_needs_a_name(host: Host) -> None:
    config = tiny("x")
    with pytest.raises(ConfigError):
        host.create_domain(config.replace(c_info=config.c_info.replace(name=None)))


def test_domain_0_is_no_name_and_not_destroyed(host: Host) -> None:
    with pytest.raises(DomainExists):
        host.create_domain(tiny("Domain-0"))
    with pytest.raises(InvalidState):
        host.destroy_domain(0)


@pytest.mark.parametrize("name", ["web", "0x1", "größe", "a b", "caf\udce9", "007x"])
def test_find_by_name_byte_for_byte(host: Host, name: str) -> None:
    domid = host.create_domain(tiny(name))
    assert host.find_domain(name).domid == domid
    assert host.find_domain(str(domid)).name == name
    assert host.find_domain(host.domain_info(domid).uuid).domid == domid
    with pytest.raises(DomainNotFound, match=" is an invalid domain identifier"):
        host.find_domain(name.upper() + "?")


def test_a_wrong_name_gets_a_hint(host: Host) -> None:
    host.create_domain(tiny("webserver"))
    for reference, hint in (("webservr", "did you mean webserver?"), ("7", "see the domains: xlpy list")):
        with pytest.raises(DomainNotFound) as caught:
            host.find_domain(reference)
        assert caught.value.hint == hint


def test_digits_are_a_domid_even_if_a_name_has_them(host: Host) -> None:
    domid = host.create_domain(tiny("99"))
    with pytest.raises(DomainNotFound, match=r"^99 is an invalid domain identifier$"):
        host.find_domain("99")
    assert host.find_domain(f"{domid:03}").domid == domid


def test_rename(host: Host, fake: FakeEngine) -> None:
    web, db = host.create_domain(tiny("web")), host.create_domain(tiny("db"))
    with pytest.raises(DomainExists):
        host.rename_domain(web, "db")
    host.rename_domain(web, "www")
    assert host.find_domain("www").domid == web
    assert host.domain_config(web).c_info.name == "www"
    fake.fail_next("rename_domain", EngineError("no"))
    with pytest.raises(EngineError):
        host.rename_domain(db, "sql")
    assert host.find_domain("db").domid == db
    host.create_domain(tiny("sql"))


def test_destroy_twice(host: Host) -> None:
    domid = host.create_domain(tiny("web"))
    host.destroy_domain(domid)
    with pytest.raises(DomainNotFound):
        host.destroy_domain(domid)


def test_destroy_that_fails_can_be_tried_again(host: Host, fake: FakeEngine) -> None:
    domid = host.create_domain(tiny("web"))
    fake.fail_next("destroy_domain", EngineError("stuck"))
    with pytest.raises(EngineError):
        host.destroy_domain(domid)
    assert host.domain_info(domid).dying
    host.destroy_domain(domid)
    assert names(host) == ["Domain-0"]


def test_events_tell_who_did_what_and_how_it_went(host: Host) -> None:
    domid = host.create_domain(tiny("web"))
    host.domain_info(domid)
    with pytest.raises(DomainExists):
        host.create_domain(tiny("web"))
    host.destroy_domain(domid)
    events = host.list_events()
    assert [(event.what, event.domid, event.name, event.result) for event in events] == [
        ("create-domain", domid, "web", "ok"),
        ("create-domain", None, None, "domain-exists"),
        ("destroy-domain", domid, "web", "ok"),
    ]
    assert {event.who for event in events} == {str(os.getuid())}
    assert host.list_events(after_id=events[0].id) == events[1:]
    assert host.list_events(limit=1) == events[2:]


# -- waiting for ends


@pytest.mark.parametrize("destroyed", [False, True])
def test_wait_returns_at_once_for_what_is_gone(host: Host, destroyed: bool) -> None:
    end = host.wait_domain_end((99,), destroyed=destroyed)
    assert end == DomainEnd(domid=99, reason=ShutdownReason.UNKNOWN, destroyed=True)


def test_wait_for_the_first_to_end(agent: InProcessHost, fake: FakeEngine) -> None:
    host = agent.connect()
    domids = tuple(host.create_domain(tiny(name), supervised=False) for name in ("a", "b"))
    call = agent.connect().begin("wait_domain_end", domids=domids)
    assert not select.select([call], [], [], 0)[0]
    fake.end(domids[1], ShutdownReason.POWEROFF)
    assert call.result() == DomainEnd(domid=domids[1], reason=ShutdownReason.POWEROFF)


def test_wait_until_destroyed_isnt_content_with_an_end(agent: InProcessHost, fake: FakeEngine) -> None:
    host = agent.connect()
    domid = host.create_domain(tiny("a"), supervised=False)
    call = agent.connect().begin("wait_domain_end", domids=(domid,), destroyed=True)
    fake.end(domid, ShutdownReason.CRASH)
    assert host.domain_info(domid).shutdown
    host.destroy_domain(domid)
    assert call.result() == DomainEnd(domid=domid, reason=ShutdownReason.CRASH, destroyed=True)


def test_client_that_waits_no_longer_frees_its_thread(agent: InProcessHost) -> None:
    host = agent.connect()
    domid = agent.connect().create_domain(tiny("a"))
    host.begin("wait_domain_end", domids=(domid,))
    host.close()
    eventually(lambda: not agent.supervisor.ends._watches)
