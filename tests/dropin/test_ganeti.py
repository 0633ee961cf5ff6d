"""Ganeti: its Xen hypervisor runs xl for instances and reads what xl prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from debian_machine import DebianMachine
from outside_guest import GUEST
from pty_command import PtyCommand

pytestmark = [pytest.mark.outside, pytest.mark.qemu]

NODE = Path(__file__).with_name("ganeti_node.py")
NAME = "web.example.org"
RUNNING, SHUT_DOWN = 0, 1  # hv_base.HvInstanceState
INFO = ("GetInstanceInfo", NAME, "@hvparams")
START = ("StartInstance", "@instance", "@disks", False)
START_PAUSED = ("StartInstance", "@instance", "@disks", True)


@pytest.fixture(autouse=True)
def node(machine: DebianMachine, no_domains: None) -> None:
    make_directories(machine)


def make_directories(machine: DebianMachine) -> None:
    """Those that Ganeti's packages make; it moves files from /etc to its log, and takes them for one file system."""
    machine.sh(
        "mkdir -p /run/ganeti /var/log/ganeti /etc/stashed && ln -sfn /etc/stashed /var/log/ganeti/xen"
    )


class Ganeti:
    """The node daemon's side of one instance."""

    def __init__(self, machine: DebianMachine) -> None:
        self._machine = machine
        self.kind = "xen-pvm"
        self.disks: list[str] = []
        self.bridges: list[str] = []
        self.hvparams: dict[str, object] = {
            "xen_cmd": "xl",
            "kernel_path": f"{GUEST.resolve()}/vmlinuz",
            "initrd_path": f"{GUEST.resolve()}/initrd.img",
            "kernel_args": "console=hvc0 quiet",
            "root_path": "",
            "use_bootloader": False,
            "migration_port": 8102,
        }

    def do(self, *methods: tuple[object, ...]) -> list[object]:
        """What these methods return; fails the test if one of them raises."""
        done = self._run(methods)
        assert done[0] == 0, done[2]
        results = json.loads(done[1])
        assert isinstance(results, list)
        return results

    def refused(self, *methods: tuple[object, ...]) -> str:
        """What the exception says that one of them raises."""
        status, _, said = self._run(methods)
        assert status == 1
        return said

    def _run(self, methods: tuple[tuple[object, ...], ...]) -> tuple[int, str, str]:
        beparams = {"minmem": 128, "maxmem": 128, "vcpus": 1}
        instance = {
            "name": NAME,
            "hvparams": self.hvparams,
            "beparams": beparams,
            "disks": self.disks,
            "bridges": self.bridges,
        }
        words = [self.kind, json.dumps(instance), *(json.dumps(method) for method in methods)]
        done = self._machine.run("/usr/bin/python3", NODE, *words, check=False)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def ganeti(machine: DebianMachine) -> Ganeti:
    return Ganeti(machine)


def test_a_node_is_measured(ganeti: Ganeti) -> None:
    fault, info = ganeti.do(("Verify", "@hvparams"), ("GetNodeInfo", "@hvparams"))
    assert fault is None
    assert isinstance(info, dict)
    assert info["cpu_total"] >= 1
    assert info["memory_total"] > info["memory_free"] > 0
    assert info["memory_total"] >= info["memory_dom0"] > 0


def test_an_instance_from_start_to_stop(machine: DebianMachine, ganeti: Ganeti) -> None:
    assert ganeti.do(START, ("ListInstances", "@hvparams")) == [None, [NAME]]
    (info,) = ganeti.do(INFO)
    assert isinstance(info, list)
    name, domid, memory_mib, vcpus, state, cpu_s = info
    assert (name, memory_mib, vcpus, state) == (NAME, 128, 1, RUNNING)
    assert cpu_s >= 0

    _, rebooted = ganeti.do(("RebootInstance", "@instance"), INFO)
    assert isinstance(rebooted, list)
    assert rebooted[1] == domid + 1
    assert rebooted[4] == RUNNING

    ganeti.do(("BalloonInstanceMemory", "@instance", 120))
    assert "memory = 120\n" in machine.sh(f"cat /etc/xen/{NAME}")

    # shut down, which it survives (on_poweroff = 'preserve'), and then destroyed
    assert ganeti.do(("StopInstance", "@instance"), INFO) == [None, None]
    assert machine.sh(f"ls /etc/xen/{NAME}", check=False) == ""


def test_an_instance_that_shuts_itself_down_is_seen_as_such(machine: DebianMachine, ganeti: Ganeti) -> None:
    ganeti.do(START)
    machine.xl("shutdown", "-w", NAME)
    _, info = ganeti.do(("ListInstances", "@hvparams"), INFO)
    assert isinstance(info, list)
    assert info[4] == SHUT_DOWN


def test_an_instance_is_stopped_by_force(ganeti: Ganeti) -> None:
    assert ganeti.do(START, ("StopInstance", "@instance", True), INFO) == [None, None, None]


def test_why_an_instance_does_not_start_is_told(machine: DebianMachine, ganeti: Ganeti) -> None:
    ganeti.hvparams["kernel_path"] = "/nowhere"
    said = ganeti.refused(START)
    assert f"Failed to start instance {NAME}" in said
    assert "/nowhere" in said
    assert "Moved config file to /var/log/ganeti/xen" in said


def test_its_disks_and_network_cards_are_understood(machine: DebianMachine, ganeti: Ganeti) -> None:
    """As xend had them: file:PATH,sda,w."""
    machine.sh(
        "truncate -s 1M /var/tmp/0 /var/tmp/1; ip link add xen-br0 type bridge; ip link set xen-br0 up"
    )
    ganeti.disks = ["/var/tmp/0", "/var/tmp/1"]
    ganeti.bridges = ["xen-br0"]
    ganeti.do(START_PAUSED)
    assert machine.sh(f"xl block-list {NAME} | awk 'NR>1 {{print $1}}'").split() == ["2048", "2064"]
    assert machine.sh(f"xl network-list {NAME} | awk 'NR>1 {{print $3}}'").split() == ["00:16:3e:00:00:01"]
    (config,) = (json.loads(machine.xl("list", "-l", NAME).stdout)[0]["config"],)
    assert [disk["pdev_path"] for disk in config["disks"]] == ganeti.disks
    assert [nic["bridge"] for nic in config["nics"]] == ganeti.bridges
    machine.xl("destroy", NAME)
    machine.run("ip", "link", "del", "xen-br0")


def test_a_fully_virtualised_instance(machine: DebianMachine, ganeti: Ganeti) -> None:
    machine.put("/etc/ganeti/vnc-cluster-password", "secret\n")
    machine.sh("truncate -s 1M /var/tmp/cd.iso")
    ganeti.kind = "xen-hvm"
    ganeti.hvparams = {"xen_cmd": "xl", "cdrom_image_path": "/var/tmp/cd.iso", "boot_order": "dc"}
    (_, info) = ganeti.do(START_PAUSED, INFO)
    assert isinstance(info, list)
    assert info[4] == RUNNING
    config = json.loads(machine.xl("list", "-l", NAME).stdout)[0]["config"]
    assert config["c_info"]["type"] == "hvm"
    assert config["b_info"]["type.hvm"]["boot"] == "dc"
    (cd,) = config["disks"]
    assert (cd["pdev_path"], cd["vdev"], cd["is_cdrom"]) == ("/var/tmp/cd.iso", "hdc", 1)
    assert ganeti.do(("StopInstance", "@instance", True), INFO) == [None, None]


def test_its_console_is_opened_by_their_wrapper(machine: DebianMachine, ganeti: Ganeti) -> None:
    """It unpauses an instance that was started paused, while ``xl console`` is there already."""
    ganeti.do(START_PAUSED)
    wrapper = machine.sh("echo /usr/lib/ganeti/*/usr/lib/ganeti/tools/xen-console-wrapper").strip()
    program = machine.command(wrapper, "xl", NAME)
    with PtyCommand(program=program, environment=machine.environ) as console:
        console.expect(b"is paused, unpausing", 60)
        console.expect(b"guest# ", 120)
        console.type(b"echo answer-$((40 + 2))\n")
        console.expect(b"answer-42")
        console.type(b"\x1d")
        assert console.wait() == 0
    machine.xl("destroy", NAME)


def test_an_instance_is_migrated(
    machine: DebianMachine, ganeti: Ganeti, outside: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """socat carries xl's protocol to an ``xl migrate-receive`` that it starts on the other node."""
    other = DebianMachine(tmp_path_factory.mktemp("other"), outside / "root", beside=machine)
    try:
        make_directories(other)
        there = Ganeti(other)
        ganeti.do(START)
        there.do(("AcceptInstance", "@instance", "", "127.0.0.1"))
        ganeti.do(("MigrateInstance", "cluster", "@instance", "127.0.0.1", True))
        _, info = there.do(("FinalizeMigrationDst", "@instance", "# config", True), INFO)
        assert isinstance(info, list)
        assert info[4] == RUNNING
        assert ganeti.do(("ListInstances", "@hvparams")) == [[]]
        assert other.sh(f"cat /etc/xen/{NAME}") == "# config"
    finally:
        other.close()
