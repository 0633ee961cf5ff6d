"""devd in a dom0: it sees to the back ends there as xl's does, which both tell in their logs.

In a dom0 the toolstack runs the scripts of disks and cards itself, so what is left for devd is a domain's console, of
which it can make nothing; in a driver domain it would be all of them.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from eventually import eventually
from xen_hosts import XenHost

pytestmark = pytest.mark.xen

ROOT = Path(__file__).parents[3]
OURS = "env PYTHONPATH=/opt/xlpy python3 -m xlpy"
LOG = "/var/log/xen/xldevd.log"
GUEST = """\
name = "g"
type = "pv"
kernel = "/srv/guest/vmlinuz"
ramdisk = "/srv/guest/initrd.img"
memory = 128
"""


@pytest.fixture(scope="class")
def dom0(xen_host: XenHost) -> XenHost:
    if xen_host.run(
        "python3", "-c", "import sys; sys.exit(sys.version_info < (3, 11))", check=False
    ).returncode:
        pytest.skip("the dom0's Python is too old for xlpy's own commands; from outside it does")
    xen_host.put_tree([ROOT / "xlpy"], "/opt/xlpy")
    xen_host.put("/root/g.cfg", GUEST)
    return xen_host


def log_of_a_life(host: XenHost, program: str) -> list[str]:
    """What devd logs while a domain is made and destroyed."""
    host.sh(f"{program} devd -p /run/devd.pid")
    try:
        assert "devd" in host.sh("cat /proc/$(cat /run/devd.pid)/cmdline")
        host.sh("xl create -q -p /root/g.cfg")
        eventually(lambda: "Domain" in host.get(LOG).decode(), 60)
        host.sh("xl destroy g")
    finally:
        host.sh("kill $(cat /run/devd.pid)")
    eventually(lambda: not host.sh("ps -o pid= -p $(cat /run/devd.pid)", check=False), 60)
    said = re.sub(r"Domain \d+|\[\d+\]|/\d+(?=/)", "N", host.get(LOG).decode())
    return sorted(set(said.splitlines()))


class TestDevd:
    def test_it_does_what_xls_does(self, dom0: XenHost) -> None:
        theirs = log_of_a_life(dom0, "xl")
        ours = log_of_a_life(dom0, OURS)
        assert "/backend/consoleN/0" in "".join(theirs)
        assert ours == theirs
        assert dom0.sh(f"ls {LOG}.1").strip() == f"{LOG}.1"
