"""kill -9 of a QEMU at each stage of a migration, a save and a restore: at most one copy runs, and the message says where.

The command line is run as a user would; both hosts are agents of this process over the QEMU engine.
"""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_line import Result
from domain_configs import PVH
from eventually import eventually
from fake_daemon import FakeDaemon
from in_process import InProcessHost
from live_guest import LiveGuest, guest_config
from sample_configs import tiny

from xlpy.agent.domain_record import Phase
from xlpy.cli.main import run
from xlpy.client.host import Host
from xlpy.client.save import save_to_file
from xlpy.client.save_target import SaveTarget
from xlpy.engine.qemu.engine import QemuEngine
from xlpy.engine.qemu.files import DomainFiles, domids_with_files
from xlpy.engine.qemu.runtime_record import read_record
from xlpy.errors import Interrupted
from xlpy.model.domain import ActionOnShutdown, ShutdownReason

pytestmark = pytest.mark.qemu

SLOWLY = "--bandwidth=1k"
# Even of zeros, the state of this much memory is more than a pipe holds.
LARGE_KIB = 1 << 20


class Machines:
    """Two hosts over QEMU, ``a`` and ``b``. Unless told otherwise a domain that crashes is preserved."""

    def __init__(self, place: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self._place = place
        self._capfd = capfd
        self.agents = {name: self._start(name) for name in "ab"}
        self._clients = {name: agent.connect() for name, agent in self.agents.items()}

    def _start(self, name: str) -> InProcessHost:
        directory = self._place / name
        directory.mkdir(exist_ok=True)
        engine = QemuEngine(str(directory), str(directory))
        return InProcessHost(engine, directory, f"unix:///test/{name}")

    def engine(self, name: str) -> QemuEngine:
        engine = self.agents[name].engine
        assert isinstance(engine, QemuEngine)
        return engine

    def create(
        self,
        on_crash: ActionOnShutdown = ActionOnShutdown.PRESERVE,
        memory_kib: int = 32 << 10,
        paused: bool = False,
    ) -> int:
        config = tiny("web", memory_kib=memory_kib, on_crash=on_crash)
        return self._clients["a"].create_domain(config, paused)

    def call(self, *words: str) -> Result:
        """Run xlpy on a; the other host's address is unix:///test/b."""
        self._capfd.readouterr()
        status = run(words, "xlpy", open_host=lambda address: self._clients["b" if address else "a"])
        captured = self._capfd.readouterr()
        return Result(status, captured.out, captured.err)

    def migrate(self, *options: str) -> Result:
        return self.call("migrate", *options, "web", "unix:///test/b")

    def lose_client(self) -> None:
        for client in self._clients.values():
            client.close()

    def kill_qemu(self, name: str) -> None:
        """Kill the only QEMU of this host."""
        kill_qemu(self.engine(name).run_dir)

    def in_the_middle(self) -> bool:
        """Whether part of the memory has left a, part of it has not, and b reads it."""
        domains = self.engine("a").domains()
        facts = domains[0].qmp.execute("query-migrate") if domains else {}
        if facts.get("status") != "active" or not facts["ram"]["transferred"]:
            return False
        run_dir = self.engine("b").run_dir
        logs = [Path(DomainFiles(run_dir, domid).events + ".out") for domid in domids_with_files(run_dir)]
        return any(log.exists() and b'{"status": "active"}' in log.read_bytes() for log in logs)

    def running(self) -> str:
        """The hosts where a copy runs, by QEMU's own word."""
        return "".join(
            name
            for name in self.agents
            for domain in self.engine(name).domains()
            if not domain.gone and domain.qmp.execute("query-status")["status"] == "running"
        )

    def remains(self) -> str:
        """The hosts where anything is left: a QEMU, its files or a record."""
        return "".join(
            name
            for name, agent in self.agents.items()
            if agent.supervisor.store.records() or list(domids_with_files(self.engine(name).run_dir))
        )

    def runs_only_at(self, name: str) -> bool:
        records = self.agents[name].supervisor.store.records()
        return (
            self.remains() == name
            and self.running() == name
            and [(record.name, record.phase) for record in records] == [("web", Phase.RUNNING)]
        )

    def preserved_only_at(self, name: str) -> bool:
        """Whether on_crash was applied there, and nothing is left of it elsewhere."""
        records = self.agents[name].supervisor.store.records()
        return (
            self.remains() == name
            and [(record.name, record.phase, record.supervised) for record in records]
            == [("web", Phase.RUNNING, False)]
            and self.agents[name].supervisor.find_domain("web").shutdown_reason is ShutdownReason.CRASH
        )

    def close(self) -> None:
        self.lose_client()
        for name, agent in self.agents.items():
            eventually(
                lambda agent=agent: all(r.phase is Phase.RUNNING for r in agent.supervisor.store.records())
            )
            for domain in self.engine(name).domains():
                agent.supervisor.destroy_domain(domain.domid)
            agent.close()


@pytest.fixture
def machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Machines]:
    monkeypatch.setenv("XLPY_ACCEL", "tcg")
    machines = Machines(tmp_path, capfd)
    yield machines
    machines.close()


def kill_qemu(run_dir: str) -> None:
    """Kill the only QEMU under this directory, and return when it has ended."""
    (domid,) = domids_with_files(run_dir)
    record = read_record(DomainFiles(run_dir, domid))
    assert record is not None
    pidfd = os.pidfd_open(record.pid)
    try:
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        assert select.select([pidfd], [], [], 30)[0], "QEMU doesn't end"
    finally:
        os.close(pidfd)


class ClientKilled(BaseException):
    """The client does nothing any more."""


def before(monkeypatch: pytest.MonkeyPatch, owner: type, operation: str, act: Callable[[], None]) -> None:
    """Do something once, right before this step."""
    original = getattr(owner, operation)
    done: list[bool] = []

    def step(self: object, *args: object, **kwargs: object) -> object:
        if not done:
            done.append(True)
            act()
        return original(self, *args, **kwargs)

    monkeypatch.setattr(owner, operation, step)


def when_sending(machines: Machines, act: Callable[[], None]) -> threading.Thread:
    """Do something in the middle of a transfer."""

    def wait_and_act() -> None:
        eventually(machines.in_the_middle, 60)
        act()

    thread = threading.Thread(target=wait_and_act)
    thread.start()
    return thread


# -- while memory is being transferred


@pytest.mark.parametrize("paused", [False, True], ids=["running", "paused"])
def test_target_killed_in_the_middle(machines: Machines, paused: bool) -> None:
    domid = machines.create(paused=paused)
    killer = when_sending(machines, lambda: machines.kill_qemu("b"))
    result = machines.migrate(SLOWLY)
    killer.join()
    assert result.status == 1
    stays = "is still paused" if paused else "runs on"
    assert f"the migration failed, the domain {stays} at unix:///test/a: " in result.err
    assert "the QEMU that was to have it was killed by signal 9" in result.err
    assert machines.remains() == "a"
    if paused:
        assert machines.engine("a").domain_info(domid).paused
        machines.engine("a").unpause_domain(domid)
    assert machines.runs_only_at("a")
    assert machines.migrate().status == 0, "it can be sent once more"
    assert machines.runs_only_at("b")


def test_source_killed_in_the_middle(machines: Machines) -> None:
    domid = machines.create()
    killer = when_sending(machines, lambda: machines.kill_qemu("a"))
    result = machines.migrate(SLOWLY)
    killer.join()
    assert result.status == 1
    assert result.err.startswith(
        "xlpy: the migration failed, the domain has ended at unix:///test/a and runs nowhere else:"
        f" domain {domid} crashed before its state was complete: its QEMU was killed by signal 9\n"
    )
    eventually(lambda: machines.preserved_only_at("a"))


def test_source_killed_in_the_middle_and_started_anew(machines: Machines) -> None:
    domid = machines.create(ActionOnShutdown.RESTART)
    killer = when_sending(machines, lambda: machines.kill_qemu("a"))
    result = machines.migrate(SLOWLY)
    killer.join()
    assert result.status == 1
    assert "has ended at unix:///test/a" in result.err
    eventually(lambda: machines.runs_only_at("a"))
    assert machines.agents["a"].supervisor.find_domain("web").domid != domid


# -- the state is complete, and not accepted


def test_target_killed_before_it_accepts(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    machines.create()
    before(monkeypatch, Host, "accept_restored", lambda: machines.kill_qemu("b"))
    result = machines.migrate()
    assert result.status == 1
    assert result.err.startswith(
        "xlpy: the migration failed, the domain runs on at unix:///test/a:"
        " domain 'web' died before it could be accepted\n"
    )
    assert machines.runs_only_at("a")


def test_source_killed_before_the_target_accepts(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    machines.create()
    before(monkeypatch, Host, "accept_restored", lambda: machines.kill_qemu("a"))
    result = machines.migrate()
    assert (result.status, result.err) == (0, "")
    assert machines.runs_only_at("b")


def test_the_guest_goes_on_at_the_target_when_the_source_is_killed(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest = LiveGuest(machines.agents["a"].supervisor, guest_config(PVH))
    guest.run("echo kept > /tmp/mark")
    before(monkeypatch, Host, "accept_restored", lambda: machines.kill_qemu("a"))
    assert machines.migrate().status == 0
    there = machines.agents["b"].supervisor
    guest.follow(there, there.find_domain("web").domid)
    assert guest.run("cat /tmp/mark").strip() == "kept"
    guest.hang_up()
    assert machines.runs_only_at("b")


def test_both_killed_before_the_target_accepts(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    machines.create()

    def kill() -> None:
        machines.kill_qemu("a")
        machines.kill_qemu("b")

    before(monkeypatch, Host, "accept_restored", kill)
    result = machines.migrate()
    assert result.status == 1
    assert "the domain has ended at unix:///test/a and runs nowhere else" in result.err
    eventually(lambda: machines.preserved_only_at("a"))


def test_source_and_client_killed_before_the_target_accepts(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The target gives up what the lost client hasn't had accepted; what the source takes back is a crashed domain."""
    machines.create()

    def kill() -> None:
        machines.kill_qemu("a")
        machines.lose_client()
        raise ClientKilled

    before(monkeypatch, Host, "accept_restored", kill)
    with pytest.raises(ClientKilled):
        machines.migrate()
    eventually(lambda: machines.preserved_only_at("a"))
    said = [event for event in machines.agents["a"].supervisor.list_events() if "take back" in event.what]
    assert [event.result for event in said] == ["invalid-state"]
    assert "has crashed while it stood still" in (said[0].detail or "")


# -- accepted


def test_target_killed_while_it_accepts(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    """The moment of handing over is past: it is the target's crash."""
    machines.create()
    before(monkeypatch, QemuEngine, "accept_restored", lambda: machines.kill_qemu("b"))
    result = machines.migrate()
    assert result.status == 1
    assert "the domain is at unix:///test/b now, but did not come up: domain 'web' has crashed" in result.err
    eventually(lambda: machines.preserved_only_at("b"))


def test_target_killed_after_it_accepted(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    machines.create()
    before(monkeypatch, Host, "destroy_domain", lambda: machines.kill_qemu("b"))
    result = machines.migrate()
    assert result.status == 1
    assert "the domain moved to unix:///test/b, but has ended there already" in result.err
    eventually(lambda: machines.preserved_only_at("b"))


def test_source_killed_after_the_target_accepted(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    machines.create()
    before(monkeypatch, Host, "destroy_domain", lambda: machines.kill_qemu("a"))
    assert machines.migrate().status == 0
    assert machines.runs_only_at("b")


def test_source_and_client_killed_after_the_target_accepted(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    machines.create()

    def kill() -> None:
        machines.kill_qemu("a")
        machines.lose_client()
        raise ClientKilled

    before(monkeypatch, Host, "destroy_domain", kill)
    with pytest.raises(ClientKilled):
        machines.migrate()
    eventually(lambda: machines.runs_only_at("b"))


# -- to a file, and back


def test_killed_in_the_middle_of_a_save(
    machines: Machines, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    domid = machines.create(memory_kib=LARGE_KIB)
    before(monkeypatch, SaveTarget, "take_from", lambda: machines.kill_qemu("a"))
    (tmp_path / "saved").mkdir()
    result = machines.call("save", "web", str(tmp_path / "saved/web"))
    assert result.status == 1
    assert (
        f"domain {domid} crashed before its state was complete: its QEMU was killed by signal 9" in result.err
    )
    assert os.listdir(tmp_path / "saved") == []
    eventually(lambda: machines.preserved_only_at("a"))


def test_killed_in_the_middle_of_a_save_with_its_xlpyd(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The next xlpyd finds a domain that was being saved, and that nothing can take back."""
    monkeypatch.setenv("XLPY_ACCEL", "tcg")
    daemon = FakeDaemon(tmp_path / "run", ("-m", "xlpy.agent.xlpyd"))
    daemon.start()
    host = daemon.connect()

    def kill_both() -> None:
        daemon.kill()
        kill_qemu(str(daemon.run_dir))

    try:
        domid = host.create_domain(tiny("web", memory_kib=LARGE_KIB, on_crash=ActionOnShutdown.PRESERVE))
        before(monkeypatch, SaveTarget, "take_from", kill_both)
        with pytest.raises(Interrupted):
            save_to_file(host, domid, str(tmp_path / "web"))
        assert not (tmp_path / "web").exists()
        daemon.start()
        eventually(lambda: [e for e in host.list_events() if e.detail == "crash: preserve"])
        info = host.find_domain("web")
        assert (info.shutdown_reason, info.activity) == (ShutdownReason.CRASH, None)
        host.destroy_domain(domid)
    finally:
        host.close()
        daemon.kill()


def test_killed_after_it_was_saved(
    machines: Machines, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machines.create()
    before(monkeypatch, SaveTarget, "finish", lambda: machines.kill_qemu("a"))
    assert machines.call("save", "web", str(tmp_path / "web")).status == 0
    assert machines.remains() == ""
    assert machines.call("restore", str(tmp_path / "web")).status == 0
    assert machines.runs_only_at("a")


def test_killed_after_it_was_saved_to_run_on(
    machines: Machines, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machines.create()
    before(monkeypatch, SaveTarget, "finish", lambda: machines.kill_qemu("a"))
    result = machines.call("save", "-c", "web", str(tmp_path / "web"))
    assert result.status == 1
    assert (
        f"{tmp_path}/web is complete, but the domain does not go on: domain 'web' has crashed" in result.err
    )
    eventually(lambda: machines.preserved_only_at("a"))
    assert machines.call("destroy", "web").status == 0
    assert machines.call("restore", str(tmp_path / "web")).status == 0
    assert machines.runs_only_at("a")


def test_killed_before_it_is_accepted_from_a_file(
    machines: Machines, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machines.create()
    assert machines.call("save", "web", str(tmp_path / "web")).status == 0
    before(monkeypatch, Host, "accept_restored", lambda: machines.kill_qemu("a"))
    result = machines.call("restore", str(tmp_path / "web"))
    assert result.status == 1
    assert "domain 'web' died before it could be accepted" in result.err
    assert machines.remains() == ""
    assert machines.call("restore", str(tmp_path / "web")).status == 0
    assert machines.runs_only_at("a")
