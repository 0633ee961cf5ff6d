"""Options that no other test of commands has, each with what it does."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from changing_world import World, make_lab_host
from command_line import Call
from eventually import eventually
from fake_daemon import FakeDaemon
from sample_configs import tiny
from source_tree import ROOT
from watched_console import watch_console

from xlpy.lab.lab import Lab
from xlpy.model.domain import ShutdownReason

SCRIPTS = {"bash": "xlpy.bash", "zsh": "_xlpy", "fish": "xlpy.fish"}
EXTENDED = '#xlpy: extended\nname = "${name}"\ntype = "pvh"\nmemory = 32\nkernel = "/boot/k"\n'


class Calls:
    """Stands for a function: keeps what it is called with, and returns ``answer``."""

    def __init__(self, answer: object = None) -> None:
        self.seen: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
        self._answer = answer

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.seen.append((args, kwargs))
        return self._answer


# -- global ones


def test_time_and_process_before_messages(world: World) -> None:
    result = world.call("-T", "shutdown", "web")
    assert re.fullmatch(
        rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d \S+ \[{os.getpid()}\] Shutting down domain {world.web}\n",
        result.err,
    )


def test_xls_f_does_nothing(world: World) -> None:
    assert world.call("-f", "domid", "web").out == world.call("domid", "web").out == f"{world.web}\n"


# -- create, start and restore


@pytest.fixture
def ended(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[ShutdownReason], None]:
    """``ended(reason)``: the next domain ends for this reason as soon as it runs."""
    reasons: list[ShutdownReason] = []

    def shorten(name: str) -> None:
        begin = getattr(world.fake, name)

        def short_life(*args: Any, **kwargs: Any) -> Any:
            found = begin(*args, **kwargs)
            if reasons:
                world.fake.end(found if isinstance(found, int) else args[0], reasons.pop())
            return found

        monkeypatch.setattr(world.fake, name, short_life)

    shorten("create_domain")
    shorten("accept_restored")
    return reasons.append


BEGINNINGS = ["create {dir}/new.cfg", "start kept", "restore {dir}/old.save"]
NAMES = dict(zip(BEGINNINGS, ("new", "kept", "old"), strict=True))


def state_of(world: World, name: str) -> Any:
    return next((domain for domain in world.host.list_domains() if domain.name == name), None)


@pytest.mark.parametrize("line", BEGINNINGS)
def test_left_alone(line: str, world: World, ended: Callable[[ShutdownReason], None]) -> None:
    """With -e a domain that reboots is not started anew."""
    ended(ShutdownReason.REBOOT)
    assert world.run(line, "-e").status == 0
    assert state_of(world, NAMES[line]).shutdown


@pytest.mark.parametrize("line", BEGINNINGS)
def test_in_the_foreground(line: str, world: World, ended: Callable[[ShutdownReason], None]) -> None:
    """With -F the command ends with the domain."""
    ended(ShutdownReason.POWEROFF)
    assert world.run(line, "-F").status == 0
    assert state_of(world, NAMES[line]) is None


@pytest.mark.parametrize("line", BEGINNINGS)
def test_with_its_console(line: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With -c the console is there before the domain runs."""
    seen = watch_console(world.fake, monkeypatch)
    assert world.run(line, "-c").status == 0
    assert seen[:2] == ["console of a paused domain", "unpause"]
    assert not state_of(world, NAMES[line]).paused


@pytest.mark.parametrize("line", BEGINNINGS)
@pytest.mark.parametrize(("option", "passed"), [("-V", ""), ("-A", "secret")])
def test_with_its_display(
    option: str, passed: str, line: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With -V a viewer is started, with -A it is given the password, too."""
    viewer, told = world.directory / "viewer", world.directory / "told"
    viewer.write_text(
        f'#!/bin/sh\n[ "$2" = -autopass ] && cat >{told}.new\necho "$@" >>{told}.new\nmv {told}.new {told}\n'
    )
    viewer.chmod(0o755)
    monkeypatch.setenv("VNCVIEWER", str(viewer))
    address = world.fake.vnc_address
    monkeypatch.setattr(world.fake, "vnc_address", lambda domid: address(domid).replace(password="secret"))
    assert world.run(line, option).status == 0
    eventually(told.exists)
    display = f"127.0.0.1:{state_of(world, NAMES[line]).domid}"
    words = f"{display} -autopass" if passed else display
    assert told.read_text().split("\n") == ([f"{passed}{words}", ""] if passed else [words, ""])


def test_restore_tells_the_configuration(world: World) -> None:
    result = world.run("restore -d {dir}/old.save")
    assert result.status == 0
    assert json.loads(result.err)["c_info"]["name"] == "old"


def test_strict(world: World) -> None:
    assert world.run("create --strict {dir}/new.cfg").status == 0
    assert state_of(world, "new") is not None
    text = (world.directory / "old.cfg").read_text()
    (world.directory / "old.cfg").write_text(f"{text}no_such_key = 1\n")
    result = world.run("create --strict {dir}/old.cfg")
    assert (result.status, "no_such_key" in result.err) == (1, True)
    assert state_of(world, "old") is None


# -- files that are named by an option, and what is set in them


@pytest.mark.parametrize("option", ["-f", "--defconfig"])
def test_a_file_by_option(option: str, world: World) -> None:
    directory = str(world.directory)
    assert world.call("define", option, f"{directory}/new.cfg").status == 0
    assert [defined.name for defined in world.host.list_definitions()] == ["kept", "new"]
    assert world.call("cpupool-create", option, f"{directory}/pool.cfg").status == 0
    assert [pool.name for pool in world.fake.pools][-1] == "more"
    assert world.call("config-update", "web", option, f"{directory}/web.cfg", "memory=48").status == 0
    assert memory_after_reboot(world) == 48 << 10


def memory_after_reboot(world: World) -> int:
    """What an updated configuration is for."""
    world.fake.end(world.web, ShutdownReason.REBOOT)
    eventually(lambda: state_of(world, "web") and state_of(world, "web").domid != world.web)
    memory_kib: int = state_of(world, "web").max_memory_kib
    return memory_kib


def test_config_update_tells_what_it_sets(world: World) -> None:
    (world.directory / "ext.cfg").write_text(EXTENDED.replace("32", "40"))
    result = world.run("config-update -d --set name=web web {dir}/ext.cfg")
    assert result.status == 0
    assert json.loads(result.out)["config"]["b_info"]["max_memkb"] == 40 << 10
    assert result.err == f"setting dom{world.web} configuration\n"
    assert world.run("config-update -q web {dir}/web.cfg memory=44").out == ""
    assert memory_after_reboot(world) == 44 << 10


def test_variables_of_config_commands(world: World) -> None:
    (world.directory / "ext.cfg").write_text(EXTENDED)
    line = "config check {dir}/ext.cfg"
    assert world.run(line).status == 1
    assert world.run(line, "--set", "name=web9").status == 0
    diff = world.run("config diff --set name=web9 {dir}/ext.cfg web -o json")
    assert len([row for row in json.loads(diff.out)["rows"] if "web9" in json.dumps(row)]) == 1
    xml = world.run("config convert --set name=web9 {dir}/ext.cfg")
    assert (xml.status, "<name>web9</name>" in xml.out) == (0, True)


# -- domains


def test_reboot_all_and_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = world.fake.reboot_domain

    def obey(domid: int, acpi_fallback: bool = False) -> None:
        ask(domid, acpi_fallback)
        world.fake.end(domid, ShutdownReason.REBOOT)

    monkeypatch.setattr(world.fake, "reboot_domain", obey)
    before = {domain.domid for domain in world.host.list_domains()}
    result = world.run("reboot -a -w --timeout 60")
    assert (result.status, "Waiting for 4 domains" in result.err) == (0, True)
    eventually(lambda: {domain.domid for domain in world.host.list_domains()} & before == {0})


def test_reboot_that_does_not_come(world: World) -> None:
    result = world.run("reboot -w --timeout 0.2 web")
    assert (result.status, "after 0.2 s these domains have not ended" in result.err) == (1, True)
    assert not state_of(world, "web").shutdown


def test_destroy_by_force(world: World) -> None:
    """That is for the host to say, which refuses what is the host itself."""
    assert "use -f to force" in world.run("destroy 0").err
    assert "Domain-0 is the host itself" in world.run("destroy -f 0").err
    assert world.run("destroy -f web").status == 0
    assert state_of(world, "web") is None


def test_pinning_by_force(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    pin = Calls()
    monkeypatch.setattr(world.fake, "set_vcpu_affinity", pin)
    assert world.run("vcpu-pin -f web 0 1").status == 0
    assert world.run("vcpu-pin web 0 1").status == 0
    assert [kwargs.get("force", False) for _, kwargs in pin.seen] == [True, False]


def test_schedulers_by_pool(world: World) -> None:
    assert world.run("sched-credit -d incredit -c 50").status == 0
    guest = world.fake.guests[state_of(world, "incredit").domid]
    assert guest.sched.cap == 50
    lines = world.call("sched-credit", "-p", "pool-c", program="xl").out.splitlines()
    assert lines[0].startswith("Cpupool pool-c")
    assert [line.split()[0] for line in lines[2:]] == ["incredit"]
    lines = world.call("sched-rtds", "-c", "pool-r", program="xl").out.splitlines()
    assert lines[0].startswith("Cpupool pool-r")
    assert [line.split()[0] for line in lines[2:]] == ["inrt"]


def test_shares_of_a_cache_by_its_level(world: World) -> None:
    assert world.run("psr-cat-set -l 3 web 0xf").status == 0
    result = world.run("psr-cat-show -l 3 web -o json")
    (row,) = json.loads(result.out)["rows"]
    assert (row["name"], row["values"]) == ("web", [15])


@pytest.mark.parametrize(("words", "asked"), [((), None), (("-t", "pv"), "pv"), (("-t", "serial"), "serial")])
def test_kind_of_console(
    words: tuple[str, ...], asked: str | None, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_console, kinds = world.fake.open_console, list[object]()

    def note(domid: int, stream: int, kind: str | None = None, *args: Any, **kwargs: Any) -> int:
        kinds.append(kind)
        return open_console(domid, stream, kind, *args, **kwargs)

    monkeypatch.setattr(world.fake, "open_console", note)
    result = world.call("console", "--dump", *words, "web")
    assert (result.status, "guest up" in result.out) == (0, True)
    assert kinds == [asked]


@pytest.mark.parametrize("option", [(), ("--no-input",)])
def test_a_console_that_nothing_is_sent_to(option: tuple[str, ...], tmp_path: Path) -> None:
    daemon = FakeDaemon(tmp_path / "run")
    daemon.start()
    try:
        host = daemon.connect()
        domid = host.create_domain(tiny("web"))
        argv = [sys.executable, "-m", "xlpy", "-H", daemon.address, "console", *option, "web"]
        console = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert console.stdin is not None
        assert console.stdout is not None
        console.stdin.write(b"typed")
        console.stdin.flush()
        said = b""
        while (b"typed" if not option else b"# ") not in said:
            piece = os.read(console.stdout.fileno(), 4096)
            assert piece, said
            said += piece
        host.destroy_domain(domid)
        rest, _ = console.communicate(timeout=60)
        assert (b"typed" in said + rest) is not bool(option)
        host.close()
    finally:
        daemon.stop()


# -- migration: what is made of the options; client/test_direct and test_migrate_ssh have what comes of it


class Recorded:
    """Stands for client.migrate.Migration."""

    made: ClassVar[dict[str, Any]] = {}

    def __init__(self, source: Any, target: Any, domid: int, **options: Any) -> None:
        Recorded.made.clear()
        Recorded.made.update(options)
        self.source, self.target = source, target

    def prepare(self) -> list[Any]:
        return []

    def run(self) -> tuple[int, Any]:
        from xlpy.model.migration import TransferProgress

        return 7, TransferProgress(phase="completed")


@pytest.fixture
def migrated(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """``migrated(*words)``: what ``migrate words web xen2`` would have the client do."""
    monkeypatch.setattr("xlpy.client.migrate.Migration", Recorded)

    def made(*words: str, host: str = "ssh://root@xen2.example.org:22") -> dict[str, Any]:
        result = world.call("migrate", *words, "web", host)
        assert result.status == 0, result.err
        return dict(Recorded.made)

    return made


def test_migration_limits(migrated: Callable[..., dict[str, Any]]) -> None:
    limits = migrated("--bandwidth", "10m", "--downtime", "20", "--max-downtime", "300")["limits"]
    assert (limits.bandwidth_bytes_per_s, limits.downtime_ms, limits.max_downtime_ms) == (10 << 20, 20, 300)


def test_migration_of_what(migrated: Callable[..., dict[str, Any]], world: World) -> None:
    plain = migrated()
    assert (plain["supervised"], plain["with_disks"], plain["direct"], plain["config"]) == (
        True,
        False,
        None,
        None,
    )
    assert migrated("-e")["supervised"] is False
    assert migrated("-F")["supervised"] is False
    assert migrated("--with-disks")["with_disks"] is True
    assert migrated("-C", f"{world.directory}/new.cfg")["config"].c_info.name == "new"


def test_migration_by_which_way(migrated: Callable[..., dict[str, Any]]) -> None:
    assert "xen2.example.org" in " ".join(migrated("--direct")["direct"].command)
    assert "admin@10.0.0.2" in " ".join(migrated("--direct-address", "admin@10.0.0.2")["direct"].command)
    assert migrated("-s", "ssh -q")["direct"].command[:2] == ("ssh", "-q")
    way = migrated("-s", "", "--target", "ssh://root@xen2", host="ssh -4 root@xen2")["direct"]
    assert way.command == ("ssh", "-4", "root@xen2")


def test_migration_tells_all(world: World, migrated: Callable[..., dict[str, Any]]) -> None:
    result = world.call("migrate", "--debug", "web", "ssh://root@xen2")
    assert "domain web has domid 7" in result.err
    assert world.call("migrate", "web", "ssh://root@xen2").err == ""


# -- hosts, broker, lab, devd


def test_a_host_with_all_that_can_be_said_of_it(world: World) -> None:
    settings = {
        "known-hosts-file": "/keys/known",
        "proxy-jump": "bastion",
        "python": "python3.11",
        "socket": "/run/x1.sock",
        "state-dir": "/var/x1",
    }
    words = [word for name, text in settings.items() for word in (f"--{name}", text)]
    assert world.call("host", "add", "--no-connect", *words, "x1").status == 0
    (row,) = json.loads(world.call("host", "list", "x1", "-o", "json").out)["rows"]
    assert {name: row[name.replace("-", "_")] for name in settings} == settings


@pytest.mark.parametrize(("words", "force"), [((), False), (("--force",), True), (("-f",), True)])
def test_the_broker_is_stopped_at_once_or_not(
    words: tuple[str, ...], force: bool, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = Calls()
    monkeypatch.setattr("xlpy.client.broker.stop_broker", stop)
    assert call("broker", "stop", *words).status == 0
    assert stop.seen == [((force,), {})]


def test_what_a_lab_host_shall_be(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    make_lab_host()
    lab_host = Lab.host
    wishes: list[Any] = []

    def up(lab: Lab, name: str, wish: Any) -> Any:
        wishes.append(wish)
        return lab_host(lab, name)

    monkeypatch.setattr(Lab, "up", up)
    result = world.run("lab up --xen 4.20 --memory 2048 --cpus 2 --guest /srv/guest lab1")
    assert (result.status, "lab1 runs Xen 4.17" in result.err) == (0, True)
    (wish,) = wishes
    assert (wish.xen, wish.memory_mib, wish.cpus, wish.guest) == ("4.20", 2048, 2, "/srv/guest")


@pytest.mark.parametrize(("command", "method"), [("snapshot", "save_snapshot"), ("reset", "reset")])
def test_states_of_a_lab_host(
    command: str, method: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_lab_host()
    seen: list[tuple[str, str]] = []
    monkeypatch.setattr(Lab, method, lambda lab, name, tag: seen.append((name, tag)))
    assert world.run(f"lab {command} lab1").status == 0
    assert world.run(f"lab {command} lab1 mine").status == 0
    assert seen == [("lab1", "ready"), ("lab1", "mine")]


def test_a_login_on_a_lab_host(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from xlpy.lab.host import LabHost

    make_lab_host()
    assert "lab1 does not run" in world.run("lab ssh lab1").err
    monkeypatch.setattr(LabHost, "pid", property(lambda host: 4711))
    became = Calls()
    monkeypatch.setattr(os, "execv", became)
    world.call("lab", "ssh", "lab1", "--", "xl", "list")
    ((program, argv), _) = became.seen[0]
    assert program == argv[0]
    assert argv[-3:] == ["lab1", "xl", "list"]


def test_the_daemon_of_a_driver_domain(call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is a program of its own, which this one starts or, with -F, becomes."""
    monkeypatch.chdir(tmp_path)
    spawn = Calls(os.posix_spawn(sys.executable, [sys.executable, "-c", ""], os.environ))
    monkeypatch.setattr(os, "posix_spawn", spawn)
    assert call("devd", "--pidfile", "devd.pid").status == 0
    ((program, words, _), _) = spawn.seen[0]
    assert words[0] == program
    assert words[-3:] == ["xlpy.agent.devd", "--pidfile", f"{tmp_path}/devd.pid"]
    became = Calls()
    monkeypatch.setattr(os, "execv", became)
    monkeypatch.setattr(os, "waitpid", lambda pid, flags: (pid, 0))
    call("devd", "-F")
    assert became.seen[0][0][1][-2:] == ["xlpy.agent.devd", "--foreground"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_a_shell_reads_for_completion(shell: str, call: Call) -> None:
    result = call("completion", shell)
    assert (result.status, result.err) == (0, "")
    assert result.out == (ROOT / "completions" / SCRIPTS[shell]).read_text()
