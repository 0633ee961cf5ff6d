"""Cpupools: made, changed, dissolved; recordings of xl."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Call
from fake_engine import FakeEngine
from recorded import Recording

from xlpy.model.host import Cpupool


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake: FakeEngine) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cp.cfg").write_text('name="cp"\nsched="credit"\ncpus=["1"]\n')
    fake.pools = (Cpupool(poolid=0, name="Pool-0", scheduler="credit2", domain_count=1, cpus=(0, 2, 3)),)
    return tmp_path


def test_a_dry_run_prints_what_xl_prints(xl: Call) -> None:
    recording = Recording("cpupool-create")
    for words in (("cpupool-create", "-n", "cp.cfg"), ("-N", "cpupool-create", "-f", "cp.cfg")):
        result = xl(*words)
        assert (result.out, result.err, result.status) == (recording.out, recording.err, recording.status)


def test_without_anything_there_is_no_name(xl: Call) -> None:
    recording = Recording("e-cpupool2")
    result = xl("cpupool-create")
    assert result.status == recording.status
    assert recording.err.strip() in result.err


def test_the_scheduler_is_that_of_the_host(call: Call) -> None:
    result = call("cpupool-create", "-n", 'name="x"', "memroy=1")
    assert result.out == (
        'Using config file "command line"\ncpupool name:   x\nscheduler:      credit2\nnumber of cpus: 0\n'
    )
    assert "warning: command line:1:1: unknown setting 'memroy'" in result.err


def test_a_pool_of_this_name_may_exist(call: Call) -> None:
    result = call("cpupool-create", "-n", 'name="Pool-0"')
    assert (result.status, result.err) == (1, 'xlpy: Pool name "Pool-0" already exists\n')


def check(name: str, xl: Call) -> None:
    recording = Recording(name)
    result = xl(*recording.words)
    assert (result.out, result.err, result.status) == (recording.out, recording.err, recording.status)


def test_the_life_of_a_pool_as_recorded(xl: Call, fake: FakeEngine) -> None:
    check("cpupool-create", xl)
    assert [(pool.name, pool.scheduler, pool.cpus) for pool in fake.pools[1:]] == [("cp", "credit", (1,))]
    fake.pools = (fake.pools[0].replace(cpus=(0,), domain_count=7), fake.pools[1])
    check("cpupool-list2", xl)
    check("cpupool-list2-c", xl)
    fake.add(fake.domain_info(0).replace(domid=18, name="gnew"))
    check("cpupool-migrate", xl)
    assert fake.moved == {18: 1}
    check("cpupool-migrate2", xl)
    assert fake.moved == {18: 0}
    check("cpupool-rename", xl)
    fake.pools = (fake.pools[0], fake.pools[1].replace(domain_count=1))
    busy = Recording("cpupool-destroy-busy")
    result = xl(*busy.words)
    assert (result.out, result.err.splitlines()[0], result.status) == (
        busy.out,
        busy.err.strip(),
        busy.status,
    )
    fake.pools = (fake.pools[0], fake.pools[1].replace(domain_count=0))
    check("cpupool-destroy", xl)
    assert [pool.name for pool in fake.pools] == ["Pool-0"]


def test_pcpus_of_a_pool_as_recorded(xl: Call, fake: FakeEngine) -> None:
    check("cpupool-cpu-add", xl)
    assert fake.pools[0].cpus == (0, 1, 2, 3)
    check("cpupool-cpu-remove", xl)
    assert fake.pools[0].cpus == (0, 2, 3)


def test_what_cannot_be_done_fails_where_xl_calls_it_a_success(
    xl: Call, call: Call, fake: FakeEngine
) -> None:
    assert xl("cpupool-cpu-add", "Pool-0", "0").err.startswith(
        "some cpus may not have been added to Pool-0\n"
    )
    assert call("cpupool-cpu-add", "Pool-0", "0").status == 1
    result = xl("cpupool-cpu-remove", "Pool-0", "0,2-3")
    assert result.err.startswith(
        "Some cpus may not have or only partially been removed from 'Pool-0'.\nIf a cpu"
    )
    assert result.status == 1
    assert fake.pools[0].cpus == (0, 2, 3)


@pytest.mark.parametrize(
    "words",
    [
        ("cpupool-destroy", "nosuch"),
        ("cpupool-rename", "nosuch", "x"),
        ("cpupool-cpu-add", "nosuch", "1"),
        ("cpupool-cpu-remove", "nosuch", "1"),
        ("cpupool-migrate", "0", "nosuch"),
    ],
)
def test_a_pool_that_is_not_there(call: Call, words: tuple[str, ...]) -> None:
    result = call(*words)
    assert (result.status, result.err) == (1, "xlpy: unknown cpupool 'nosuch'\n  (cpupools: Pool-0)\n")


def test_an_unknown_domain_stays_where_it_is(call: Call) -> None:
    assert "unknown domain 'nosuch'" in call("cpupool-migrate", "nosuch", "Pool-0").err


def test_numa_split_makes_a_pool_for_each_node(call: Call, fake: FakeEngine) -> None:
    fake.pools = (fake.pools[0].replace(cpus=(0, 1, 2, 3)),)
    fake.topology = tuple(place.replace(node=place.cpu // 2) for place in fake.topology)
    assert call("cpupool-numa-split").status == 0
    assert [(pool.name, pool.cpus) for pool in fake.pools] == [("Pool-node0", (0, 1)), ("Pool-node1", (2, 3))]
    assert fake.domain_info(0).vcpu_online == 2
    assert "already cpupools in use" in call("cpupool-numa-split").err


def test_a_file_that_is_not_there(call: Call) -> None:
    assert call("cpupool-create", "none.cfg").status == 1


def test_too_many_files(xl: Call) -> None:
    assert xl("cpupool-create", "cp.cfg", "more.cfg").status == 1
