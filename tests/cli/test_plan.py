"""Dry runs and plans: what every command would change is said, and nothing is."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

import pytest
from changing_lines import ELSEWHERE, LINES, SHOWING
from command_line import Call, Result
from fake_engine import FakeEngine
from fake_guest import FakeGuest

from xlpy.cli.command import Command
from xlpy.cli.commands import all_commands, require_command
from xlpy.client.host import Host
from xlpy.engine.base import OPERATIONS
from xlpy.engine.operation import LOOKING
from xlpy.model.device import UsbctrlInfo, UsbPort, VdisplInfo, VkbInfo, VtpmInfo
from xlpy.model.device_config import PciConfig, VsndConfig
from xlpy.model.host import Cpupool
from xlpy.model.hypervisor import PsrHardware, PsrMonitoring
from xlpy.model.record import Record
from xlpy.model.sound import VsndInfo
from xlpy.render.changes import CHANGES, change_words

CHANGING = [command for command in all_commands() if command.changes]
EVERY_LINE = [(name, line) for name, lines in LINES.items() for line in lines]
CONFIG = 'name = "{name}"\nuuid = "{uuid}"\ntype = "pvh"\nmemory = 32\nvcpus = 2\nkernel = "{directory}/disk.img"\n'
EDITOR = "#!/bin/sh\nsed -i 's/memory = .*/memory = 40/' \"$1\"\n"


class World:
    """A host with something of everything, and ``state()``: all that a command could have changed."""

    def __init__(self, call: Call, fake: FakeEngine, host: Host, directory: Path) -> None:
        self.call = call
        self.fake = fake
        self.host = host
        self.directory = directory
        self._files()
        self._domains()
        self._devices()
        self._hypervisor()

    def words(self, line: str) -> list[str]:
        return [word.replace("{dir}", str(self.directory)) for word in line.split()]

    def run(self, line: str, *more: str) -> Result:
        return self.call(*self.words(line), *more)

    def state(self) -> object:
        return [_frozen(self.fake), self._known(), self._tree()]

    def _known(self) -> object:
        definitions = self.host.list_definitions()
        versions = [self.host.definition_versions(defined.name) for defined in definitions]
        return _frozen([definitions, versions, self.host.list_events()])

    def _tree(self) -> dict[str, tuple[int, int, str]]:
        """The files, but those of the agent's own record."""
        paths = [path for path in self.directory.rglob("*") if "state" not in path.parts and path.is_file()]
        return {
            str(path): (
                path.stat().st_mode,
                path.stat().st_mtime_ns,
                hashlib.sha256(path.read_bytes()).hexdigest(),
            )
            for path in paths
        }

    def _files(self) -> None:
        for name in ("web", "sleepy", "new", "kept", "old", "incredit", "inrt"):
            text = CONFIG.format(name=name, uuid=uuid5(NAMESPACE_DNS, name), directory=self.directory)
            if name == "web":
                text += f'disk = ["{self.directory}/disk.img,raw,xvda,w", ",raw,xvdc,cdrom"]\nvif = ["bridge=br0"]\n'
            (self.directory / f"{name}.cfg").write_text(text)
        (self.directory / "ugly.cfg").write_text('memory=32;name="ugly"')
        (self.directory / "disk.img").write_bytes(bytes(4096))
        (self.directory / "pool.cfg").write_text('name = "more"\nsched = "credit2"\ncpus = ["5"]\n')
        (self.directory / "hosts.yaml").write_text("hosts:\n  h1: {address: h1.example.org}\n")
        editor = self.directory / "editor"
        editor.write_text(EDITOR)
        editor.chmod(0o755)

    def _domains(self) -> None:
        fake = self.fake
        fake.host = fake.host.replace(max_cpu_id=5, nr_cpus=6)
        fake.topology = tuple(fake.topology[0].replace(cpu=cpu) for cpu in range(6))
        for name in ("old", "web", "sleepy", "incredit", "inrt"):
            assert self.run(f"create {{dir}}/{name}.cfg").status == 0
        assert self.run("save old {dir}/old.save").status == 0
        assert self.run("pause sleepy").status == 0
        assert self.run("define {dir}/kept.cfg").status == 0
        assert self.run("define {dir}/kept.cfg memory=33").status == 0
        assert self.run("autostart kept").status == 0
        self.web = self.host.find_domain("web").domid

    def _devices(self) -> None:
        domid = self.web
        self.fake.assignable = [PciConfig(bus=1), PciConfig(bus=2)]
        for device in (
            PciConfig(bus=2),
            UsbctrlInfo(
                devid=0,
                type="pv",
                version=2,
                ports=(UsbPort(port=1, hostbus=1, hostaddr=18), UsbPort(port=2)),
            ),
            VtpmInfo(devid=0, uuid="12345678-1234-1234-1234-000000000000"),
            VkbInfo(devid=0),
            VdisplInfo(devid=0),
            VsndInfo(devid=0, card=VsndConfig()),
        ):
            self.fake.plugged.setdefault((type(device).__name__, domid), []).append(device)

    def _hypervisor(self) -> None:
        fake = self.fake
        fake.ring = "(XEN) hello\n"
        fake.flask = False
        fake.pools = (
            Cpupool(poolid=0, name="Pool-0", scheduler="credit2", domain_count=1, cpus=(0, 1)),
            Cpupool(poolid=1, name="spare", scheduler="credit2", domain_count=0, cpus=(2,)),
            Cpupool(poolid=2, name="pool-c", scheduler="credit", domain_count=0, cpus=(3,)),
            Cpupool(poolid=3, name="pool-r", scheduler="rtds", domain_count=0, cpus=(4,)),
        )
        for name, poolid, scheduler in (("incredit", 2, "credit"), ("inrt", 3, "rtds")):
            guest = fake.guests[self.host.find_domain(name).domid]
            guest.info = guest.info.replace(cpupool=poolid)
            guest.sched = guest.sched.replace(scheduler=scheduler)
        fake.psr = (
            PsrHardware(feature="l3", socket=0, cos_max=15, cbm_length=11, cache_kib=25344),
            PsrHardware(feature="mba", socket=0, cos_max=7, thrtl_max=90, linear=True),
        )
        sleepy = self.host.find_domain("sleepy").domid
        fake.suspended.add(sleepy)
        fake.monitoring = PsrMonitoring(
            enabled=True, kinds=("cache-occupancy",), sockets=(0,), domids=(sleepy,)
        )


@pytest.fixture
def world(call: Call, fake: FakeEngine, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XLPY_INVENTORY", str(tmp_path / "hosts.yaml"))
    monkeypatch.setenv("EDITOR", str(tmp_path / "editor"))
    monkeypatch.delenv("VISUAL", raising=False)
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    return World(call, fake, host, tmp_path)


def _frozen(value: object) -> object:
    """A value that later changes of this one leave as it is, and that can be compared."""
    if isinstance(value, (Record, FakeGuest, FakeEngine)):
        return type(value).__name__, {
            name: _frozen(each)
            for name, each in vars(value).items()
            if not isinstance(each, (type(threading.Lock()), type(threading.RLock()), threading.Event, Path))
            and not callable(each)
        }
    if isinstance(value, dict):
        return {key: _frozen(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_frozen(each) for each in (sorted(value) if isinstance(value, (set, frozenset)) else value)]
    return bytes(value) if isinstance(value, bytearray) else value


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

        before = world.state(), _frozen(other)
        status, out, _ = planned("migrate", "web", "b", "--plan", "-o", "json")
        assert status == 0
        assert [row["change"] for row in json.loads(out)["rows"]] == ["move web to b"]
        status, out, _ = planned("migrate", "web", "b", "-N")
        assert (status, out.splitlines()[1].endswith("move web to b")) == (0, True)
        assert (world.state(), _frozen(other)) == before
    finally:
        target.close()


def lab_host(world: World) -> None:
    """Have a host of the lab called lab1, which doesn't run."""
    from xlpy.lab.host import HostRecord
    from xlpy.lab.places import Places
    from xlpy.model.codec import to_wire

    place = Path(Places(os.environ).host("lab1"))
    place.mkdir(parents=True)
    record = HostRecord(
        name="lab1", xen="4.17", number=1, ssh_port=2222, image="x", memory_mib=1536, dom0_mib=512, cpus=1,
        accelerator="tcg",
    )  # fmt: skip
    (place / "host.json").write_text(json.dumps(to_wire(record)))


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
        ("host restart h1", "restart xlpyd"),
        ("lab up lab1", "run a Xen host, lab1, in QEMU, and enter it in the inventory"),
        ("lab snapshot lab1 clean", "keep the state of lab1 as clean"),
        ("lab reset lab1 clean", "put lab1 back into its state clean"),
        ("lab down", "end lab1 and remove its disks"),
    ],
)
def test_what_needs_more_than_this_world(line: str, change: str, world: World) -> None:
    lab_host(world)
    before = world.state()
    (row,) = plan_of(world.run(line, "--plan", "-o", "json"))
    assert row["change"] == change
    assert world.run("broker stop", "--plan").err == "nothing would be changed\n"
    assert world.state() == before
