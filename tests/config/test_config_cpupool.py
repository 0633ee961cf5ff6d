"""Cpupool files: who they name, and which pcpus they take."""

from __future__ import annotations

import pytest

from xlpy.config.cpupool import CpupoolConfig, ParsedCpupool, parse_cpupool
from xlpy.config.diagnostic import SettingError
from xlpy.config.draft import HostFacts

HOST = HostFacts(nr_cpus=4, max_cpu_id=3, nr_nodes=2, node_of_cpu=(0, 0, 1, 1))


def parsed(text: str, *overrides: str, file_name: str | None = "f.cfg") -> ParsedCpupool:
    return parse_cpupool(text, "f.cfg", overrides, file_name=file_name, free=frozenset((1, 2, 3)), host=HOST)


def refusal(text: str, file_name: str | None = "f.cfg") -> SettingError:
    with pytest.raises(SettingError) as caught:
        parsed(text, file_name=file_name)
    return caught.value


@pytest.mark.parametrize(
    ("text", "pool"),
    [
        ('name="p"\n', CpupoolConfig(name="p")),
        ("", CpupoolConfig(name="f.cfg")),
        ('name="p"\nsched="RTDS"\ncpus=["1", 3]\n', CpupoolConfig(name="p", sched="rtds", cpus=(1, 3))),
        ('name="p"\ncpus="1-3,^2"\n', CpupoolConfig(name="p", cpus=(1, 3))),
        ('name="p"\ncpus="node:1"\n', CpupoolConfig(name="p", cpus=(2, 3))),
        ('name="p"\nnodes=[0]\ncpus=["3"]\n', CpupoolConfig(name="p", cpus=(1,))),
        ('name="p"\nnodes=["0", "1"]\n', CpupoolConfig(name="p", cpus=(1, 2, 3))),
    ],
)
def test_pools(text: str, pool: CpupoolConfig) -> None:
    assert parsed(text).pool == pool


def test_overrides_count_more_than_the_file() -> None:
    assert parsed('name="a"\n', 'name="b"').pool.name == "b"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('sched="cfs"\n', "f.cfg:1:8: sched: unknown value 'cfs'"),
        ("nodes=[7]\n", "f.cfg:1:7: no free cpu found"),
        ('cpus=["0"]\n', "f.cfg:1:8: cpu 0 illegal or not free"),
        ('cpus=["x"]\n', "f.cfg:1:8: cpu 0 illegal or not free"),
        ('cpus="0-1"\n', "f.cfg:1:7: cpu 0 illegal or not free"),
        ('cpus="3-1"\n', "f.cfg:1:7: cpus: invalid pcpu range '3-1'"),
        ("name=\n", "f.cfg:1:6: unexpected end of line, expected a string, a number or '['"),
    ],
)
def test_refusals(text: str, message: str) -> None:
    assert str(refusal(text)) == message


def test_a_pool_needs_a_name() -> None:
    assert refusal("", file_name=None).message == "Missing cpupool name!"


def test_unknown_settings_are_warned_about() -> None:
    (diagnostic,) = parsed("cpu=1\n").diagnostics
    assert (diagnostic.code, diagnostic.hint) == ("unknown-key", "did you mean 'cpus'?")
