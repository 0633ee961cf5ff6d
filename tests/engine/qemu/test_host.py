"""Facts of the host, against what other sources on it say."""

from __future__ import annotations

import os
import socket

import pytest

from xlpy.engine.qemu.cpu_features import feature_words
from xlpy.engine.qemu.host import cpu_topology, host_info, list_cpupools, numa_info
from xlpy.engine.qemu.procfs import (
    host_cpu_times_ns,
    host_memory_kib,
    interface_bytes,
    meminfo_kib,
    parse_cpu_list,
    process_time_ns,
    resident_kib,
    thread_state,
)


def test_info_agrees_with_the_system() -> None:
    info = host_info(accelerator="tcg", accelerator_note="no kvm", program_version="QEMU 7.2")
    assert info.host == socket.gethostname()
    assert info.release == os.uname().release
    assert info.nr_cpus == os.cpu_count() == len(cpu_topology())
    assert info.total_memory_kib == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGESIZE") // 1024
    assert 0 < info.free_memory_kib <= info.total_memory_kib
    assert (info.accelerator, info.accelerator_note, info.program_version) == ("tcg", "no kvm", "QEMU 7.2")
    assert info.cpu_khz > 100_000
    assert info.cores_per_socket * info.threads_per_core >= 1


def test_promised_memory_is_not_free() -> None:
    assert host_info(promised_kib=1 << 40).free_memory_kib == 0
    assert host_info(promised_kib=1 << 20).free_memory_kib < host_memory_kib()[1]


def test_every_pcpu_is_in_the_pool_and_on_a_node() -> None:
    (pool,) = list_cpupools(3)
    assert pool.cpus == tuple(cpu.cpu for cpu in cpu_topology())
    assert (pool.name, pool.domain_count, pool.scheduler) == ("Pool-0", 3, "credit2")
    assert {cpu.node for cpu in cpu_topology()} <= {node.node for node in numa_info()}


def test_a_node_is_nearest_to_itself() -> None:
    for position, node in enumerate(numa_info()):
        assert min(node.distances) == node.distances[position] == 10
        assert 0 < node.free_kib <= node.size_kib


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("", "00000000:00000000:00000000:00000000:00000000:00000000:00000000:00000000"),
        ("fpu", "00000001:00000000:00000000:00000000:00000000:00000000:00000000:00000000"),
        ("pbe hypervisor", "80000000:80000000:00000000:00000000:00000000:00000000:00000000:00000000"),
        ("syscall nx lm", "00000000:00000000:20100800:00000000:00000000:00000000:00000000:00000000"),
        ("lahf_lm cmp_legacy svm", "00000000:00000000:00000000:00000007:00000000:00000000:00000000:00000000"),
        (
            "xsaveopt avx2 umip rdpid",
            "00000000:00000000:00000000:00000000:00000001:00000020:00400004:00000000",
        ),
        (
            "avx512vl sha_ni nonstop_tsc",
            "00000000:00000000:00000000:00000000:00000000:a0000000:00000000:00000100",
        ),
        ("sse4_2 x2apic aes avx", "00000000:12300000:00000000:00000000:00000000:00000000:00000000:00000000"),
    ],
)
def test_flags_become_xens_feature_words(flags: str, words: str) -> None:
    assert feature_words(frozenset(flags.split())) == words


@pytest.mark.parametrize(
    ("text", "numbers"), [("0-1\n", (0, 1)), ("0-2,5,8-9\n", (0, 1, 2, 5, 8, 9)), ("\n", ()), ("3", (3,))]
)
def test_the_kernels_lists_of_numbers(text: str, numbers: tuple[int, ...]) -> None:
    assert parse_cpu_list(text) == numbers


def test_this_process_is_running_and_has_had_time() -> None:
    pid = os.getpid()
    before = thread_state(pid, pid)
    assert before is not None
    assert before.running
    assert sum(number * number for number in range(200_000)) > 0
    after = thread_state(pid, pid)
    assert after is not None
    assert after.time_ns > before.time_ns
    assert process_time_ns(pid) >= 0
    assert resident_kib(pid) > 1000


def test_what_is_gone_has_nothing() -> None:
    gone = 4194305  # beyond the largest pid there can be
    assert thread_state(gone, gone) is None
    assert process_time_ns(gone) == 0
    assert resident_kib(gone) == 0


def test_sizes_are_read_from_either_form_of_meminfo(tmp_path: object) -> None:
    path = f"{tmp_path}/meminfo"
    with open(path, "w", encoding="ascii") as file:
        file.write("Node 1 MemTotal:  2048 kB\nNode 1 MemFree:  1024 kB\nHugePages_Total:   0\n")
    assert meminfo_kib(path) == {"MemTotal": 2048, "MemFree": 1024, "HugePages_Total": 0}


def test_loopback_counts_what_it_carries() -> None:
    before = interface_bytes()["lo"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"x" * 1000, ("127.0.0.1", 9))
    after = interface_bytes()["lo"]
    assert after[1] - before[1] >= 1000


def test_every_pcpu_has_been_busy() -> None:
    times = host_cpu_times_ns()
    assert set(times) == {cpu.cpu for cpu in cpu_topology()}
    assert all(time_ns > 0 for time_ns in times.values())
