"""What the README promises: from here, a PV guest on a real Xen on which nothing of xlpy is installed."""

from __future__ import annotations

from pathlib import Path

import pytest
from xen_hosts import XenHost

LAB_CONFIG = Path(__file__).parent.parent.parent / "configs/lab.cfg"

pytestmark = [pytest.mark.xen, pytest.mark.xen_core]


class TestStory:
    def test_a_guest_over_ssh(self, xen_host: XenHost) -> None:
        xen_host.xlpy("create", str(LAB_CONFIG))
        (line,) = [line for line in xen_host.xlpy("list").stdout.splitlines() if "lab-guest" in line]
        assert line.split()[2:4] == ["128", "1"]
        assert "lab-guest" in xen_host.run("xl", "list").stdout
        xen_host.wait_for_console("lab-guest", "guest up")
        xen_host.xlpy("shutdown", "-ww", "lab-guest")
        assert "lab-guest" not in xen_host.run("xl", "list").stdout
