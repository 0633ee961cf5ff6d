"""Dry runs and plans: what every command would change is said, and nothing is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from changing_lines import ELSEWHERE, LINES, SHOWING
from changing_world import World, frozen, make_lab_host
from command_line import Call, Result
from fake_engine import FakeEngine
from host_farm import FarmHost

from xlpy.cli.command import Command
from xlpy.cli.commands import all_commands, require_command
from xlpy.client.host import Host
from xlpy.engine.base import OPERATIONS
from xlpy.engine.operation import LOOKING
from xlpy.model.device_config import DiskConfig
from xlpy.render.changes import CHANGES, change_words

CHANGING = [command for command in all_commands() if command.changes]
EVERY_LINE = [(name, line) for name, lines in LINES.items() for line in lines]


def plan_of(result: Result) -> list[dict[str, Any]]:
    document = json.loads(result.out)
    assert document["schema"] == "xlpy/plan/1"
    rows: list[dict[str, Any]] = document["rows"]
    return rows


def test_every_command_that_changes_something_is_tried() -> None:
    names = {command.name for command in CHANGING}
    shown = {line.split()[0] for line in SHOWING} - LINES.keys()
    assert names == LINES.keys() | ELSEWHERE.keys() | shown
    assert all(require_command(name).handler for name in names)
    for place in set(ELSEWHERE.values()):
        assert callable(globals()[place.partition(".")[2]])


@pytest.mark.parametrize(("name", "line"), EVERY_LINE, ids=[line for _, line in EVERY_LINE])
def test_a_plan_says_what_the_command_then_does(name: str, line: str, world: World) -> None:
    """What is planned changes nothing, and the same command line in earnest does."""
    before = world.state()
    result = world.run(line, "--plan", "-o", "json")
    assert (result.status, result.err.count("Traceback")) == (0, 0), result.err
    rows = plan_of(result)
    assert rows
    assert {row["action"] for row in rows} == {name}
    assert all(row["change"] for row in rows)
    assert world.state() == before
    assert world.run(line, "--yes").status == 0
    assert world.state() != before


@pytest.mark.parametrize(("name", "line"), EVERY_LINE, ids=[line for _, line in EVERY_LINE])
def test_a_dry_run_changes_nothing(name: str, line: str, world: World) -> None:
    """Before the command or behind it; where xl has one it shows what xl shows."""
    command = require_command(name)
    before = world.state()
    first = world.call("-N", *world.words(line))
    assert first.status == 0, first.err
    assert world.state() == before
    if not any("N" in option.letters for option in command.options):
        assert world.run(line, "-N").out == first.out
    as_xl = world.call("-N", *world.words(line), program="xl") if not command.own else None
    assert world.state() == before
    if command.dry_run:
        assert as_xl is not None
        assert (as_xl.status, as_xl.out) == (0, first.out)
    else:
        assert f" {name} " in f" {' '.join(first.out.split())} "
        if as_xl is not None:
            assert (as_xl.status, as_xl.out) == (1, "")
            assert as_xl.err == "command does not implement -N (dryrun) option\n"


@pytest.mark.parametrize("line", SHOWING)
def test_what_only_shows_has_no_plan(line: str, world: World) -> None:
    before = world.state()
    result = world.run(line, "--plan")
    assert (result.status, result.err) == (0, "nothing would be changed\n")
    assert result.out == world.run(line).out
    assert world.state() == before


@pytest.mark.parametrize(
    "command", [row for row in all_commands() if not row.changes], ids=lambda row: row.name
)
def test_commands_that_look_have_no_plan(command: Command, call: Call) -> None:
    words = ["x"] * max(command.needs, 1)
    assert call(*command.name.split(), "--plan", *words).err.startswith(
        f"xlpy: {command.name} changes nothing\n"
    )
    assert "does not implement -N" in call("-N", *command.name.split(), *words).err


# -- what a plan says


def test_a_plan_names_host_domain_and_loss(world: World) -> None:
    (row,) = plan_of(world.run("destroy web", "--plan", "-o", "json"))
    assert row == {
        "host": "local",
        "name": "web",
        "domid": world.web,
        "action": "destroy",
        "memory_kib": 32 << 10,
        "change": "destroy web",
        "loses": "web will be destroyed, and what has not been written to disks yet is lost",
    }
    (row,) = plan_of(world.run("save web {dir}/web.save", "--plan", "-o", "json"))
    assert (row["change"], row["loses"]) == (
        f"save the state of web to {world.directory}/web.save, and destroy it",
        None,
    )
    (row,) = plan_of(world.run("save -c web {dir}/old.save", "--plan", "-o", "json"))
    assert row["change"].endswith("and let it go on")
    assert row["loses"] == f"{world.directory}/old.save will be overwritten, and what is in it now is lost"
    result = world.run("rename web www", "--plan")
    assert result.out.splitlines()[1].split()[:5] == ["local", "web", str(world.web), "rename", "32768"]
    assert result.out.splitlines()[1].endswith("rename web to www")


@pytest.mark.parametrize(
    ("line", "change"),
    [
        ("create {dir}/new.cfg", "create new: pvh, 32 MiB, 2 vcpus"),
        ("create -p {dir}/new.cfg", "create new: pvh, 32 MiB, 2 vcpus, and leave it paused"),
        ("restore {dir}/old.save", "restore old: pvh, 32 MiB, 2 vcpus"),
        ("start kept", "create kept: pvh, 33 MiB, 2 vcpus"),
        ("config restore kept 1", "remember kept: pvh, 32 MiB, 2 vcpus, after version 2"),
        ("edit kept", "open kept in an editor, and make what it is then version 3"),
        ("autostart kept --order 3 --delay 5", "start kept with the host, at place 3, 5 s after the one before"),
        ("autostart --off kept", "don't start kept with the host any more"),
        ("mem-set web 24", "balloon the memory of web to 24 MiB"),
        ("vcpu-pin web all 0 0-1", "let every vcpu of web run only on pcpus 0 and preferably on pcpus 0,1"),
        ("sched-credit2 -d web -w 512", "set weight 512 of web"),
        ("sched-credit2 -s -r 5000", "set ratelimit_us 5000 of cpupool Pool-0"),
        ("block-attach web {dir}/disk.img,raw,xvdd,w", "attach disk xvdd ({dir}/disk.img, writable) to web"),
        ("block-detach --force web xvda", "detach disk xvda from web, without asking the guest"),
        ("cd-eject web xvdc", "take the medium out of xvdc of web"),
        ("network-attach web bridge=br1", "attach a network card on bridge br1 to web"),
        ("pci-attach web 01:00.0", "pass PCI device 0000:01:00.0 to web"),
        ("cpupool-migrate web spare", "move web to cpupool spare"),
        ("cpupool-create {dir}/pool.cfg", "create cpupool more with scheduler credit2 and pcpus 5"),
        ("xenstore-quota-set -g nodes=6", "set the global xenstore quota nodes=6"),
        ("psr-cat-set -s 0 web 1", "set l3_cbm of web to 0x1 on socket 0"),
        ("shutdown --timeout 5 --then destroy web", "ask web to shut down, and destroy it if it has not ended after 5 s"),
        ("host add --no-connect x1", "add x1 to {dir}/hosts.yaml"),
        ("dmesg -c", "clear the hypervisor's messages"),
    ],
)  # fmt: skip
def test_the_words_of_a_plan(line: str, change: str, world: World) -> None:
    rows = plan_of(world.run(line, "--plan", "-o", "json"))
    assert [row["change"] for row in rows] == [change.replace("{dir}", str(world.directory))]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("destroy nosuch", "there is no domain 'nosuch' on local"),
        ("mem-set 999 64", "999 is an invalid domain identifier"),
        ("destroy Domain-0", "Not destroying domain 0"),
        ("create {dir}/web.cfg", "a domain named 'web' exists already"),
        ("restore {dir}/disk.img", "has a wrong magic number"),
        ("config export web {dir}/web.cfg", "is there already"),
        ("cpupool-destroy nosuch", "unknown cpupool"),
        ("block-attach web {dir}/disk.img,raw,xvdd,q", "xvdd"),
        ("undefine nosuch", "nosuch"),
        ("shutdown --then destroy web", "--then needs --timeout"),
    ],
)
def test_a_plan_fails_where_the_command_would(line: str, said: str, world: World) -> None:
    before = world.state()
    result = world.run(line, "--plan")
    assert (result.status != 0, result.out) == (True, "")
    assert said in result.err
    assert world.state() == before


@pytest.mark.parametrize("operation", sorted(OPERATIONS.keys() - LOOKING))
def test_every_operation_that_changes_something_has_words(operation: str) -> None:
    assert operation in CHANGES
    code = OPERATIONS[operation].__code__  # type: ignore[attr-defined]
    names = {*code.co_varnames[1 : code.co_argcount], "domain", "pool"}
    words = CHANGES[operation]
    if isinstance(words, str):
        assert change_words(operation, {name: _Anything() for name in names})
        assert ("{domain}" in words) is ("domid" in names) or "migration" in words


class _Anything:
    def __getattr__(self, name: str) -> str:
        return name


def test_no_words_for_what_changes_nothing() -> None:
    assert CHANGES.keys() - (OPERATIONS.keys() - LOOKING) == {"console_ring"}


# -- what needs a world of its own


def test_numa_split(world: World) -> None:
    world.fake.pools = world.fake.pools[:1]
    world.fake.topology = tuple(place.replace(node=place.cpu // 3) for place in world.fake.topology)
    before = world.state()
    rows = plan_of(world.run("cpupool-numa-split", "--plan", "-o", "json"))
    assert [row["change"] for row in rows] == [
        "add pcpus 2 to cpupool Pool-0",
        "rename cpupool Pool-0 to Pool-node0",
        "have 3 vcpus of Domain-0 online",
        "remove pcpus 3,4,5 from cpupool Pool-0",
        "create cpupool Pool-node1 with the pcpus of node 1",
    ]
    assert world.state() == before


def test_migration(world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Both hosts are looked at, what is in the way is said, and neither is changed."""
    from in_process import InProcessHost

    from xlpy.cli.main import run

    other = FakeEngine()
    target = InProcessHost(other, tmp_path / "state-b", "unix:///test/b")
    try:
        peers: dict[str | None, Host] = {None: world.host, "b": target.connect()}

        def planned(*words: str) -> tuple[int, str, str]:
            capfd.readouterr()
            status = run(words, open_host=lambda address: peers.get(address, world.host))
            captured = capfd.readouterr()
            return status, captured.out, captured.err

        before = world.state(), frozen(other)
        status, out, _ = planned("migrate", "web", "b", "--plan", "-o", "json")
        assert status == 0
        assert [row["change"] for row in json.loads(out)["rows"]] == ["move web to b"]
        status, out, _ = planned("migrate", "web", "b", "-N")
        assert (status, out.splitlines()[1].endswith("move web to b")) == (0, True)
        assert (world.state(), frozen(other)) == before
    finally:
        target.close()


@pytest.mark.parametrize(
    ("line", "change"),
    [
        ("migrate-receive", "receive a domain from standard input"),
        ("remus web h1", "send every change of web to h1, until one side ends"),
        ("remus -b web h1", "send every change of web to nowhere, as a test, until one side ends"),
        ("devd -F", "run the daemon that serves this domain's devices to others"),
        ("host install h1", "install xlpyd for good, or another version of it"),
        ("host restart h1", "restart xlpyd"),
        ("host uninstall h1", "remove xlpyd with every trace"),
        ("lab up lab1", "run a Xen host, lab1, in QEMU, and enter it in the inventory"),
        ("lab snapshot lab1 clean", "keep the state of lab1 as clean"),
        ("lab reset lab1 clean", "put lab1 back into its state clean"),
        ("lab down", "end lab1 and remove its disks"),
    ],
)
def test_what_needs_more_than_this_world(line: str, change: str, world: World) -> None:
    make_lab_host()
    before = world.state()
    (row,) = plan_of(world.run(line, "--plan", "-o", "json"))
    assert row["change"] == change
    assert world.run("broker stop", "--plan").err == "nothing would be changed\n"
    assert world.state() == before


@pytest.mark.parametrize("where", ["-H a", "-H a,b", "-H all"])
@pytest.mark.parametrize("asks", ["-N", "--plan"])
def test_on_hosts_elsewhere(
    where: str, asks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Through sockets; of several hosts the one that has the domain is found and named."""
    from xlpy.cli.main import run

    hosts = {name: FarmHost(tmp_path / name, name, (f"web-{name}",)) for name in ("a", "b")}
    try:
        lines = [f"  {name}: {{address: '{host.address}'}}" for name, host in hosts.items()]
        (tmp_path / "hosts.yaml").write_text("\n".join(["hosts:", *lines, ""]))
        monkeypatch.setenv("XLPY_INVENTORY", str(tmp_path / "hosts.yaml"))
        before = frozen([host.engine for host in hosts.values()])
        for line in ("rename web-a www", "pause web-a", "destroy web-a", "mem-set web-a 24", "dmesg -c"):
            capfd.readouterr()
            assert run([*where.split(), asks, *line.split(), "-o", "json"]) == 0
            rows = json.loads(capfd.readouterr().out)["rows"]
            assert {row["host"] for row in rows} >= {"a"}
            assert {row["name"] for row in rows} == {None if line == "dmesg -c" else "web-a"}
            assert frozen([host.engine for host in hosts.values()]) == before
    finally:
        for host in hosts.values():
            host.close()


@pytest.mark.qemu
def test_nothing_changes_under_qemu(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """All lines, whether QEMU could do them or not: what QEMU itself says of its domain stays the same."""
    from in_process import InProcessHost
    from sample_configs import tiny

    from xlpy.cli.main import run
    from xlpy.engine.qemu.engine import QemuEngine

    for name in ("run", "state", "work"):
        (tmp_path / name).mkdir()
    (tmp_path / "work/disk.img").write_bytes(bytes(1 << 20))
    for name in ("web", "new"):
        (tmp_path / f"work/{name}.cfg").write_text(f'name="{name}"\ntype="pvh"\nmemory=32\nkernel="/k"\n')
    agent = InProcessHost(QemuEngine(str(tmp_path / "run"), str(tmp_path / "state")), tmp_path / "record")
    host = agent.connect()
    try:
        disk = DiskConfig(vdev="xvda", pdev_path=str(tmp_path / "work/disk.img"), format="raw", readwrite=1)
        domid = host.create_domain(tiny("web", disks=(disk,)), paused=True)

        def state() -> object:
            tree = [
                (str(path), path.stat().st_size, path.stat().st_mtime_ns)
                for place in ("run", "work")
                for path in sorted((tmp_path / place).rglob("*"))
                if path.is_file()
            ]
            facts = [
                [domain.domid for domain in host.list_domains()],
                host.domain_info(domid).replace(cpu_time_ns=0),
                host.list_disks(domid),
                host.list_nics(domid),
                [vcpu.replace(vcpu_time_ns=0, cpu=0) for vcpu in host.list_vcpus(domid)],
            ]
            return frozen([facts, host.list_events(), tree])

        before = state()
        planned = 0
        for name, line in EVERY_LINE:
            words = [word.replace("{dir}", str(tmp_path / "work")) for word in line.split()]
            capfd.readouterr()
            status = run(["-N", *words], open_host=lambda address: host)
            captured = capfd.readouterr()
            assert "Traceback" not in captured.err
            assert "this is a bug" not in captured.err
            planned += status == 0 and name in captured.out
        assert state() == before
        assert planned > 30
    finally:
        agent.supervisor.destroy_domain(domid)
        agent.close()
