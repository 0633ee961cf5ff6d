"""The plain forms against recordings of the real xl, byte for byte."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from xlpy.model.device import DiskInfo, NicInfo
from xlpy.model.domain import DomainInfo, SchedParams, VcpuInfo
from xlpy.model.host import Cpupool, CpuTopology, HostInfo, NumaNode
from xlpy.model.sched import PoolSchedParams
from xlpy.render.cpumap import format_cpumap
from xlpy.render.device import disk_kind, nic_kind
from xlpy.render.host import Numa, field_kind, host_kind, matching_lines
from xlpy.render.kind import Kind
from xlpy.render.memory import sharing_kind
from xlpy.render.output import Wishes, show
from xlpy.render.sched import cpupool_kind, pool_params_kind, sched_kind
from xlpy.render.vcpu import vcpu_kind

RECORDINGS = Path(__file__).parent.parent / "data" / "xl"

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
    total_memory_kib=1535 * 1024 + 300,
    free_memory_kib=876 * 1024 + 1000,
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


def recording(name: str) -> str:
    return (RECORDINGS / f"{name}.out").read_text()


def shown(kind: Kind, rows: Sequence[object], form: str = "plain") -> str:
    out = io.StringIO()
    show(kind, rows, Wishes(form), out)
    return out.getvalue()


def rows_of(kind: Kind, rows: Sequence[object]) -> list[dict[str, object]]:
    document = json.loads(shown(kind, rows, "json"))
    assert document["schema"] == kind.schema
    found = document["rows"]
    assert isinstance(found, list)
    return found


LAB_NUMA = Numa(
    [CpuTopology(cpu=0, core=0, socket=0, node=0), CpuTopology(cpu=1, core=1, socket=0, node=0)],
    [NumaNode(node=0, size_kib=1535 * 1024, free_kib=876 * 1024, distances=(10,))],
)


def test_info() -> None:
    assert shown(host_kind(), [LAB_HOST]) == recording("info")


def test_info_with_numa_tables_between_host_and_engine() -> None:
    assert shown(host_kind(LAB_NUMA), [LAB_HOST]) == recording("info-n")


def test_info_as_json_has_units_in_its_names() -> None:
    (row,) = rows_of(host_kind(LAB_NUMA), [LAB_HOST])
    assert row["free_memory_kib"] == 876 * 1024 + 1000
    assert row["virt_caps"] == ["pv", "hvm", "hap", "gnttab-v1", "gnttab-v2"]
    assert row["numa_info"] == [
        {"node": 0, "size_kib": 1535 * 1024, "free_kib": 876 * 1024, "distances": [10]}
    ]
    assert row["cpu_topology"] == [
        {"cpu": 0, "core": 0, "socket": 0, "node": 0},
        {"cpu": 1, "core": 1, "socket": 0, "node": 0},
    ]


def test_info_as_table_shows_nodes_too() -> None:
    text = shown(host_kind(LAB_NUMA), [LAB_HOST], "table")
    assert "876 MiB free, distances 10" in text
    assert "1: core 1, socket 0, node 0" in text


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("free_memory", "876\n"),
        ("nr_", "2\n1\n"),
        ("xen_changeset", "\n"),
        ("xend", "4\n"),
        ("nothing", ""),
        ("ree_memory", ""),
    ],
)
def test_info_field_is_a_prefix_of_the_line(field: str, values: str) -> None:
    lines = matching_lines(LAB_HOST, field)
    assert shown(field_kind(lines), [dict(lines)]) == values


def test_info_without_virt_caps_ends_at_the_colon() -> None:
    host = LAB_HOST.replace(virt_caps="")
    assert "\nvirt_caps              :\n" in shown(host_kind(), [host])
    assert matching_lines(host, "virt_caps") == []


def test_info_of_another_engine_names_it_after_xls_lines() -> None:
    qemu = LAB_HOST.replace(
        engine="qemu",
        accelerator="tcg",
        accelerator_note="no guest runs",
        program_version="7.2",
        extra={"a": "b"},
    )
    lines = [line.replace(" ", "") for line in shown(host_kind(), [qemu]).splitlines()]
    assert lines[-8:] == [
        "xen_scheduler:credit2",
        "xen_pagesize:4096",
        "engine:qemu",
        "program_version:7.2",
        "accelerator:tcg",
        "accelerator_note:noguestruns",
        "a:b",
        "xend_config_format:4",
    ]


def test_cpupools() -> None:
    one = [Cpupool(poolid=0, name="Pool-0", scheduler="credit2", domain_count=1, cpus=(0, 1))]
    two = [
        Cpupool(poolid=0, name="Pool-0", scheduler="credit2", domain_count=7, cpus=(0,)),
        Cpupool(poolid=1, name="cp", scheduler="credit", domain_count=0, cpus=(1,)),
    ]
    assert shown(cpupool_kind(), one) == recording("cpupool-list")
    assert shown(cpupool_kind(cpus=True), one) == recording("cpupool-list-c")
    assert shown(cpupool_kind(), two) == recording("cpupool-list2")
    assert shown(cpupool_kind(cpus=True), two) == recording("cpupool-list2-c")
    assert rows_of(cpupool_kind(), two)[1]["cpus"] == [1]


def gpv_vcpus(pinned: bool) -> list[VcpuInfo]:
    times = (5.5, 2.6, 0.6, 0.5) if pinned else (5.4, 2.5, 0.6, 0.5)
    return [
        VcpuInfo(
            domid=11,
            vcpuid=number,
            cpu=number,
            online=number < (1 if pinned else 2),
            blocked=True,
            vcpu_time_ns=int(seconds * 1e9),
            hard_affinity=(0,) if pinned and number == 0 else (0, 1),
            soft_affinity=(1,) if pinned else None,
        )
        for number, seconds in enumerate(times)
    ]


@pytest.mark.parametrize(("name", "pinned"), [("vcpu-list-gpv", False), ("vcpu-list-pinned", True)])
def test_vcpus(name: str, pinned: bool) -> None:
    assert shown(vcpu_kind(2), [("gpv", row) for row in gpv_vcpus(pinned)]) == recording(name)


def test_vcpus_as_json_name_every_pcpu() -> None:
    rows = rows_of(vcpu_kind(2), [("gpv", row) for row in gpv_vcpus(True)])
    assert rows[0]["hard_affinity"] == [0]
    assert rows[1]["hard_affinity"] == [0, 1]
    assert rows[1]["soft_affinity"] == [1]
    assert (rows[0]["cpu"], rows[1]["cpu"], rows[1]["state"]) == (0, None, "offline")


def test_vcpus_of_several_domains() -> None:
    rows = []
    for name, domid, states, seconds in (
        ("Domain-0", 0, ("r--", "r--"), (189.8, 183.7)),
        ("gpv", 11, ("-b-", "-b-", "--p", "--p"), (5.4, 2.5, 0.6, 0.5)),
    ):
        for number, (state, time_s) in enumerate(zip(states, seconds, strict=True)):
            info = VcpuInfo(
                domid=domid,
                vcpuid=number,
                cpu=number,
                online=state[2] != "p",
                running=state[0] == "r",
                blocked=state[1] == "b",
                vcpu_time_ns=int(time_s * 1e9),
            )
            rows.append((name, info))
    assert recording("vcpu-list").startswith(shown(vcpu_kind(2), rows))


def test_disks() -> None:
    disk = DiskInfo(devid=51712, vdev="xvda", backend_path="/local/domain/0/backend/vbd/11/51712")
    assert shown(disk_kind(), [(11, disk)]) == recording("block-list")
    assert "connected" in shown(disk_kind(), [(11, disk)], "table")


@pytest.mark.parametrize(("name", "count"), [("network-list", 2), ("network-list2", 3)])
def test_nics(name: str, count: int) -> None:
    nics = [
        NicInfo(
            devid=devid,
            mac=f"00:16:3e:00:00:{devid + 1:02x}",
            backend_path=f"/local/domain/0/backend/vif/11/{devid}",
        )
        for devid in range(count)
    ]
    assert shown(nic_kind(), [(11, nic) for nic in nics]) == recording(name)


def domain(name: str, domid: int) -> DomainInfo:
    return DomainInfo(domid=domid, uuid="", name=name, current_memory_kib=640 * 1024)


def test_scheduler() -> None:
    pool = Cpupool(poolid=0, name="Pool-0", scheduler="credit2", domain_count=1, cpus=(0, 1))
    domain_0 = (domain("Domain-0", 0), SchedParams())
    params = PoolSchedParams(ratelimit_us=1000)
    assert shown(sched_kind([(pool, params)]), [domain_0]) == recording("sched-credit2")
    assert shown(sched_kind(), [(domain("gpv", 11), SchedParams(weight=512, cap=50))]) == recording(
        "sched-credit2-d2"
    )
    assert shown(pool_params_kind(), [(pool, params)]) == recording("sched-credit2-s")


def test_a_pool_without_domains_still_has_its_lines() -> None:
    pool = Cpupool(poolid=1, name="cp", scheduler="credit2", domain_count=0, cpus=(1,))
    params = PoolSchedParams(ratelimit_us=1000)
    assert shown(sched_kind([(pool, params)]), [(domain("Domain-0", 0), SchedParams())]).splitlines() == [
        "Cpupool cp: ratelimit=1000us",
        "Name                                ID Weight  Cap",
    ]


def test_sharing() -> None:
    assert shown(sharing_kind(), [domain("Domain-0", 0)]) == recording("sharing")


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        (None, "all"),
        ((), "none"),
        ((0, 1, 2, 3), "all"),
        ((0,), "0"),
        ((3, 1), "1,3"),
        ((0, 1, 3), "0-1,3"),
        ((1, 2, 3), "1-3"),
        ((7,), "none"),
    ],
)
def test_cpumap_of_four(numbers: tuple[int, ...] | None, text: str) -> None:
    assert format_cpumap(numbers, 4) == text
