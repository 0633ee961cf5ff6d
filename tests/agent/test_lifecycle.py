"""What becomes of ended domains: every action for every reason, and what a restart keeps."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
from eventually import eventually
from fake_engine import FakeEngine
from in_process import InProcessHost
from sample_configs import tiny, with_devices

from xlpy.agent import lifecycle
from xlpy.agent.lifecycle import action_for
from xlpy.client.host import Host
from xlpy.engine.base import Engine
from xlpy.errors import DomainExists, EngineError
from xlpy.model.domain import ActionOnShutdown, DomainInfo, ShutdownReason
from xlpy.model.domain_config import DiskConfig, DomainConfig

ON = {
    ShutdownReason.POWEROFF: "on_poweroff",
    ShutdownReason.REBOOT: "on_reboot",
    ShutdownReason.CRASH: "on_crash",
    ShutdownReason.WATCHDOG: "on_watchdog",
}


@pytest.fixture(autouse=True)
def no_pause_between_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "SHORTEST_LIFE_S", 0.0)


def named(host: Host, name: str) -> DomainInfo | None:
    return next((info for info in host.list_domains() if info.name == name), None)


def start(host: Host, reason: ShutdownReason, action: ActionOnShutdown) -> int:
    """A domain that does this for that reason, and something else for all others."""
    other = ActionOnShutdown.PRESERVE if action is not ActionOnShutdown.PRESERVE else ActionOnShutdown.DESTROY
    changes = dict.fromkeys(ON.values(), other)
    changes[ON[reason]] = action
    return host.create_domain(tiny("web", **changes))


@pytest.mark.parametrize("reason", ON, ids=lambda reason: reason.value)
def test_destroy(host: Host, fake: FakeEngine, reason: ShutdownReason) -> None:
    fake.end(start(host, reason, ActionOnShutdown.DESTROY), reason)
    eventually(lambda: named(host, "web") is None)


@pytest.mark.parametrize("reason", ON, ids=lambda reason: reason.value)
def test_restart(host: Host, fake: FakeEngine, reason: ShutdownReason) -> None:
    domid = start(host, reason, ActionOnShutdown.RESTART)
    uuid = host.domain_info(domid).uuid
    fake.end(domid, reason)
    eventually(lambda: (info := named(host, "web")) and info.running and info.domid != domid)
    again = host.find_domain("web")
    assert again.uuid == uuid
    assert again.domid == domid + 1
    assert [info.domid for info in host.list_domains()] == [0, again.domid]


def test_soft_reset(host: Host, fake: FakeEngine) -> None:
    domid = host.create_domain(tiny("web"))
    for count in (1, 2):
        fake.end(domid, ShutdownReason.SOFT_RESET)
        eventually(lambda: not host.domain_info(domid).shutdown)
        assert fake.soft_resets == [domid] * count
    assert [info.domid for info in host.list_domains()] == [0, domid]
    assert host.list_events()[-1].what == "soft reset"


def test_soft_reset_is_a_restart_where_there_is_none(
    host: Host, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeEngine, "soft_reset_domain", Engine.soft_reset_domain)
    domid = host.create_domain(tiny("web"))
    fake.end(domid, ShutdownReason.SOFT_RESET)
    eventually(lambda: (info := named(host, "web")) and info.running and info.domid == domid + 1)


def test_soft_reset_that_fails(host: Host, fake: FakeEngine) -> None:
    domid = host.create_domain(tiny("web"))
    fake.fail_next("soft_reset_domain", EngineError("no"))
    fake.end(domid, ShutdownReason.SOFT_RESET)
    eventually(lambda: named(host, "web") is None)
    eventually(
        lambda: [event.result for event in host.list_events() if event.what == "soft reset"] == ["engine"]
    )


@pytest.mark.parametrize("reason", ON, ids=lambda reason: reason.value)
def test_preserve(agent: InProcessHost, host: Host, fake: FakeEngine, reason: ShutdownReason) -> None:
    domid = start(host, reason, ActionOnShutdown.PRESERVE)
    fake.end(domid, reason)
    eventually(lambda: not agent.supervisor.store.by_domid(domid).supervised)
    assert host.domain_info(domid).shutdown_reason is reason
    host.destroy_domain(domid)


@pytest.mark.parametrize("reason", ON, ids=lambda reason: reason.value)
def test_rename_restart(host: Host, fake: FakeEngine, reason: ShutdownReason) -> None:
    domid = start(host, reason, ActionOnShutdown.RESTART_RENAME)
    uuid = host.domain_info(domid).uuid
    fake.end(domid, reason)
    eventually(lambda: (info := named(host, "web")) and info.running and info.domid != domid)
    left = host.domain_info(domid)
    assert left.shutdown
    assert re.fullmatch(r"web-\d{8}T\d{4}Z", left.name or "")
    assert left.uuid != uuid
    assert host.find_domain("web").uuid == uuid
    host.destroy_domain(domid)
    assert named(host, "web")


def test_two_rename_restarts_in_a_minute(host: Host, fake: FakeEngine) -> None:
    for _ in range(2):
        domid = (
            start(host, ShutdownReason.CRASH, ActionOnShutdown.RESTART_RENAME)
            if named(host, "web") is None
            else host.find_domain("web").domid
        )
        fake.end(domid, ShutdownReason.CRASH)
        eventually(lambda ended=domid: (info := named(host, "web")) and info.running and info.domid != ended)
    assert len(host.list_domains()) == 4


@pytest.mark.parametrize("restarts", [False, True])
def test_coredump_first(host: Host, fake: FakeEngine, tmp_path: Path, restarts: bool) -> None:
    action = ActionOnShutdown.COREDUMP_RESTART if restarts else ActionOnShutdown.COREDUMP_DESTROY
    domid = start(host, ShutdownReason.CRASH, action)
    fake.end(domid, ShutdownReason.CRASH)
    eventually(lambda: domid not in fake.guests and bool(named(host, "web")) is restarts)
    (core,) = (tmp_path / "state" / "dump").iterdir()
    assert core.name.startswith("web-")
    assert core.read_bytes().startswith(b"\x7fELF")
    assert core.stat().st_mode & 0o777 == 0o600


def test_coredump_that_fails_holds_nothing_up(host: Host, fake: FakeEngine) -> None:
    domid = start(host, ShutdownReason.CRASH, ActionOnShutdown.COREDUMP_RESTART)
    fake.fail_next("dump_core", EngineError("no room"))
    fake.end(domid, ShutdownReason.CRASH)
    eventually(lambda: (info := named(host, "web")) and info.domid != domid)
    assert any(event.what == "dump-core" and event.detail == "no room" for event in host.list_events())


def test_suspend_is_no_end() -> None:
    assert action_for(tiny("a"), ShutdownReason.SUSPEND) is None
    assert action_for(tiny("a"), ShutdownReason.UNKNOWN) is ActionOnShutdown.DESTROY


def test_unsupervised_domain_is_left_alone(agent: InProcessHost, host: Host, fake: FakeEngine) -> None:
    domid = host.create_domain(tiny("web"), supervised=False)
    fake.end(domid, ShutdownReason.REBOOT)
    other = host.create_domain(tiny("other"))
    fake.end(other, ShutdownReason.POWEROFF)
    eventually(lambda: named(host, "other") is None)  # rules are applied, but not to the first
    assert host.domain_info(domid).shutdown


def test_restart_keeps_what_was_plugged_in(host: Host, fake: FakeEngine) -> None:
    domid = host.create_domain(with_devices("web"))
    plugged = host.domain_config(domid)
    plugged = plugged.replace(disks=(*plugged.disks, DiskConfig(vdev="xvdb", pdev_path="/dev/zero")))
    fake.update_config(domid, plugged)
    fake.end(domid, ShutdownReason.REBOOT)
    eventually(lambda: (info := named(host, "web")) and info.domid != domid)
    assert [disk.vdev for disk in host.list_disks(host.find_domain("web").domid)] == ["xvda", "xvdb"]


def test_restart_uses_an_updated_configuration_once_and_the_domains_own_name(
    host: Host, fake: FakeEngine
) -> None:
    domid = host.create_domain(tiny("web"))
    host.rename_domain(domid, "www")
    host.update_config(domid, tiny("ignored", memory_kib=64 << 10), "memory = 64\n")
    assert host.domain_info(domid).max_memory_kib == 32 << 10
    fake.end(domid, ShutdownReason.REBOOT)
    eventually(lambda: (info := named(host, "www")) and info.domid != domid)
    again = host.find_domain("www")
    assert again.max_memory_kib == 64 << 10
    assert host.describe_domain(again.domid).config_text == "memory = 64\n"


def test_restart_that_fails_leaves_nothing_and_says_so(host: Host, fake: FakeEngine) -> None:
    domid = host.create_domain(tiny("web"))
    fake.fail_next("create_domain", EngineError("no kernel"))
    fake.end(domid, ShutdownReason.REBOOT)
    eventually(lambda: any(event.what == "restart" for event in host.list_events()))
    event = next(event for event in host.list_events() if event.what == "restart")
    assert (event.result, event.detail) == ("engine", "no kernel")
    assert named(host, "web") is None
    host.create_domain(tiny("web"))


def test_domain_that_ends_again_while_it_is_restarted(host: Host, fake: FakeEngine) -> None:
    """The guest powers off before the restart is even over: that end counts too."""
    domid = host.create_domain(tiny("web"))
    create = fake.create_domain

    def create_and_end(config: DomainConfig, *args: object, **kwargs: object) -> int:
        created = create(config, *args, **kwargs)  # type: ignore[arg-type]
        fake.end(created, ShutdownReason.POWEROFF)
        return created

    fake.create_domain = create_and_end  # type: ignore[method-assign]
    fake.end(domid, ShutdownReason.REBOOT)
    eventually(lambda: named(host, "web") is None)


def test_domain_that_dies_at_once_waits_and_can_be_destroyed_meanwhile(
    host: Host, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "SHORTEST_LIFE_S", 3600.0)
    domid = host.create_domain(tiny("web"))
    fake.end(domid, ShutdownReason.REBOOT)
    assert host.domain_info(domid).shutdown
    host.destroy_domain(domid)
    assert [info.domid for info in host.list_domains()] == [0]


def test_many_reboot_at_once(host: Host, fake: FakeEngine) -> None:
    domids = [host.create_domain(tiny(f"d{number}")) for number in range(20)]
    ends = [threading.Thread(target=fake.end, args=(domid, ShutdownReason.REBOOT)) for domid in domids]
    for end in ends:
        end.start()
    for end in ends:
        end.join(20)
    eventually(lambda: not set(domids) & {info.domid for info in host.list_domains()})
    eventually(lambda: sum(info.running for info in host.list_domains()) == 21)
    assert {info.name for info in host.list_domains()} == {"Domain-0", *(f"d{n}" for n in range(20))}


class TestOthersOnTheHost:
    """Where xl is used as well: what it has done to a domain of ours counts when that is started anew."""

    @pytest.fixture(autouse=True)
    def shared(self, fake: FakeEngine) -> None:
        fake.shared = True

    def test_a_name_that_others_gave(self, agent: InProcessHost, host: Host, fake: FakeEngine) -> None:
        domid = start(host, ShutdownReason.REBOOT, ActionOnShutdown.RESTART)
        fake.guests[domid].change(name="db")
        fake.end(domid, ShutdownReason.REBOOT)
        eventually(lambda: (info := named(host, "db")) and info.running and info.domid != domid)
        assert [record.name for record in agent.supervisor.store.records()] == ["db"]

    def test_a_name_that_others_freed(self, host: Host, fake: FakeEngine) -> None:
        fake.guests[start(host, ShutdownReason.REBOOT, ActionOnShutdown.RESTART)].change(name="db")
        assert host.domain_info(host.create_domain(tiny("web"))).name == "web"
        with pytest.raises(DomainExists):
            host.create_domain(tiny("db"))

    def test_a_configuration_that_others_left(self, host: Host, fake: FakeEngine) -> None:
        domid = start(host, ShutdownReason.REBOOT, ActionOnShutdown.RESTART)
        fake.left[domid] = tiny("web", memory_kib=64 << 10)
        fake.end(domid, ShutdownReason.REBOOT)
        eventually(lambda: (info := named(host, "web")) and info.running and info.domid != domid)
        assert host.domain_config(host.find_domain("web").domid).b_info.max_memkb == 64 << 10

    def test_a_later_configuration_of_ours_counts(self, host: Host, fake: FakeEngine) -> None:
        domid = start(host, ShutdownReason.REBOOT, ActionOnShutdown.RESTART)
        fake.left[domid] = tiny("web", memory_kib=64 << 10)
        host.update_config(domid, tiny("web", memory_kib=48 << 10))
        fake.end(domid, ShutdownReason.REBOOT)
        eventually(lambda: (info := named(host, "web")) and info.running and info.domid != domid)
        assert host.domain_config(host.find_domain("web").domid).b_info.max_memkb == 48 << 10
