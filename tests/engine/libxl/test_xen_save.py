"""Saves on a real Xen that don't come to their end: the domain goes on, and no file is left."""

from __future__ import annotations

import pytest
from xen_dom0 import XLPY, Dom0

pytestmark = pytest.mark.xen

# Starts the command, and sends it SIGINT once libxl's helper is writing; prints its exit status.
INTERRUPT = """\
import os, signal, subprocess, sys, time

def written_bytes():
    found = subprocess.run(["pgrep", "-f", "libxl-save-helper"], stdout=subprocess.PIPE, text=True).stdout.split()
    try:
        with open("/proc/%s/io" % found[0]) as file:
            return int(next(line for line in file if line.startswith("wchar")).split()[1])
    except (IndexError, OSError):
        return 0

client = subprocess.Popen(sys.argv[1:], start_new_session=True)
deadline = time.monotonic() + 120
while written_bytes() < 1 << 20:
    assert client.poll() is None and time.monotonic() < deadline
client.send_signal(signal.SIGINT)
print("exit status", client.wait(120))
"""


@pytest.fixture(scope="class")
def web(dom0: Dom0) -> Dom0:
    """A dom0 with a domain that is up."""
    dom0.host.put("/root/interrupt.py", INTERRUPT)
    dom0.xlpy("create", dom0.config("web"))
    dom0.host.wait_for_console("web", "guest up")
    return dom0


class TestUnfinished:
    def test_ctrl_c(self, web: Dom0) -> None:
        said = web.run("python3", "/root/interrupt.py", *XLPY.split(), "save", "web", "/var/tmp/web.save")
        assert "the save was given up; the domain is as it was before" in said
        assert "exit status 130" in said
        self.is_as_before(web)

    def test_full_disk(self, web: Dom0) -> None:
        web.host.sh("mkdir -p /mnt/small && mount -t tmpfs -o size=8m small /mnt/small")
        said = web.xlpy("save", "web", "/mnt/small/web.save", check=False)
        assert "cannot write /mnt/small/web.save: No space left on device" in said
        assert "the domain runs on" in said
        assert web.host.sh("ls -A /mnt/small") == ""
        web.host.sh("umount /mnt/small")
        self.is_as_before(web)

    def is_as_before(self, web: Dom0) -> None:
        """It runs, under its name; nothing writes any more, and there is no file."""
        state = web.xl("list", "web").split()[-2]
        assert set(state) <= set("rb-")
        assert web.host.sh("pgrep -f libxl-save-[h]elper || true") == ""
        assert web.host.sh("ls -A /var/tmp | grep web || true") == ""
