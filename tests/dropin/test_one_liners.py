"""Lines of shell from other people's scripts that use xl: what they take from its output and exit status."""

from __future__ import annotations

import json

import pytest
from debian_machine import DebianMachine
from outside_guest import guest_config

pytestmark = [pytest.mark.outside, pytest.mark.qemu]


@pytest.fixture(scope="module", autouse=True)
def two_guests(machine: DebianMachine) -> None:
    """Domain 1 is DomA, domain 2 is DomD; both are paused."""
    for name in ("DomA", "DomD"):
        machine.put(f"/etc/xen/{name}.cfg", guest_config(name))
        machine.xl("create", "-p", f"/etc/xen/{name}.cfg")


@pytest.mark.parametrize(
    ("line", "prints"),
    [
        ("xl list | awk '{print $2}' | tail -1", "2"),
        ("xl list | awk '{ if ($1 == \"DomA\") print $2 }'", "1"),
        ("xl list | awk 'NR>2 {print $1}'", "DomA DomD"),
        ("xl list | awk '!/^Domain-0 |^Name / {print $2}'", "1 2"),
        ("xl list | grep '^DomD' | awk '{print $2}'", "2"),
        ("echo $(( $(xl list | wc -l) - 2 ))", "2"),
        ("xl list 1 | tail -1 | awk '{ print $3 }'", "128"),
        ("xl list -c DomA | awk '{if(NR!=1) {print $7}}'", "Pool-0"),
        ("xl list | tail -n +3 | head -n 100 | tr -s ' ' | cut -d' ' -f2", "1 2"),
        ("xl list DomA | awk 'NR==2 {print $4, $3}'", "1 128"),
        ("xl list -v DomA | grep -c -E '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'", "1"),
        ("xl vcpu-list | grep -w DomA | awk '{print $1, $2, $3, $5}'", "DomA 1 0 ---"),
        ("xl info | grep nr_cpus | cut -f2 -d':' | wc -w", "1"),
        ("xl domid DomD", "2"),
        ("xl domname 1", "DomA"),
        ("xl uptime -s | grep -c DomA", "1"),
        ("xl vm-list | awk '$3 == \"DomD\" {print $2}'", "2"),
        ("xl li DomA | wc -l", "2"),
    ],
)
def test_what_is_taken_from_lists(machine: DebianMachine, line: str, prints: str) -> None:
    assert machine.sh(f"set -o pipefail; {line}").split() == prints.split()


@pytest.mark.parametrize(
    "line",
    [
        "xl info | grep '^total_memory' | awk '{print $3}'",
        "xl info | grep free_memory | awk '{print $3}'",
        "xl info | awk -F': ' '/^free_memory/ {print $2}'",
        "xl info | grep free_memory | cut -d: -f2",
    ],
)
def test_memory_of_the_host_is_a_number(machine: DebianMachine, line: str) -> None:
    assert int(machine.sh(f"set -o pipefail; {line}")) > 0


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("xl list DomA", 0),
        ("xl list -- DomA", 0),
        ("xl list DomB", 1),
        ("xl list 17", 1),
        ("xl domid DomB", 1),
        ("xl domname 17", 1),
        ("xl destroy DomB", 1),
        ("xl create /nowhere.cfg", 3),
        ("xl pause", 2),
        ("xl pause -x DomA", 2),
        ("xl nonsense", 1),
        ("xl s", 1),
        ("xl", 1),
        ("xl -x list", 1),
        ("xl -N list", 1),
        ("xl help", 0),
        ("xl list >&-", 0),
        ("xl list <&- >&- 2>&-", 0),
        ("xl nonsense <&- >&- 2>&-", 1),
        ("env -i /usr/sbin/xl list", 0),
        ("xl list -h", 0),
    ],
)
def test_exit_status(machine: DebianMachine, line: str, status: int) -> None:
    assert machine.run("sh", "-c", line, check=False).returncode == status


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("xl list DomB", "DomB is an invalid domain identifier (rc=-6)\n"),
        ("xl destroy 0", "Not destroying domain 0; use -f to force.\n"),
        ("xl nonsense", "command not implemented\n"),
        ("xl pause -x DomA", "option `x' not supported.\n"),
        ("xl create /nowhere.cfg", "Failed to read config file: /nowhere.cfg: No such file or directory\n"),
        ("xl domid DomB", "Can't get domid of domain name 'DomB', maybe this domain does not exist.\n"),
    ],
)
def test_complaints_are_xls_first_line_on_stderr(machine: DebianMachine, line: str, says: str) -> None:
    done = machine.run("sh", "-c", line, check=False)
    assert done.stderr.startswith(says)
    assert done.stdout == ""


def test_list_is_json_for_programs(machine: DebianMachine) -> None:
    rows = json.loads(machine.xl("list", "--long").stdout)
    assert {row["domid"]: row["config"]["c_info"]["name"] for row in rows} == {
        0: "Domain-0",
        1: "DomA",
        2: "DomD",
    }


def test_a_domain_is_cloned_through_a_fifo(machine: DebianMachine) -> None:
    """Saved with -c and restored at the same time under another name: nothing of it may need a file."""
    machine.put("/etc/xen/clone.cfg", guest_config("clone"))
    machine.sh(
        "mkfifo /var/tmp/fifo; xl save -c DomA /var/tmp/fifo & "
        "xl restore -p -e /etc/xen/clone.cfg /var/tmp/fifo && wait $! && rm /var/tmp/fifo"
    )
    rows = [line.split() for line in machine.xl("list").stdout.splitlines()[2:]]
    assert [(row[0], row[4]) for row in rows] == [
        ("DomA", "--p---"),
        ("DomD", "--p---"),
        ("clone", "--p---"),
    ]
    machine.xl("destroy", "clone")


def test_the_newest_domain_is_dumped(machine: DebianMachine) -> None:
    machine.sh("id=$(xl list | awk '{print $2}' | tail -1); xl dump-core $id /var/tmp/dump$id")
    assert machine.sh("head -c 4 /var/tmp/dump2 | od -An -c; rm /var/tmp/dump2").split() == [
        "177",
        "E",
        "L",
        "F",
    ]


def test_debians_examples_are_understood(machine: DebianMachine) -> None:
    for kind in ("hvm", "pvlinux", "pvhlinux"):
        shown = machine.xl("create", "-n", f"/etc/xen/xlexample.{kind}").stdout
        assert json.loads(shown)["c_info"]["name"].startswith("example")


def test_whatever_is_left_is_destroyed(machine: DebianMachine) -> None:
    """The last one: as Xen's own test system clears a host."""
    machine.sh("xl list | awk '!/^Domain-0 |^Name / {print $2}' | xargs -t -r -n1 xl destroy")
    assert len(machine.xl("list").stdout.splitlines()) == 2
