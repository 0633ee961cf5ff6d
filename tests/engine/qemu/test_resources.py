"""Memory and vcpus: what a configuration asks for, and what is refused without asking QEMU."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from domain_configs import domain_config
from unplugged_domain import unplugged_domain

from xlpy.engine.qemu.cpus import (
    check_affinity,
    cpu_arguments,
    list_host_vcpus,
    list_vcpus,
    online_at_start,
    set_vcpu_affinity,
    set_vcpus_online,
    vcpu_of_device,
)
from xlpy.engine.qemu.machine import plan_machine
from xlpy.engine.qemu.memory import (
    check_memory,
    current_memory_kib,
    max_memory_kib,
    memory_target_kib,
    ram_kib,
    set_max_memory,
    set_memory_target,
    target_kib,
    untouched_kib,
)
from xlpy.engine.qemu.procfs import host_cpus, host_memory_kib
from xlpy.engine.qemu.runtime_record import read_record
from xlpy.engine.qemu.unplug import deleted_device, settle
from xlpy.errors import ConfigError, InvalidState, NotEnoughMemory

NO_PID = 4194305


def test_ram_is_maxmem_in_whole_mib() -> None:
    config = domain_config(target_memkb=100 * 1024, max_memkb=200 * 1024 + 1)
    assert ram_kib(config) == 201 * 1024
    assert target_kib(config) == 100 * 1024
    assert ram_kib(domain_config(target_memkb=64 * 1024)) == 64 * 1024


def test_more_memory_than_maxmem_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"memory \(2 MiB\) is more than maxmem \(1 MiB\)"):
        ram_kib(domain_config(target_memkb=2048, max_memkb=1024))


def test_a_domain_that_the_host_has_no_memory_for_is_refused() -> None:
    total_kib, available_kib = host_memory_kib()
    check_memory(domain_config(target_memkb=32 * 1024))
    with pytest.raises(NotEnoughMemory, match=r"the domain needs \d+ MiB, the host has \d+ MiB left"):
        check_memory(domain_config(target_memkb=2 * total_kib))
    with pytest.raises(NotEnoughMemory, match="the host has 0 MiB left"):
        check_memory(domain_config(target_memkb=32 * 1024), promised_kib=2 * available_kib)


def test_what_a_domain_has_touched_is_promised_no_more() -> None:
    assert untouched_kib(1 << 20, 0) > 1 << 20
    assert untouched_kib(1 << 20, 1 << 21) == 0


def test_memory_limits_hold(tmp_path: Path) -> None:
    domain = unplugged_domain(tmp_path, domain_config(target_memkb=64 * 1024, max_memkb=128 * 1024), NO_PID)
    with pytest.raises(InvalidState, match="more than domain 7 may have: 128 MiB"):
        set_memory_target(domain, 129 * 1024)
    with pytest.raises(InvalidState, match="without memory"):
        set_memory_target(domain, 0)
    with pytest.raises(InvalidState, match="cannot grow beyond"):
        set_max_memory(domain, 256 * 1024)
    with pytest.raises(InvalidState, match="cannot be below"):
        set_max_memory(domain, 32 * 1024)
    set_max_memory(domain, 100 * 1024)
    assert max_memory_kib(domain) == 100 * 1024
    assert memory_target_kib(domain) == 64 * 1024


def test_a_domain_has_all_its_memory_until_the_balloon_says_otherwise(tmp_path: Path) -> None:
    domain = unplugged_domain(tmp_path, domain_config(target_memkb=64 * 1024, max_memkb=128 * 1024), NO_PID)
    assert current_memory_kib(domain) == 128 * 1024
    domain.handle_event("BALLOON_CHANGE", {"actual": 96 << 20}, 0.0)
    assert current_memory_kib(domain) == 96 * 1024


# -- vcpus


def test_vcpu_0_is_always_there_and_the_others_are_devices() -> None:
    config = domain_config(max_vcpus=4, avail_vcpus=(1, 3))
    assert online_at_start(config) == (0, 1, 3)
    machine, _ = plan_machine(config, 1, "tcg")
    arguments = cpu_arguments(machine)
    assert arguments[:2] == ["-smp", "1,maxcpus=4,sockets=1,cores=4,threads=1"]
    plugged = [json.loads(value) for value in arguments[3::2]]
    assert [(device["id"], device["core-id"]) for device in plugged] == [("cpu1", 1), ("cpu3", 3)]
    assert {device["driver"] for device in plugged} == {"qemu64-x86_64-cpu"}
    assert [vcpu_of_device(device["id"]) for device in plugged] == [1, 3]


@pytest.mark.parametrize("count", [0, 256])
def test_the_machine_has_a_limit(count: int) -> None:
    with pytest.raises(ConfigError, match=f"1 to 255 vcpus, not {count}"):
        online_at_start(domain_config(max_vcpus=count))


@pytest.mark.parametrize(
    ("data", "device"),
    [
        ({"device": "disk-xvda", "path": "/machine/peripheral/disk-xvda"}, "disk-xvda"),
        ({"path": "/machine/peripheral/disk-xvda/virtio-backend"}, None),
        ({"path": "/machine/peripheral/cpu2/lapic"}, "cpu2"),
    ],
)
def test_which_device_an_event_is_about(data: dict[str, str], device: str | None) -> None:
    assert deleted_device(data) == device


def test_affinities_are_kept_and_shown(tmp_path: Path) -> None:
    domain = unplugged_domain(tmp_path, domain_config(max_vcpus=3, target_memkb=65536), NO_PID)
    first = host_cpus()[0]
    set_vcpu_affinity(domain, 1, hard=(first,))
    set_vcpu_affinity(domain, None, soft=(first,))
    shown = [(vcpu.hard_affinity, vcpu.soft_affinity) for vcpu in list_vcpus(domain)]
    pinned = (first,) if len(host_cpus()) > 1 else None
    assert shown == [(None, pinned), (pinned, pinned), (None, pinned)]
    record = read_record(domain.files)
    assert record is not None
    assert record.config.b_info.vcpu_hard_affinity == ((), (first,))


def test_all_pcpus_are_no_restriction(tmp_path: Path) -> None:
    domain = unplugged_domain(tmp_path, domain_config(target_memkb=65536), NO_PID)
    set_vcpu_affinity(domain, 0, hard=(*host_cpus(), 4000))
    assert list_vcpus(domain)[0].hard_affinity is None


def test_pcpus_and_vcpus_that_are_not_there_are_refused(tmp_path: Path) -> None:
    domain = unplugged_domain(tmp_path, domain_config(max_vcpus=2, target_memkb=65536), NO_PID)
    with pytest.raises(InvalidState, match="no vcpu 2"):
        set_vcpu_affinity(domain, 2, hard=(0,))
    with pytest.raises(InvalidState, match="the host has no such pcpu"):
        set_vcpu_affinity(domain, 0, soft=(4000,))
    with pytest.raises(ConfigError, match="vcpu 1 cannot be pinned to pcpu 4000,4001"):
        check_affinity(domain_config(vcpu_hard_affinity=((0,), (4000, 4001))))
    with pytest.raises(InvalidState, match="1 to 2 vcpus, not 3"):
        set_vcpus_online(domain, 3)


def test_a_vcpu_that_has_left_is_offline_everywhere(tmp_path: Path) -> None:
    domain = unplugged_domain(tmp_path, domain_config(max_vcpus=3, avail_vcpus=(0, 1, 2)), NO_PID)
    domain.vcpu_tids = {0: 10, 1: 11, 2: 12}
    settle(domain, "cpu2")
    assert domain.record.machine.online_vcpus == (0, 1)
    assert domain.record.config.b_info.avail_vcpus == (0, 1)
    assert domain.vcpu_tids == {0: 10, 1: 11}


def test_the_hosts_vcpus_are_its_pcpus() -> None:
    assert [vcpu.vcpuid for vcpu in list_host_vcpus()] == list(host_cpus())
