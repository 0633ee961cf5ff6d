"""migrate --direct: the state goes from host to host through a remote shell of the source's; here that is sh itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from eventually import eventually
from fake_engine import FakeEngine
from in_process import InProcessHost
from sample_configs import tiny

from xlpy.agent.meeting import Meeting
from xlpy.client.direct import DirectWay, way_by, way_to
from xlpy.client.migrate import migrate
from xlpy.errors import ConnectError, DomainExists, InvalidState, MissingProgram, UsageError, XlError
from xlpy.inventory.entry import HostEntry
from xlpy.model.migration import DirectRoute

SHELL = DirectWay(command=("sh", "-c"), python="python3")
XEN = HostEntry(name="xen3", address="xen3.example.org", user="root", port=2222)


class Pair:
    """Two hosts and a domain ``web`` on the first."""

    def __init__(self, place: Path) -> None:
        self.fakes = FakeEngine(), FakeEngine()
        self.agents = [
            InProcessHost(fake, place / name, f"host-{name}")
            for fake, name in zip(self.fakes, "ab", strict=True)
        ]
        self.source, self.target = (agent.connect() for agent in self.agents)
        self.domid = self.source.create_domain(tiny("web"))
        self.meetings = place / "b" / "meetings"

    def migrate(self, way: DirectWay) -> int:
        return migrate(self.source, self.target, self.domid, direct=way)[0]

    def running(self) -> str:
        """The hosts where it runs, and there alone is anything left of it."""
        left = "".join(
            name for name, agent in zip("ab", self.agents, strict=True) if agent.supervisor.store.records()
        )
        runs = "".join(
            name
            for name, fake in zip("ab", self.fakes, strict=True)
            if any(info.running and info.domid for info in fake.list_domains())
        )
        return runs if left == runs else f"{runs}, left {left}"

    def close(self) -> None:
        for agent in self.agents:
            agent.close()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    pair = Pair(tmp_path)
    yield pair
    pair.close()


def test_a_domain_moves(pair: Pair) -> None:
    pair.fakes[0].guests[pair.domid].ticks = 42
    domid = pair.migrate(SHELL)
    assert pair.running() == "b"
    assert pair.fakes[1].guests[domid].ticks == 42
    assert os.listdir(pair.meetings) == []


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        (
            "echo Host key verification failed. >&2; exit 255",
            "sh on the source's host says: Host key verification",
        ),
        ("echo 'root@b: Permission denied (publickey).' >&2; exit 255", "says: root@b: Permission denied"),
        ("exit 1", "the migration failed"),
        ("head -c 100000 >/dev/null; echo broken >&2; exit 3", "says: broken"),
    ],
)
def test_a_remote_shell_that_fails(pair: Pair, script: str, complaint: str) -> None:
    with pytest.raises(XlError, match=f"the domain runs on at host-a: .*{complaint}|{complaint}"):
        pair.migrate(DirectWay(command=("sh", "-c", script)))
    eventually(lambda: pair.running() == "a")
    eventually(lambda: os.listdir(pair.meetings) == [])
    assert pair.migrate(SHELL)
    assert pair.running() == "b"


def test_no_remote_shell(pair: Pair) -> None:
    with pytest.raises(MissingProgram, match="cannot run no-such-ssh on this host"):
        pair.migrate(DirectWay(command=("no-such-ssh",)))
    eventually(lambda: pair.running() == "a")


def test_an_interpreter_that_would_need_quoting(pair: Pair) -> None:
    with pytest.raises(InvalidState, match="is no name of an interpreter"):
        pair.migrate(DirectWay(command=("sh", "-c"), python="python3; reboot"))
    eventually(lambda: pair.running() == "a")


def test_what_is_in_the_way_is_found_before(pair: Pair) -> None:
    pair.target.create_domain(tiny("web"))
    with pytest.raises(DomainExists):
        pair.migrate(SHELL)
    assert not pair.meetings.exists()


def test_both_ends_begin_with_something(pair: Pair) -> None:
    saved = pair.source.describe_domain(pair.domid)
    with pytest.raises(InvalidState, match="has to begin with open_meeting"):
        pair.target.receive_direct(saved)
    place = pair.target.open_meeting(saved.transfer_id or "")
    assert os.stat(place).st_mode & 0o777 == 0o600
    pair.target.close()
    eventually(lambda: not os.path.exists(place))
    with pytest.raises(InvalidState, match="no proper id"):
        pair.target.open_meeting("../escape")
    pair.target.close()
    route = DirectRoute(command=("true",), meeting_place="/nowhere")
    with pytest.raises(XlError):
        pair.agents[0].connect().send_direct(pair.domid, route)
    assert pair.running() == "a"


def test_nobody_comes(tmp_path: Path) -> None:
    silent, _open_end = os.pipe()
    with (
        Meeting(str(tmp_path), "t1") as meeting,
        pytest.raises(ConnectError, match="nothing came from the source"),
    ):
        meeting.wait(silent, timeout_s=0.01)
    assert not os.path.exists(meeting.path)
    os.close(silent)
    os.close(_open_end)


def test_ways() -> None:
    assert way_to(XEN, "root@10.0.0.3:2022").command[-4:] == ("-p", "2022", "--", "root@10.0.0.3")
    assert way_to(XEN, "[fe80::1%eth0]").command[-2:] == ("--", "fe80::1%eth0")
    assert way_to(XEN, "b", "ssh -i '/my key'").command == ("ssh", "-i", "/my key", "b")
    assert way_by("ssh -p 22 xen3", XEN.replace(python="python3.9")) == DirectWay(
        command=("ssh", "-p", "22", "xen3"), python="python3.9"
    )
    assert way_to(XEN, "b").command[:2] == ("ssh", "-T")


def test_way_of_the_inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "config").write_text("Host xen9\n  HostName 192.0.2.9\n  Port 2200\n  User admin\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert way_to(XEN).command[-4:] == ("-p", "2222", "--", "root@xen3.example.org")
    assert way_to(HostEntry(name="xen9", address="xen9")).command[-4:] == (
        "-p",
        "2200",
        "--",
        "admin@192.0.2.9",
    )


@pytest.mark.parametrize(
    "address", ["", "-oProxyCommand=reboot", "a b", "root@", "root@-x", "a:b", "a:22:33"]
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(UsageError):
        way_to(XEN, address)


def test_what_is_no_command() -> None:
    for command in ("", "  ", "ssh 'x"):
        with pytest.raises(UsageError):
            way_by(command, XEN)
    with pytest.raises(UsageError, match="no address that another host could use"):
        way_to(HostEntry(name="b", address="unix:///run/b.sock"))
