"""Hosts of the lab, as a user and as tests have them."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from xen_hosts import XenHost, wanted_xen

from xlpy.errors import InvalidState

pytestmark = pytest.mark.xen

LAB_CONFIG = Path(__file__).parent.parent.parent / "configs/lab.cfg"


@pytest.mark.xen_core
class TestOneHost:
    def test_xen_runs_there(self, xen_host: XenHost) -> None:
        assert re.search(r"xen_version +: " + re.escape(wanted_xen()), xen_host.run("xl", "info").stdout)
        assert "Domain-0" in xen_host.run("xl", "list").stdout

    def test_it_is_a_host_of_its_own(self, xen_host: XenHost) -> None:
        """Name, and the time: the snapshot's would be that of the image's first boot."""
        assert xen_host.sh("hostname").strip() == xen_host.name
        before = time.time()
        there = float(xen_host.sh("date +%s.%N"))
        assert before - 2 <= there <= time.time() + 2

    def test_a_pv_guest_runs_and_ends(self, xen_host: XenHost) -> None:
        xen_host.put("/root/lab.cfg", LAB_CONFIG.read_text())
        xen_host.run("xl", "create", "-q", "/root/lab.cfg")
        xen_host.wait_for_console("lab-guest", "guest up")
        xen_host.run("xl", "shutdown", "-ww", "lab-guest")
        assert "lab-guest" not in xen_host.run("xl", "list").stdout


class TestReset:
    def test_what_was_done_is_undone(self, xen_host: XenHost) -> None:
        xen_host.put("/root/mark", "here")
        xen_host.reset()
        assert xen_host.run("test", "-e", "/root/mark", check=False).returncode == 1
        assert xen_host.sh("hostname").strip() == xen_host.name

    def test_to_a_state_of_ones_own(self, xen_host: XenHost) -> None:
        xen_host.put("/root/mark", "here")
        xen_host.save_snapshot("mine")
        xen_host.run("rm", "/root/mark")
        xen_host.reset("mine")
        assert xen_host.get("/root/mark") == b"here"

    def test_random_numbers_are_new(self, xen_host: XenHost) -> None:
        """Two hosts of one snapshot, or one that is put back, would else make the same uuids and keys."""
        seen = set()
        for _ in range(2):
            xen_host.reset()
            seen.add(xen_host.get("/proc/sys/kernel/random/uuid"))
        assert len(seen) == 2

    def test_to_a_state_that_is_not_there(self, xen_host: XenHost) -> None:
        with pytest.raises(InvalidState, match="no snapshot 'nosuch'"):
            xen_host.reset("nosuch")


class TestPair:
    def test_they_reach_each_other(self, xen_pair: tuple[XenHost, XenHost]) -> None:
        first, second = xen_pair
        assert first.run("ping", "-c", "1", "-W", "5", "lab2").returncode == 0
        assert first.run("ssh", "-o", "BatchMode=yes", "lab2", "hostname").stdout.strip() == second.name
        assert second.run("ssh", "-o", "BatchMode=yes", "lab1", "hostname").stdout.strip() == first.name

    def test_their_cards_differ(self, xen_pair: tuple[XenHost, XenHost]) -> None:
        addresses = {host.sh("cat /sys/class/net/eth1/address").strip() for host in xen_pair}
        assert len(addresses) == 2
