"""Live migration between two real Xen hosts, led from here over SSH by our own handover."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from eventually import eventually
from xen_hosts import XenHost, XenHosts

pytestmark = pytest.mark.xen

ROOT = Path(__file__).parents[3]
GUEST = """\
name = "web"
type = "pvh"
kernel = "/srv/guest/vmlinuz"
ramdisk = "/srv/guest/initrd.img"
extra = "console=hvc0 quiet"
memory = 96
%s
"""
# All of a domain's memory goes through two emulated machines' ssh.
PATIENCE_S = 600.0


class Pair:
    """Two hosts, and a domain ``web`` that boots on the first."""

    def __init__(self, hosts: XenHosts, source: XenHost, target: XenHost, place: Path) -> None:
        self.source, self.target = source, target
        self._hosts = hosts
        self._place = place

    def create(self, more: str = "") -> None:
        config = self._place / "web.cfg"
        config.write_text(GUEST % more)
        self.source.xlpy("create", str(config), timeout_s=PATIENCE_S)
        self.source.wait_for_console("web", "guest up", timeout_s=PATIENCE_S)

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """``xlpy -H SOURCE`` with these words, in the background."""
        return subprocess.Popen(
            [sys.executable, "-m", "xlpy", "-H", self.source.name, *words],
            cwd=ROOT,
            env=self._hosts.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def runs_at(self) -> list[str]:
        """The hosts on which Xen has a domain of this name that isn't standing still, whoever asks."""
        found = []
        for host in (self.source, self.target):
            for line in host.run("xl", "list").stdout.splitlines()[2:]:
                name, *_, state, _ = line.split()
                if name.startswith("web") and "s" not in state and "p" not in state:
                    found.append(host.name)
        return found

    def transfers(self) -> list[dict[str, object]]:
        said = self.source.xlpy("-o", "json", "migrate", "--list").stdout
        rows: list[dict[str, object]] = json.loads(said)["rows"]
        return rows

    def domains(self) -> list[int]:
        """How many domains each host has beside dom0, in whatever state."""
        return [host.run("xl", "list").stdout.count("\n") - 2 for host in (self.source, self.target)]


@pytest.fixture
def pair(xen_hosts: XenHosts, xen_pair: tuple[XenHost, XenHost], tmp_path: Path) -> Pair:
    return Pair(xen_hosts, *xen_pair, tmp_path)


class TestMoving:
    def test_what_is_in_the_way_is_said_before_anything_starts(self, pair: Pair) -> None:
        disk = 'disk = ["file:/var/tmp/only-here.img,xvda,w"]\nvif = ["bridge=onlyhere"]'
        pair.source.sh("truncate -s 1M /var/tmp/only-here.img && ip link add onlyhere type bridge")
        pair.create(disk)
        done = pair.source.xlpy("migrate", "--check", "web", pair.target.name, check=False)
        assert done.returncode == 1
        assert "there is no /var/tmp/only-here.img" in done.stdout
        assert "there is no bridge onlyhere" in done.stdout
        done = pair.source.xlpy("migrate", "web", pair.target.name, check=False)
        assert done.returncode == 1
        assert "the domain runs on at lab1" in done.stderr
        assert pair.domains() == [1, 0]
        assert pair.runs_at() == ["lab1"]
        pair.source.xlpy("destroy", "web")

    def test_there_after_one_that_was_called_off(self, pair: Pair) -> None:
        pair.create()
        before = pair.source.xlpy("uptime", "-s", "web").stdout
        assert before
        first = pair.begin("migrate", "web", pair.target.name)
        try:
            eventually(lambda: [row["state"] for row in pair.transfers()] == ["saving"], timeout_s=PATIENCE_S)
            pair.source.xlpy("migrate", "--abort", "web")
            said, _ = first.communicate(timeout=PATIENCE_S)
        finally:
            first.kill()
            first.wait()
        assert first.returncode == 1
        assert "was called off by another client" in said
        eventually(lambda: pair.domains() == [1, 0], timeout_s=PATIENCE_S)
        assert pair.runs_at() == ["lab1"]

        said_there = pair.source.xlpy("console", "--dump", "web").stdout
        assert said_there
        pair.source.xlpy("migrate", "web", pair.target.name, timeout_s=PATIENCE_S)
        assert pair.domains() == [0, 1]
        assert pair.runs_at() == ["lab2"]
        assert pair.target.xlpy("console", "--dump", "web").stdout.startswith(said_there)
        # it lives, and its new xlpyd sees to its end
        pair.target.xlpy("shutdown", "-w", "-w", "web", timeout_s=PATIENCE_S)
        assert pair.domains() == [0, 0]


class TestDirect:
    def test_from_host_to_host(self, pair: Pair) -> None:
        pair.create()
        to = ("--direct", "--direct-address", f"root@{pair.target.name}", "web", pair.target.name)
        pair.source.xlpy("migrate", *to, timeout_s=PATIENCE_S)
        assert pair.domains() == [0, 1]
        assert pair.runs_at() == ["lab2"]
        pair.target.xlpy("destroy", "web")

    def test_to_a_host_that_has_xl_alone(self, pair: Pair) -> None:
        pair.create()
        ssh = shlex.join(pair.target.argv("xl", "migrate-receive"))
        done = pair.source.xlpy("-v", "migrate", "-s", "", "web", ssh, timeout_s=PATIENCE_S)
        assert "migration target: Domain started successsfully." in done.stderr
        assert pair.domains() == [0, 1]
        assert pair.runs_at() == ["lab2"]
        pair.target.run("xl", "destroy", "web")
