"""CPU lists, vcpus and their affinity."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parsing import HVM, PV, config, diagnostics, error
from recorded_host import RECORDED_HOST

from xlpy.config.cpus import nodes_of, parse_cpu_list
from xlpy.config.diagnostic import SpecError
from xlpy.config.draft import HostFacts
from xlpy.config.xlconf import XlConf

NUMA_HOST = HostFacts(nr_cpus=8, max_cpu_id=7, nr_nodes=2, node_of_cpu=(0, 0, 0, 0, 1, 1, 1, 1))


@pytest.mark.parametrize(
    ("text", "cpus"),
    [
        ("0", (0,)),
        ("0-2,5", (0, 1, 2, 5)),
        ("0-3,^1", (0, 2, 3)),
        ("^1,0-1", (0, 1)),
        ("all", tuple(range(8))),
        ("all,^0", tuple(range(1, 8))),
        ("node:1", (4, 5, 6, 7)),
        ("nodes:0-1,^node:0", (4, 5, 6, 7)),
        ("nodes:all", tuple(range(8))),
        ("node:9", ()),
        ("1,,2,", (1, 2)),
        (" 3", (3,)),
        ("7-1000000000000", (7,)),
        ("", ()),
    ],
)
def test_cpu_lists(text: str, cpus: tuple[int, ...]) -> None:
    assert parse_cpu_list(text, NUMA_HOST.cpu_bits, nodes_of(NUMA_HOST)) == cpus


@pytest.mark.parametrize(
    "text", ["x", "1-", "-1", "2-1", "0 ", "1,x", "^all", "^node:all", "node:", "0-1-2", "nodes:^0"]
)
def test_what_is_no_cpu_list(text: str) -> None:
    with pytest.raises(SpecError):
        parse_cpu_list(text, 8, ())


def test_the_error_shows_the_term() -> None:
    with pytest.raises(SpecError) as caught:
        parse_cpu_list("0-1,5x,7", 8)
    assert (caught.value.message, caught.value.offset, caught.value.length) == (
        "invalid pcpu range '5x'",
        4,
        2,
    )


@given(st.sets(st.integers(0, 30)), st.integers(1, 31))
def test_a_list_of_numbers_is_the_set_of_them(cpus: set[int], bits: int) -> None:
    text = ",".join(str(cpu) for cpu in cpus)
    assert parse_cpu_list(text, bits) == tuple(sorted(cpu for cpu in cpus if cpu < bits))


def test_bitmaps_are_whole_bytes() -> None:
    assert HostFacts(nr_cpus=9, max_cpu_id=8).cpu_bits == 16
    assert RECORDED_HOST.cpu_bits == 8


@pytest.mark.parametrize(
    ("text", "most", "online"),
    [
        ("", 1, ()),
        ("vcpus=1\n", 1, (0,)),
        ("vcpus=2\n", 2, (0, 1)),
        ("vcpus=2\nmaxvcpus=4\n", 4, (0, 1)),
        ("maxvcpus=4\n", 4, ()),
        ("vcpus=0\n", 1, ()),
        ('maxvcpus="4294967296"\n', 1, ()),  # as libxl's int has it
    ],
)
def test_vcpus(text: str, most: int, online: tuple[int, ...]) -> None:
    build = config(PV + text).b_info
    assert (build.max_vcpus, build.avail_vcpus) == (most, online)


@pytest.mark.parametrize(
    "text",
    [
        "vcpus=4\nmaxvcpus=2\n",
        'vcpus="-1"\n',
        "vcpus=1000000000\n",
        "maxvcpus=1000000000\n",
        'maxvcpus="-3"\n',
    ],
)
def test_numbers_of_vcpus_that_cannot_be(text: str) -> None:
    assert error(PV + text).exit_status == 1


def test_one_mask_for_all_vcpus_or_one_for_each() -> None:
    assert config(PV + "vcpus=2\ncpus='0'\n").b_info.vcpu_hard_affinity == ((0,), (0,))
    build = config(PV + "vcpus=3\ncpus=['0','1']\n").b_info
    assert build.vcpu_hard_affinity == ((0,), (1,))
    assert build.numa_placement is False


def test_masks_for_vcpus_that_do_not_exist_are_dropped() -> None:
    assert config(PV + "vcpus=1\ncpus=['0','1','x']\n").b_info.vcpu_hard_affinity == ((0,),)


def test_soft_affinity() -> None:
    build = config(PV + "vcpus=1\ncpus_soft='1'\n").b_info
    assert (build.vcpu_soft_affinity, build.numa_placement) == (((1,),), False)


def test_without_vcpus_a_bad_list_is_a_warning_as_xl_does_not_read_it() -> None:
    (found,) = diagnostics(PV + "cpus=['x']\n")
    assert found.code == "bad-affinity"


def test_no_vcpu_may_be_left_without_a_pcpu() -> None:
    assert error(PV + "vcpus=1\ncpus='node:5'\n").message == "no pcpu is left for a vcpu to run on"


def test_masks_of_xl_conf() -> None:
    conf = XlConf(vm_cpumask="0-1", pv_cpumask="0", hvm_cpumask="1")
    assert config(PV + "vcpus=2\n", conf=conf).b_info.vcpu_hard_affinity == ((0,), (0,))
    assert config(HVM + "vcpus=1\ncpus='0-5'\n", conf=conf).b_info.vcpu_hard_affinity == ((1,),)


def test_llc_colors() -> None:
    assert config(PV + "llc_colors=['0-2','7 x',9]\n").b_info.llc_colors == (0, 1, 2, 7, 9)


@pytest.mark.parametrize("item", ["'x'", "'3-1'", "'0-4294967295'", "['1']", "'-1'"])
def test_what_is_no_llc_color(item: str) -> None:
    assert error(PV + f"llc_colors=[{item}]\n").exit_status == 1
