"""Commands on the hypervisor itself: recordings of xl, what it prints by its source, and what the host is asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import Call
from fake_engine import FakeEngine
from recorded import GPV, GPVH, GUESTS, Recording, populate

from xlpy.model.host import Cpupool
from xlpy.model.hypervisor import PsrHardware, PsrMonitoring
from xlpy.model.sched import RtdsParams

L3 = PsrHardware(feature="l3", socket=0, cos_max=15, cbm_length=11, cache_kib=25344)
MBA = PsrHardware(feature="mba", socket=0, cos_max=7, thrtl_max=90, linear=True)


@pytest.fixture
def lab(fake: FakeEngine) -> FakeEngine:
    populate(fake, *GUESTS)
    return fake


def check(name: str, xl: Call) -> None:
    recording = Recording(name)
    result = xl(*recording.words)
    assert (result.out, result.err, result.status) == (recording.out, recording.err, recording.status)


@pytest.mark.parametrize("name", ["debug-keys", "getenforce", "loadpolicy", "psr-hwinfo", "e-debugkeys"])
def test_as_recorded(name: str, xl: Call, lab: FakeEngine) -> None:
    check(name, xl)


def test_keys_and_parameters_reach_the_hypervisor(call: Call, lab: FakeEngine) -> None:
    assert call("debug-keys", "qr").status == 0
    assert call("set-parameters", "guest_loglvl=all").status == 0
    assert (lab.keys, lab.parameters) == ("qr", "guest_loglvl=all")


def test_flask(xl: Call, call: Call, lab: FakeEngine, tmp_path: Path) -> None:
    assert call("setenforce", "1").status == 255
    lab.flask = True
    assert (xl("getenforce").out, xl("getenforce").status) == ("Enforcing\n", 1)
    assert call("setenforce", "permissive").status == 0
    assert (xl("getenforce").out, xl("getenforce").status) == ("Permissive\n", 0)
    assert call("setenforce", "Enforcing").status == 0
    assert lab.flask is True
    assert json.loads(call("getenforce", "-o", "json").out)["rows"] == [{"mode": "enforcing"}]
    policy = tmp_path / "policy"
    policy.write_bytes(b"\x8c\xff|policy")
    assert call("loadpolicy", str(policy)).out == "Successfully loaded policy.\n"
    assert lab.policy == b"\x8c\xff|policy"
    assert call("loadpolicy", str(tmp_path / "none")).status == 255
    for words in (("setenforce",), ("setenforce", "maybe")):
        assert xl(*words).out.startswith("Usage: xl")
        assert (xl(*words).status, call(*words).status) == (2, 2)


def test_quotas(xl: Call, call: Call, lab: FakeEngine) -> None:
    assert xl("xenstore-quota-get", "-g").out == (
        "Quota name           Quota value\n--------------------------------\n"
        "nodes                    1000\nwatches                   128\n"
    )
    assert call("xenstore-quota-set", "gpv", "nodes=0x10").status == 0
    assert lab.xenstore_quotas(GPV.domid) == {"nodes": 16, "watches": 128}
    assert lab.xenstore_quotas() == {"nodes": 1000, "watches": 128}
    assert call("xenstore-quota-set", "-g", "nodes=5").status == 0
    assert lab.xenstore_quotas()["nodes"] == 5
    assert xl("xenstore-quota-set", "gpv", "nodes").err == 'Quota specification "nodes" lacks "=".\n'
    assert 'uses illegal value "-1"' in call("xenstore-quota-set", "gpv", "nodes=-1").err
    assert xl("xenstore-quota-get").err == 'Domain or "-g" must be specified.\n'
    assert call("xenstore-quota-set", "-g").status == 2


def test_device_tree_overlays(call: Call, lab: FakeEngine, tmp_path: Path) -> None:
    overlay = tmp_path / "x.dtbo"
    overlay.write_bytes(b"dtb")
    assert call("dt-overlay", "add", str(overlay)).status == 0
    assert call("dt-overlay", "attach", str(overlay), "gpvh").status == 0
    assert lab.overlays == [("add", b"dtb", None), ("attach", b"dtb", GPVH.domid)]
    assert "Missing domain ID" in call("dt-overlay", "attach", str(overlay)).err
    assert "Invalid dt overlay operation" in call("dt-overlay", "paint", str(overlay)).err
    assert "failed to read the overlay" in call("dt-overlay", "add", str(tmp_path / "none")).err
    assert call("dt-overlay", "add").status == 2


def test_suspend_to_ram(call: Call, lab: FakeEngine) -> None:
    assert call("suspend", "gpv").status == 0
    assert lab.suspended == {GPV.domid}
    assert call("resume", "gpv").status == 0
    assert lab.suspended == set()


def test_psr_hwinfo(xl: Call, call: Call, lab: FakeEngine) -> None:
    lab.psr = (L3, MBA)
    lab.monitoring = PsrMonitoring(enabled=True, total_rmid=87, kinds=("cache-occupancy",))
    assert xl("psr-hwinfo", "-m").out == (
        "Cache Monitoring Technology (CMT):\nEnabled         : 1\nTotal RMID      : 87\n"
        "Supported monitor types:\ncache-occupancy\n"
    )
    assert xl("psr-hwinfo", "-a").out == (
        "Cache Allocation Technology (CAT):\nSocket ID       : 0\nL3 Cache        : 25344KB\n"
        "CDP Status      : Disabled\nMaximum COS     : 15\nCBM length      : 11\nDefault CBM     : 0x7ff\n"
    )
    result = xl("psr-hwinfo", "-b")
    assert "Linear Mode             : Enabled\n" in result.out
    assert result.status == 0
    rows = json.loads(call("psr-hwinfo", "-o", "json").out)["rows"]
    assert [row["feature"] for row in rows] == ["cmt", "l3", "mba"]
    assert [row["enabled"] for row in rows] == [True, True, True]
    assert (rows[0]["total_rmid"], rows[0]["kinds"], rows[0]["socket"]) == (87, ["cache-occupancy"], None)
    lab.monitoring = PsrMonitoring(enabled=False)
    (row,) = json.loads(call("psr-hwinfo", "-m", "-o", "json").out)["rows"]
    assert (row["feature"], row["enabled"]) == ("cmt", False)
    assert call("psr-hwinfo", "--columns", "feature,enabled", "--no-headers").out.split() == (
        ["cmt", "no", "l3", "yes", "mba", "yes"]
    )


def test_psr_shares(xl: Call, call: Call, lab: FakeEngine) -> None:
    lab.psr = (L3, MBA)
    assert call("psr-cat-set", "gpv", "0xf").status == 0
    assert call("psr-mba-set", "-s", "0", "gpv", "20").status == 0
    assert xl("psr-cat-show", "gpv").out == (
        "Socket ID       : 0\nL3 Cache        : 25344KB\nDefault CBM     : 0x7ff\n"
        "   ID                     NAME             CBM\n"
        "   11                      gpv             0xf\n"
    )
    assert xl("psr-mba-show", "gpv").out.splitlines()[-1] == "   11                      gpv              20"
    assert len(json.loads(call("psr-cat-show", "-o", "json").out)["rows"]) == len(lab.list_domains())
    lab.psr = (L3.replace(cdp_enabled=True),)
    assert call("psr-cat-set", "-c", "gpv", "3").status == 0
    assert call("psr-cat-set", "-d", "gpv", "5").status == 0
    assert xl("psr-cat-show", "gpv").out.splitlines()[-1].split() == ["11", "gpv", "0x3", "0x5"]
    assert call("psr-cat-set", "-c", "-d", "gpv", "5").status == 1
    assert call("psr-cat-set", "-l", "4", "gpv", "5").status == 1
    assert call("psr-cat-set", "gpv", "half").status == 2
    assert call("psr-cat-set", "-s", "0-x", "gpv", "1").status == 2
    assert xl("psr-cat-show", "-l", "2").status == 253
    assert call("psr-cat-set", "-l", "2", "-s", "0,2-3", "gpv", "1").status == 0
    assert {key[2] for key in lab.psr_shares if key[1] == "l2_cbm"} == {0, 2, 3}


def test_psr_monitoring(xl: Call, call: Call, lab: FakeEngine) -> None:
    assert xl("psr-cmt-show", "cache-occupancy").err == "CMT is disabled in the system\n"
    lab.monitoring = PsrMonitoring(
        enabled=True, total_rmid=87, kinds=("cache-occupancy",), sockets=(0, 1), cache_kib=(100, 200)
    )
    assert call("psr-cmt-attach", "gpv").status == 0
    assert lab.monitoring.domids == (GPV.domid,)
    assert xl("psr-cmt-show", "cache-occupancy").out == (
        "Total RMID: 87\n"
        f"{'Name':<40} {'ID':>5}        Socket 0        Socket 1\n"
        f"{'Total L3 Cache Size':<46}          100 KB          200 KB\n"
        f"{'gpv':<40}    11         1011 KB         2011 KB\n"
    )
    assert "is not supported in the system" in call("psr-cmt-show", "local-mem-bandwidth").err
    assert xl("psr-cmt-show", "colour").out.startswith("Usage: xl")
    assert call("psr-cmt-show", "colour").status == 2
    assert call("psr-cmt-detach", "gpv").status == 0
    assert lab.monitoring.domids == ()


def test_credit_pool(xl: Call, call: Call, lab: FakeEngine) -> None:
    lab.pools = (lab.pools[0].replace(scheduler="credit"),)
    assert call("sched-credit", "-s", "-t", "10", "-r", "500", "-m", "7").status == 0
    assert xl("sched-credit", "-s").out == "Cpupool Pool-0: tslice=10ms ratelimit=500us migration-delay=7us\n"
    assert call("sched-credit", "-t", "10").status == 1
    assert call("sched-credit2", "-s", "-r", "5").status == 1


def test_real_time_scheduler(xl: Call, call: Call, lab: FakeEngine) -> None:
    lab.pools = (Cpupool(poolid=0, name="rt", scheduler="rtds", domain_count=2, cpus=(0, 1)),)
    gpv = lab.guests[GPV.domid]
    gpv.sched = gpv.sched.replace(scheduler="rtds")
    header = f"{'Name':<33} {'ID':>4} {'Period':>9} {'Budget':>9} {'Extratime':>10}\n"
    assert xl("sched-rtds", "-d", "gpv").out == f"{header}{'gpv':<33}   11     10000      4000         no\n"
    assert xl("sched-rtds").out.startswith(f"Cpupool rt: sched=RTDS\n{header}Domain-0")
    words = ("-v", "0", "-p", "100", "-b", "50", "-e", "1", "-v", "1", "-p", "200", "-b", "60", "-e", "0")
    assert call("sched-rtds", "-d", "gpv", *words).status == 0
    assert lab.rtds[GPV.domid] == (
        RtdsParams(vcpuid=0, period_us=100, budget_us=50, extratime=True),
        RtdsParams(vcpuid=1, period_us=200, budget_us=60),
    )
    assert xl("sched-rtds", "-d", "gpv", "-v", "1").out.splitlines()[1].split() == [
        "gpv",
        "11",
        "1",
        "200",
        "60",
        "no",
    ]
    assert len(xl("sched-rtds", "-d", "gpv", "-v", "all").out.splitlines()) == 1 + len(gpv.vcpus)
    assert call("sched-rtds", "-d", "gpv", "-v", "all", "-p", "1", "-b", "1", "-e", "0").status == 0
    assert lab.rtds[GPV.domid] == (RtdsParams(vcpuid=None, period_us=1, budget_us=1),)
    assert "rows" in json.loads(call("sched-rtds", "-v", "all", "-o", "json").out)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-c", "rt", "-d", "gpv"), "Specifying a cpupool is not allowed with other options."),
        (("-p", "1", "-b", "1", "-e", "0"), "Missing parameters."),
        (("-d", "gpv", "-p", "1", "-b", "1", "-e", "0"), "Must specify VCPU."),
        (("-d", "gpv", "-v", "0", "-v", "all"), "Incorrect VCPU IDs."),
        (("-d", "gpv", "-v", "0", "-p", "1"), "Incorrect number of period, budget and extratime"),
        (("-d", "gpv", "-v", "0", "-e", "2"), "Invalid extratime."),
    ],
)
def test_real_time_mistakes(words: tuple[str, ...], said: str, xl: Call, lab: FakeEngine) -> None:
    result = xl("sched-rtds", *words)
    assert (result.err, result.status) == (f"{said}\n", 1)
