"""xlpy and xl on one real Xen: each lists, manages, saves and restores what the other made, and prints the same."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from eventually import eventually
from xen_dom0 import GUEST, Dom0
from xen_hosts import XenHost, XenHosts

pytestmark = pytest.mark.xen

ROOT = Path(__file__).parents[3]
# Times and placement differ from one moment to the next.
MOVING = re.compile(r"\d+\.\d|r-----|-b----|------|--p---| r-- | -b- | --- ")


class TestReading:
    def test_both_print_the_same(self, dom0: Dom0) -> None:
        dom0.xlpy("create", "-p", dom0.config("one"))
        dom0.xl("create", "-p", dom0.config("two", "pvh"))
        assert dom0.names() == {"Domain-0", "one", "two"}
        for command in (
            ("info",),
            ("info", "-n"),
            ("list",),
            ("list", "-v"),
            ("list", "-n"),
            ("list", "-Z"),
            ("vm-list",),
            ("vcpu-list",),
            ("vcpu-list", "one"),
            ("domid", "two"),
            ("domname", "0"),
            ("sched-credit2",),
            ("sched-credit2", "-s"),
            ("cpupool-list",),
            ("cpupool-list", "-c"),
            ("claims",),
            ("sharing",),
            ("block-list", "one"),
            ("network-list", "one"),
            ("vtpm-list", "one"),
            ("vkb-list", "one"),
            ("channel-list", "one"),
            ("usb-list", "one"),
            ("pci-list", "one"),
            ("list", "-l", "two"),
            ("getenforce",),
        ):
            ours, theirs = (run(*command, check=False) for run in (dom0.xlpy, dom0.xl))
            assert MOVING.sub("~", ours) == MOVING.sub("~", theirs), command

    def test_what_is_not_there(self, dom0: Dom0) -> None:
        assert "nosuch is an invalid domain identifier" in dom0.xlpy("list", "nosuch", check=False)

    def test_why_a_domain_cannot_be_created(self, dom0: Dom0) -> None:
        config = dom0.config("three")
        said = dom0.xlpy("create", config, 'kernel="/nothing/here"', check=False)
        assert "/nothing/here" in said.splitlines()[0]
        assert "No such file" in said
        said = dom0.xlpy("create", config, "memory=900000", check=False)
        assert "MiB" in said
        said = dom0.xlpy("create", config, 'name="two"', check=False)
        assert '"two" already exists' in said
        assert dom0.names() == {"Domain-0", "one", "two"}


class TestLife:
    def test_files_go_both_ways(self, dom0: Dom0) -> None:
        dom0.xlpy("create", dom0.config("web"))
        dom0.host.wait_for_console("web", "guest up")
        dom0.xlpy("save", "web", "/root/ours")
        dom0.xl("restore", "/root/ours")
        dom0.xl("save", "web", "/root/theirs")
        assert dom0.names() == {"Domain-0"}
        dom0.xlpy("restore", "/root/theirs")
        assert dom0.names() == {"Domain-0", "web"}
        dom0.host.run("rm", "/root/ours", "/root/theirs")

    def test_each_names_and_stops_the_others(self, dom0: Dom0) -> None:
        dom0.xl("rename", "web", "db")
        assert dom0.names() == {"Domain-0", "db"}
        dom0.xl("create", "-p", dom0.config("app"))
        dom0.xlpy("rename", "app", "app2")
        dom0.xlpy("destroy", "app2")
        dom0.xl("destroy", "db")
        assert dom0.names() == {"Domain-0"}

    def test_rules_for_ends(self, dom0: Dom0) -> None:
        dom0.xlpy("create", dom0.config("web"))
        before = dom0.xlpy("domid", "web")
        dom0.host.wait_for_console("web", "guest up")
        dom0.xlpy("dump-core", "web", "/root/core")
        assert dom0.host.sh("head -c 4 /root/core; rm /root/core") == "\x7fELF"
        dom0.xlpy("reboot", "web")
        eventually(lambda: dom0.xl("domid", "web", check=False) not in (before, ""))
        dom0.host.wait_for_console("web", "guest up")
        dom0.xlpy("shutdown", "-w", "web")
        assert dom0.names() == {"Domain-0"}

    def test_what_xl_did_counts_at_the_next_start(self, dom0: Dom0) -> None:
        dom0.xlpy("create", dom0.config("web"))
        dom0.host.wait_for_console("web", "guest up")
        dom0.xl("rename", "web", "db")
        before = dom0.xl("domid", "db")
        dom0.xl("config-update", "db", dom0.config("web"), "memory=144")
        dom0.xl("reboot", "db")
        eventually(
            lambda: dom0.xl("domid", "db", check=False).strip() not in (before.strip(), ""), timeout_s=120
        )
        # it is in the list before it has its memory
        eventually(lambda: re.search(r"^db +\d+ +144 ", dom0.xl("list"), re.MULTILINE), timeout_s=120)
        assert dom0.names() == {"Domain-0", "db"}
        dom0.xlpy("destroy", "db")

    def test_xlpyd_is_killed(self, dom0: Dom0) -> None:
        dom0.xlpy("create", "-p", dom0.config("web"))
        uptime = dom0.xlpy("domid", "web")
        dom0.host.sh("pkill -9 -f [x]lpy.agent.xlpyd")
        assert dom0.xlpy("domid", "web") == uptime
        dom0.xlpy("destroy", "web")
        assert dom0.names() == {"Domain-0"}
        assert dom0.host.sh("ls /run/xlpy/consoles; losetup -a; xenstore-ls /vm").strip().count("\n") <= 3


@pytest.mark.xen_core
class TestFromOutside:
    """The engine travels into a dom0 that has nothing but Python, 3.9 in the oldest."""

    def test_life(self, xen_host: XenHost, xen_hosts: XenHosts, tmp_path: Path) -> None:
        config = tmp_path / "web.cfg"
        config.write_text(GUEST % ("web", "pvh"))
        environ = {**os.environ, "XLPY_INVENTORY": str(xen_hosts.inventory), "XDG_STATE_HOME": str(tmp_path)}

        def xlpy(*words: str) -> str:
            argv = (sys.executable, "-m", "xlpy", "--no-broker", "-H", xen_host.name, *words)
            done = subprocess.run(
                argv, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
            )
            assert done.returncode == 0, f"{words}: {done.stderr}"
            return done.stdout

        assert f"xen_version            : {xen_host.xen}." in xlpy("info")
        xlpy("create", "-p", str(config))
        assert re.search(r"web +\d+ +128 +1 +--p---", xlpy("list"))
        assert re.search(r"web +\d+ +128 +1 +--p---", xen_host.run("xl", "list").stdout)
        xlpy("unpause", "web")
        assert "/srv/guest/vmlinuz" in xlpy("list", "-l", "web")
        xlpy("sched-credit2", "-d", "web", "-w", "300")
        assert re.search(r"web +\d+ +300", xen_host.run("xl", "sched-credit2").stdout)
        xlpy("destroy", "web")
        assert "web" not in xen_host.run("xl", "list").stdout
