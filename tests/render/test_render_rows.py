"""The plain forms against recordings of the real xl, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from xlpy.model.device import DiskInfo, NicInfo
from xlpy.model.domain import DomainInfo, SchedParams, VcpuInfo
from xlpy.model.host import Cpupool, CpuTopology, HostInfo, NumaNode
from xlpy.render import cpumap, device, host, memory, sched, vcpu

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


def test_info() -> None:
    lines = [*host.host_lines(LAB_HOST), *host.engine_lines(LAB_HOST), *host.CLOSING_LINES]
    assert host.plain_lines(lines) == recording("info")


def test_info_with_numa_tables_between_host_and_engine() -> None:
    text = (
        host.plain_lines(host.host_lines(LAB_HOST))
        + host.plain_topology(
            [CpuTopology(cpu=0, core=0, socket=0, node=0), CpuTopology(cpu=1, core=1, socket=0, node=0)]
        )
        + host.plain_nodes([NumaNode(node=0, size_kib=1535 * 1024, free_kib=876 * 1024, distances=(10,))])
        + host.plain_lines([*host.engine_lines(LAB_HOST), *host.CLOSING_LINES])
    )
    assert text == recording("info-n")


@pytest.mark.parametrize(
    ("field", "shown"),
    [
        ("free_memory", "876\n"),
        ("nr_", "2\n1\n"),
        ("xen_changeset", "\n"),
        ("nothing", ""),
        ("ree_memory", ""),
    ],
)
def test_info_field_is_a_prefix_of_the_line(field: str, shown: str) -> None:
    assert host.plain_values([*host.host_lines(LAB_HOST), *host.engine_lines(LAB_HOST)], field) == shown


def test_info_without_virt_caps_ends_at_the_colon() -> None:
    lines = [("virt_caps", "")]
    assert host.plain_lines(lines) == "virt_caps              :\n"
    assert host.plain_values(lines, "virt_caps") == ""


def test_info_of_another_engine_names_it_after_xls_lines() -> None:
    qemu = LAB_HOST.replace(
        engine="qemu",
        accelerator="tcg",
        accelerator_note="no guest runs",
        program_version="7.2",
        extra={"a": "b"},
    )
    assert host.engine_lines(qemu) == [
        ("xen_scheduler", "credit2"),
        ("xen_pagesize", "4096"),
        ("engine", "qemu"),
        ("accelerator", "tcg"),
        ("accelerator_note", "no guest runs"),
        ("program_version", "7.2"),
        ("a", "b"),
    ]


def test_cpupools() -> None:
    one = [Cpupool(poolid=0, name="Pool-0", scheduler="credit2", domain_count=1, cpus=(0, 1))]
    two = [
        Cpupool(poolid=0, name="Pool-0", scheduler="credit2", domain_count=7, cpus=(0,)),
        Cpupool(poolid=1, name="cp", scheduler="credit", domain_count=0, cpus=(1,)),
    ]
    assert host.plain_cpupools(one) == recording("cpupool-list")
    assert host.plain_cpupools(one, cpus=True) == recording("cpupool-list-c")
    assert host.plain_cpupools(two) == recording("cpupool-list2")
    assert host.plain_cpupools(two, cpus=True) == recording("cpupool-list2-c")


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
    rows = "".join(vcpu.plain_row("gpv", row, 2) for row in gpv_vcpus(pinned))
    assert vcpu.PLAIN_HEADER + rows == recording(name)


def test_vcpus_of_all_domains() -> None:
    lines = vcpu.PLAIN_HEADER
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
            lines += vcpu.plain_row(name, info, 2)
    assert recording("vcpu-list").startswith(lines)


def test_disks() -> None:
    disk = DiskInfo(
        devid=51712, vdev="xvda", frontend_domid=11, backend_path="/local/domain/0/backend/vbd/11/51712"
    )
    assert device.PLAIN_DISK_HEADER + device.plain_disk(disk) == recording("block-list")


@pytest.mark.parametrize(("name", "count"), [("network-list", 2), ("network-list2", 3)])
def test_nics(name: str, count: int) -> None:
    rows = "".join(
        device.plain_nic(
            NicInfo(
                devid=devid,
                mac=f"00:16:3e:00:00:{devid + 1:02x}",
                backend_path=f"/local/domain/0/backend/vif/11/{devid}",
            )
        )
        for devid in range(count)
    )
    assert device.PLAIN_NIC_HEADER + rows == recording(name)


def test_scheduler() -> None:
    pool = Cpupool(poolid=0, name="Pool-0", scheduler="credit2", domain_count=1, cpus=(0, 1))
    domain_0 = sched.plain_row("Domain-0", 0, SchedParams())
    gpv = sched.plain_row("gpv", 11, SchedParams(weight=512, cap=50))
    assert sched.plain_pool(pool) + sched.PLAIN_HEADER + domain_0 == recording("sched-credit2")
    assert sched.PLAIN_HEADER + gpv == recording("sched-credit2-d2")
    assert sched.plain_pool(pool) == recording("sched-credit2-s")


def test_sharing() -> None:
    domain_0 = DomainInfo(domid=0, uuid="0" * 8, name="Domain-0", current_memory_kib=640 * 1024)
    assert memory.PLAIN_SHARING_HEADER + memory.plain_sharing(domain_0) == recording("sharing")


@pytest.mark.parametrize(
    ("numbers", "shown"),
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
def test_cpumap_of_four(numbers: tuple[int, ...] | None, shown: str) -> None:
    assert cpumap.format_cpumap(numbers, 4) == shown
