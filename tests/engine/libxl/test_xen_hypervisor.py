"""What only a hypervisor has, on a real Xen with two processors: cpupools and their schedulers, Flask, NUMA, log keys."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from idle_kernel import idle_kernel
from xen_hosts import XenHost, XenHosts, wanted_xen

pytestmark = pytest.mark.xen

# Times, and whether a vcpu runs, differ from one moment to the next.
MOVING = re.compile(r" +\d+\.\d|[r-][b-]----")
_LACKING = re.compile("support|hardware|feature|disabled")
CONFIG = """\
name = "idle"
type = "pvh"
kernel = "/srv/guest/idle"
memory = 32
vcpus = 2
"""


@pytest.fixture(scope="class")
def idle(xen_hosts: XenHosts, tmp_path_factory: pytest.TempPathFactory) -> XenHost:
    """A host with two processors and a domain that does nothing on two vcpus."""
    xen_hosts.end("lab2")
    host = xen_hosts.get("lab1", wanted_xen(), cpus=2)
    host.put("/srv/guest/idle", idle_kernel())
    config = tmp_path_factory.mktemp("idle") / "idle.cfg"
    config.write_text(CONFIG)
    host.xlpy("create", str(config))
    return host


def pool_with(host: XenHost, scheduler: str) -> None:
    """A cpupool of the second processor, with the domain in it."""
    host.xlpy("cpupool-cpu-remove", "Pool-0", "1")
    made = host.xlpy("cpupool-create", f'name="other"; sched="{scheduler}"; cpus=["1"]', check=False)
    if made.returncode:
        host.xlpy("cpupool-cpu-add", "Pool-0", "1")
        assert "Could not create cpupool" in made.stderr
        pytest.skip(f"this Xen is built without the scheduler {scheduler}, as Debian's is")
    host.xlpy("cpupool-migrate", "idle", "other")


def dissolve(host: XenHost) -> None:
    """The processor and the domain go back to where they were."""
    host.xlpy("cpupool-migrate", "idle", "Pool-0")
    host.xlpy("cpupool-destroy", "other")
    host.xlpy("cpupool-cpu-add", "Pool-0", "1")


def same(host: XenHost, *words: str) -> str:
    """What a command prints, which is what xl prints."""
    ours = host.xlpy(*words).stdout
    assert MOVING.sub("~", ours) == MOVING.sub("~", host.run("xl", *words).stdout)
    return ours


class TestSchedulers:
    def test_rtds(self, idle: XenHost) -> None:
        pool_with(idle, "rtds")
        try:
            idle.xlpy("sched-rtds", "-d", "idle", "-v", "all", "-p", "20000", "-b", "5000", "-e", "0")
            idle.xlpy("sched-rtds", "-d", "idle", "-v", "1", "-p", "30000", "-b", "6000", "-e", "1")
            rows = same(idle, "sched-rtds", "-d", "idle", "-v", "all").splitlines()
            assert [row.split()[2:] for row in rows[-2:]] == [
                ["0", "20000", "5000", "no"],
                ["1", "30000", "6000", "yes"],
            ]
            same(idle, "sched-rtds", "-d", "idle")
            refused = idle.xlpy("sched-rtds", "-d", "idle", "-v", "all", "-p", "10", "-b", "500", check=False)
            assert refused.returncode == 1, "a budget is no longer than its period"
        finally:
            dissolve(idle)

    def test_credit(self, idle: XenHost) -> None:
        pool_with(idle, "credit")
        try:
            idle.xlpy("sched-credit", "-d", "idle", "-w", "300", "-c", "50")
            idle.xlpy("sched-credit", "-s", "-p", "other", "-t", "10", "-r", "500")
            assert " 300 " in same(idle, "sched-credit", "-d", "idle")
            assert "tslice=10ms ratelimit=500us" in same(idle, "sched-credit", "-s", "-p", "other")
            assert idle.xlpy("sched-rtds", "-d", "idle", "-v", "all", check=False).returncode == 1
        finally:
            dissolve(idle)

    def test_what_a_scheduler_does_not_know_is_refused(self, idle: XenHost) -> None:
        pool_with(idle, "null")
        try:
            for command in ("sched-credit", "sched-credit2"):
                refused = idle.xlpy(command, "-d", "idle", "-w", "300", check=False)
                assert refused.returncode == 1
            assert "null" in same(idle, "cpupool-list")
        finally:
            dissolve(idle)
        refused = idle.xlpy("cpupool-create", 'name="x"; sched="nosuch"', check=False)
        assert refused.returncode == 1
        assert "nosuch" in refused.stderr


class TestPlaces:
    def test_pinning(self, idle: XenHost) -> None:
        idle.xlpy("vcpu-pin", "idle", "0", "1", "0-1")
        idle.xlpy("vcpu-pin", "idle", "1", "-", "0")
        found = json.loads(idle.xlpy("vcpu-list", "idle", "-o", "json").stdout)["rows"]
        assert [(row["hard_affinity"], row["soft_affinity"]) for row in found] == [
            ([1], [0, 1]),
            ([0, 1], [0]),
        ]
        idle.xlpy("vcpu-set", "idle", "1")
        assert "idle" in same(idle, "list", "-n")
        same(idle, "info", "-n")

    def test_claims_and_sharing(self, idle: XenHost) -> None:
        same(idle, "claims")
        same(idle, "sharing")

    def test_pools_by_node(self, idle: XenHost) -> None:
        idle.xlpy("cpupool-numa-split")
        assert "Pool-node0" in same(idle, "cpupool-list")
        idle.xlpy("cpupool-rename", "Pool-node0", "Pool-0")


class TestHypervisor:
    def test_log_keys_and_messages(self, idle: XenHost) -> None:
        idle.xlpy("debug-keys", "h")
        said = idle.xlpy("dmesg").stdout
        assert "key 'h' (ascii '68') => show this message" in said
        idle.xlpy("dmesg", "-c")
        assert "show this message" not in idle.xlpy("dmesg").stdout

    def test_parameters(self, idle: XenHost) -> None:
        idle.xlpy("set-parameters", "guest_loglvl=warning")
        refused = idle.xlpy("set-parameters", "nosuch=1", check=False)
        assert refused.returncode == 1
        assert "nosuch=1" in refused.stderr

    def test_flask(self, idle: XenHost, tmp_path: Path) -> None:
        """Debian's hypervisor has it, switched off."""
        assert "Flask XSM Disabled" in idle.xlpy("getenforce", check=False).stdout
        assert idle.xlpy("setenforce", "1", check=False).returncode != 0
        policy = tmp_path / "policy"
        policy.write_bytes(b"no policy")
        assert idle.xlpy("loadpolicy", str(policy), check=False).returncode != 0

    def test_what_the_processor_or_this_xen_lacks(self, idle: XenHost, tmp_path: Path) -> None:
        assert "Enabled         : 0" in idle.xlpy("psr-hwinfo").stdout
        for words in (
            ("psr-cmt-attach", "idle"),
            ("psr-cmt-show", "cache-occupancy"),
            ("psr-cat-show",),
            ("psr-cat-set", "idle", "0xff"),
            ("psr-mba-set", "idle", "10"),
        ):
            refused = idle.xlpy(*words, check=False)
            assert refused.returncode == 1, words
            assert _LACKING.search(refused.stderr), words
        overlay = tmp_path / "x.dtbo"
        overlay.write_bytes(b"overlay")
        refused = idle.xlpy("dt-overlay", "add", str(overlay), check=False)
        assert refused.returncode == 1
        assert "other machines have it" in refused.stderr


class TestHardware:
    @pytest.mark.skip(reason="needs an Intel processor with RDT, and psr=cmt,cat,mba on Xen's command line")
    def test_platform_shared_resources(self, idle: XenHost) -> None:
        idle.xlpy("psr-cmt-attach", "idle")
        assert "idle" in same(idle, "psr-cmt-show", "cache-occupancy")
        idle.xlpy("psr-cat-set", "idle", "0x3")
        assert "0x3" in same(idle, "psr-cat-show", "idle")
        same(idle, "psr-hwinfo")

    @pytest.mark.skip(reason="needs Xen 4.22 or newer, of which Debian has none")
    def test_xenstore_quotas(self, idle: XenHost) -> None:
        idle.xlpy("xenstore-quota-set", "idle", "nodes=500")
        assert "500" in idle.xlpy("xenstore-quota-get", "idle").stdout

    @pytest.mark.skip(reason="needs an ARM machine with a device tree")
    def test_device_tree_overlay(self, idle: XenHost, tmp_path: Path) -> None:
        idle.xlpy("dt-overlay", "add", str(tmp_path / "device.dtbo"))
