"""info, cpupool-list, the schedulers, sharing, claims and dmesg against recordings of xl, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Call
from fake_engine import FakeEngine
from recorded import GNEW_IN_CP, GPV, GUESTS, Recording, populate

from xlpy.errors import InvalidState
from xlpy.model.domain import SchedParams
from xlpy.model.host import Cpupool, CpuTopology, HostInfo, NumaNode

POOL_0 = Cpupool(poolid=0, name="Pool-0", scheduler="credit2", domain_count=1, cpus=(0, 1))
LAB_HOST = HostInfo(
    engine="libxl",
    host="lab1",
    release="6.1.0-56-amd64",
    version="#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-16)",
    machine="x86_64",
    nr_cpus=2,
    max_cpu_id=1,
    nr_nodes=1,
    cores_per_socket=2,
    threads_per_core=1,
    cpu_khz=2596136,
    hw_caps="178bf3fd:80002001:20100800:00000007:00000000:00000000:00000000:00000000",
    virt_caps="pv hvm hap gnttab-v1 gnttab-v2",
    total_memory_kib=1535 * 1024,
    free_memory_kib=876 * 1024,
    extra={
        "xen_major": "4",
        "xen_minor": "17",
        "xen_extra": ".7",
        "xen_version": "4.17.7",
        "xen_caps": "xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ",
        "platform_params": "virt_start=0xffff800000000000",
        "xen_changeset": "",
        "xen_commandline": "dom0_mem=640M,max:640M dom0_max_vcpus=2 console=com1 com1=115200,8n1 loglvl=info "
        "guest_loglvl=info spec-ctrl=no xpti=no smt=on sched=credit2 noreboot ",
        "cc_compiler": "x86_64-linux-gnu-gcc (Debian 12.2.0-14+deb12u1) 12.2.0",
        "cc_compile_by": "pkg-xen-devel",
        "cc_compile_domain": "lists.alioth.debian.org",
        "cc_compile_date": "Wed Nov  4 16:52:28 UTC 2026",
        "build_id": "151b373fd64b321593bf987fd923cd10dabadac4",
    },
)


@pytest.fixture
def lab(fake: FakeEngine) -> FakeEngine:
    """The fake host, looking like the recorded one before it had guests."""
    fake.host = LAB_HOST
    fake.topology = tuple(CpuTopology(cpu=cpu, core=cpu, socket=0, node=0) for cpu in range(2))
    fake.nodes = (NumaNode(node=0, size_kib=1535 * 1024, free_kib=876 * 1024, distances=(10,)),)
    fake.pools = (POOL_0,)
    populate(fake, dom0_time_s=335.9)
    return fake


def check(name: str, xl: Call) -> None:
    recording = Recording(name)
    result = xl(*recording.words)
    assert (result.out, result.err, result.status) == (recording.out, recording.err, recording.status)


@pytest.mark.parametrize(
    "name",
    [
        *("info", "info-n", "info--numa", "info-c", "cpupool-list", "cpupool-list-c", "sharing", "claims"),
        *("sched-credit2", "sched-credit2-s", "sched-credit", "sched-rtds", "e-sched2", "e-dmesg"),
    ],
)
def test_without_guests_as_recorded(name: str, xl: Call, lab: FakeEngine) -> None:
    check(name, xl)


@pytest.mark.parametrize("name", ["sched-credit2-all", "sched-credit2-d"])
def test_schedulers_of_guests_as_recorded(name: str, xl: Call, lab: FakeEngine) -> None:
    populate(lab, *GUESTS)
    check(name, xl)


def test_weight_and_cap_are_set_and_shown_as_recorded(xl: Call, lab: FakeEngine) -> None:
    populate(lab, *(guest for guest in GUESTS))
    check("sched-credit2-set", xl)
    assert lab.sched_params(GPV.domid) == SchedParams(weight=512, cap=50)
    check("sched-credit2-d2", xl)
    check("sched-credit2-p", xl)


def test_two_pools_as_recorded(xl: Call, lab: FakeEngine) -> None:
    lab.pools = (
        POOL_0.replace(domain_count=7, cpus=(0,)),
        Cpupool(poolid=1, name="cp", scheduler="credit", domain_count=0, cpus=(1,)),
    )
    check("cpupool-list2", xl)
    check("cpupool-list2-c", xl)
    assert xl("cpupool-list", "cp").out.splitlines()[1:] == [
        "cp                   1    credit       y          0"
    ]
    missing = xl("cpupool-list", "nosuch")
    assert (missing.err, missing.status) == ("Pool 'nosuch' does not exist\n", 1)


def test_only_domains_of_the_scheduler_are_shown(xl: Call, lab: FakeEngine) -> None:
    credit = Cpupool(poolid=1, name="cp", scheduler="credit", domain_count=1, cpus=(1,))
    lab.pools = (POOL_0, credit)
    populate(lab, GPV, GNEW_IN_CP)
    rows = xl("sched-credit").out.splitlines()
    assert rows[1:] == Recording("sched-credit-d").out.splitlines()[1:]


def test_a_domain_of_another_scheduler(xl: Call, call: Call, lab: FakeEngine) -> None:
    populate(lab, GPV)
    assert (
        xl("sched-credit", "-d", "gpv").err == "libxl_domain_sched_params_get returned credit2 not credit.\n"
    )
    result = call("sched-rtds", "-d", "gpv")
    assert (result.err, result.status) == ("xlpy: gpv is scheduled by credit2, not by rtds\n", 1)


def test_refused_weight_is_said_as_xl_says_it(
    xl: Call, call: Call, lab: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(domid: int, weight: int | None = None, cap: int | None = None) -> None:
        raise InvalidState("a weight is from 1 to 65535")

    monkeypatch.setattr(lab, "set_sched_params", refuse)
    populate(lab, GPV)
    recording = Recording("e-sched")
    result = xl(*recording.words)
    assert result.status == recording.status
    assert recording.err.splitlines()[-1] in result.err.splitlines()
    assert call(*recording.words).err == "xlpy: a weight is from 1 to 65535\n"


def test_ratelimit_of_a_pool(xl: Call, lab: FakeEngine) -> None:
    assert xl("sched-credit2", "-s", "-p", "Pool-0", "-r", "500").status == 0
    assert xl("sched-credit2", "-s").out == "Cpupool Pool-0: ratelimit=500us\n"
    assert xl("sched-credit2", "-s", "-p", "nosuch").err == "unknown cpupool 'nosuch'\n"


def test_no_junk_for_numbers(call: Call, lab: FakeEngine) -> None:
    result = call("sched-credit2", "-d", "0", "-w", "heavy")
    assert (result.status, result.err) == (2, "xlpy: 'heavy' is no weight\n  (a whole number)\n")


def test_info_field(xl: Call, call: Call, lab: FakeEngine) -> None:
    assert xl("info", "free_memory").out == "876\n"
    assert xl("info", "nosuch").out == ""
    assert '"free_memory": "876"' in call("info", "free_memory", "-o", "json").out


def test_info_says_when_there_is_no_xenstore(call: Call, lab: FakeEngine) -> None:
    result = call("info", "-x")
    assert result.out == Recording("info").out
    assert "no xenstore" in result.err


def test_info_shows_xenstore_where_it_is_when_asked(xl: Call, lab: FakeEngine) -> None:
    lab.host = LAB_HOST.replace(extra={**LAB_HOST.extra, "xenstore_features": "0x0000000f"})
    assert xl("info").out == Recording("info").out
    assert xl("info", "-x").out.splitlines()[-2:] == [
        "xenstore_features      : 0x0000000f",
        "xend_config_format     : 4",
    ]


def test_dmesg_prints_the_ring_and_clears_it_when_asked(call: Call, lab: FakeEngine, tmp_path: Path) -> None:
    lab.ring = "(XEN) one\n(XEN) two\n"
    assert call("dmesg").out == "(XEN) one\n(XEN) two\n"
    assert call("dmesg", "-c").out == "(XEN) one\n(XEN) two\n"
    assert call("dmesg").out == ""
