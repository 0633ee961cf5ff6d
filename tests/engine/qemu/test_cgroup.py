"""Weight and cap: the kernel's files say what Xen's numbers mean; version 2 in a picture of it, version 1 for real."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from domain_configs import domain_config
from unplugged_domain import unplugged_domain

from xlpy.engine.qemu import cgroup
from xlpy.engine.qemu.cgroup import (
    MOUNT,
    CgroupV1,
    CgroupV2,
    enter_group,
    find_cgroups,
    leave_group,
    release_cgroups,
    sched_params,
    set_sched_params,
)
from xlpy.engine.qemu.domain import QemuDomain
from xlpy.errors import InvalidState, NotSupported
from xlpy.model.domain import SchedParams
from xlpy.model.domain_config import DomainSchedParams


def domain_with(tmp_path: Path, pid: int, **params: int) -> QemuDomain:
    config = domain_config(sched_params=DomainSchedParams(**params), max_vcpus=2)
    return unplugged_domain(tmp_path, config, pid)


@pytest.fixture
def process() -> Iterator[int]:
    """A process to put into groups."""
    sleeper = subprocess.Popen(["sleep", "600"])
    yield sleeper.pid
    sleeper.kill()
    sleeper.wait()


@pytest.fixture
def v2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the files that matter of a version 2 hierarchy; new groups get theirs as the kernel does it."""
    mount = tmp_path / "cgroup"
    mount.mkdir()
    make = os.makedirs

    def make_group(path: str, mode: int = 0o777, exist_ok: bool = False) -> None:
        make(path, mode, exist_ok)
        for name in ("cgroup.subtree_control", "cgroup.procs", "cpu.weight", "cpu.max"):
            Path(path, name).touch()

    monkeypatch.setattr(cgroup.os, "makedirs", make_group)
    (mount / "cgroup.controllers").write_text("cpuset cpu io\n")
    (mount / "cgroup.subtree_control").touch()
    monkeypatch.setattr(cgroup.os, "geteuid", lambda: 0)
    return mount


def test_groups_are_made_where_the_cpu_controller_is(v2: Path) -> None:
    tree = find_cgroups(str(v2))
    assert isinstance(tree, CgroupV2)
    assert tree.parent == f"{v2}/xlpy.slice"
    assert (v2 / "cgroup.subtree_control").read_text() == "+cpu"
    assert (v2 / "xlpy.slice/cgroup.subtree_control").read_text() == "+cpu"


def test_without_a_cpu_controller_there_are_no_groups(v2: Path) -> None:
    (v2 / "cgroup.controllers").write_text("memory pids\n")
    assert find_cgroups(str(v2)) is None
    assert not (v2 / "xlpy.slice").exists()


def test_a_domain_enters_its_group_with_its_weight_and_cap(v2: Path, tmp_path: Path) -> None:
    tree = find_cgroups(str(v2))
    domain = domain_with(tmp_path, os.getpid(), weight=512, cap=50)
    assert enter_group(tree, domain) == ()
    group = v2 / f"xlpy.slice/domain-7-{os.getpid()}"
    assert (group / "cgroup.procs").read_text() == str(os.getpid())
    assert (group / "cpu.weight").read_text() == "200"
    assert (group / "cpu.max").read_text() == "50000 100000"


@pytest.mark.parametrize(
    ("weight", "v1", "v2"), [(256, 1024, 100), (1, 4, 1), (512, 2048, 200), (65535, 262140, 10000)]
)
def test_xens_weights_in_the_kernels_numbers(weight: int, v1: int, v2: int) -> None:
    assert CgroupV1("").weight_setting(weight) == ("cpu.shares", str(v1))
    assert CgroupV2("").weight_setting(weight) == ("cpu.weight", str(v2))


def test_a_cap_of_100_is_one_pcpu() -> None:
    assert CgroupV1("").cap_settings(150)[1] == ("cpu.cfs_quota_us", "150000")
    assert CgroupV1("").cap_settings(0)[1] == ("cpu.cfs_quota_us", "-1")
    assert CgroupV2("").cap_settings(100) == [("cpu.max", "100000 100000")]
    assert CgroupV2("").cap_settings(0) == [("cpu.max", "max 100000")]


def test_what_cannot_be_had_is_said_at_start(tmp_path: Path) -> None:
    notes = enter_group(None, domain_with(tmp_path, os.getpid(), weight=512, cap=50))
    assert [note.partition(" ")[0] for note in notes] == ["cpu_weight=", "cap="]


def test_a_domain_that_asks_for_nothing_is_told_nothing(tmp_path: Path) -> None:
    assert enter_group(None, domain_with(tmp_path, os.getpid(), weight=256, cap=0)) == ()


def test_what_cannot_be_had_is_refused_later(tmp_path: Path) -> None:
    domain = domain_with(tmp_path, os.getpid())
    with pytest.raises(NotSupported, match="need control groups"):
        set_sched_params(None, domain, weight=512)
    assert sched_params(domain) == SchedParams(weight=256, cap=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weight": 0}, "between 1 and 65535"),
        ({"cap": 201}, "between 0 .none. and 200"),
        ({"cap": -1}, "cap is"),
    ],
)
def test_numbers_out_of_range_are_refused(tmp_path: Path, change: dict[str, int], message: str) -> None:
    with pytest.raises(InvalidState, match=message):
        set_sched_params(None, domain_with(tmp_path, os.getpid()), **change)


@pytest.mark.root
@pytest.mark.skipif(
    os.geteuid() != 0 or not os.path.exists(f"{MOUNT}/cpu/cgroup.clone_children"),
    reason="needs root and a version 1 cpu controller",
)
def test_version_1_for_real(tmp_path: Path, process: int) -> None:
    tree = find_cgroups()
    assert isinstance(tree, CgroupV1)
    domain = domain_with(tmp_path, process, weight=512)
    group = Path(tree.parent, f"domain-7-{process}")
    assert enter_group(tree, domain) == ()
    assert (group / "cgroup.procs").read_text().split() == [str(process)]
    assert (group / "cpu.shares").read_text() == "2048\n"
    set_sched_params(tree, domain, cap=25)
    assert (group / "cpu.cfs_quota_us").read_text() == "25000\n"
    assert (group / "cpu.shares").read_text() == "2048\n"
    assert sched_params(domain) == SchedParams(weight=512, cap=25)
    leave_group(tree, domain)
    assert group.exists(), "a group with a process in it stays"
    Path(tree.parent, "../cgroup.procs").write_text(str(process))
    leave_group(tree, domain)
    assert not group.exists()
    stale = Path(tree.parent, "domain-9-4194305")  # beyond the largest pid there can be
    stale.mkdir()
    find_cgroups()
    assert not stale.exists()
    release_cgroups(tree)
