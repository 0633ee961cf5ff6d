"""Configs written as text: reading them again gives the same libxl JSON, or the writer says what is lost."""

from __future__ import annotations

import re

import pytest
from any_config import config_texts
from hypothesis import given, settings
from hypothesis import strategies as st
from parsing import HVM, PV, config
from test_corpus import CORPUS, NAMES, recording

from xlpy.config.diagnostic import SpecError
from xlpy.config.libxl_json import domain_json
from xlpy.config.literal import literal, quoted
from xlpy.config.rate import parse_rate, rate_text
from xlpy.config.write_build import cpu_list
from xlpy.config.write_devices import disk_spec
from xlpy.config.writer import config_text, settings_of
from xlpy.errors import ConfigError
from xlpy.model.domain_config import CpuidLeaf, CpuidMsr, CpuidPolicy, DiskConfig, DomainConfig, NicConfig

MADE_UP_GENERATION = re.compile(r'"ms_vm_genid": \[[^]]*\]')
ACCEPTED = [name for name in NAMES if recording(name)[0] == 0]


def same_json(one: DomainConfig, other: DomainConfig) -> bool:
    texts = [MADE_UP_GENERATION.sub("", domain_json(found)) for found in (one, other)]
    return texts[0] == texts[1]


@pytest.mark.parametrize("name", ACCEPTED)
def test_every_recorded_config_goes_there_and_back(name: str) -> None:
    found = config((CORPUS / f"{name}.cfg").read_bytes().decode("utf-8", "surrogateescape"))
    assert same_json(config(config_text(found)), found)


@settings(max_examples=300, deadline=None)
@given(config_texts())
def test_any_config_goes_there_and_back(text: str) -> None:
    try:
        found = config(text)
    except ConfigError:
        return
    written = config_text(found)
    assert same_json(config(written), found)
    assert config_text(config(written)) == written


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=[])))
def test_any_string_goes_there_and_back(text: str) -> None:
    assert config(f"{PV}cmdline={quoted(text)}\n").b_info.cmdline == text


def test_a_string_ends_at_a_nul() -> None:
    assert quoted("a\0b") == '"a"'


def test_how_values_are_spelled() -> None:
    assert [literal(value) for value in (5, -5, "a", ("a", 1), ())] == ["5", '"-5"', '"a"', '["a", 1]', "[]"]


def test_a_long_list_has_an_item_a_line() -> None:
    assert literal(("a" * 60, "b" * 60)) == f'[\n    "{"a" * 60}",\n    "{"b" * 60}",\n]'
    nested = literal((("a" * 60, "b" * 60),))
    assert nested.splitlines()[1:3] == ["    [", f'        "{"a" * 60}",']


def test_the_text_is_in_the_order_of_a_good_file() -> None:
    found = config(
        HVM + 'uuid="01234567-89ab-cdef-0123-456789abcdef"\nvif=["bridge=b"]\nmemory=64\nmaxmem=64\n'
    )
    assert config_text(found) == (
        'name = "n"\ntype = "hvm"\nuuid = "01234567-89ab-cdef-0123-456789abcdef"\nmemory = 64\nvif = ["bridge=b"]\n'
    )


def test_only_what_is_given_is_written() -> None:
    assert settings_of(config(PV)).keys() == {"name", "type", "uuid", "kernel"}


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        ({"nics": (NicConfig(devid=0, bridge="a,b"),)}, "nics[0].bridge"),
        (
            {"disks": (DiskConfig(vdev="xvda", pdev_path="/a\nb", format="raw"),)},
            "unknown value 'b' for access",
        ),
        (
            {"disks": (DiskConfig(vdev="xvda", pdev_path="/a", format="raw", transport="mmio"),)},
            "disks[0].transport",
        ),
    ],
)
def test_what_a_file_cannot_say_is_refused(change: dict[str, object], lost: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config_text(config(PV).replace(**change))
    assert caught.value.message == "a config file can't say all of this configuration"
    assert (caught.value.detail or "").startswith("lost: ")
    assert lost in (caught.value.detail or "")


def test_many_losses_are_counted() -> None:
    disks = tuple(
        [
            DiskConfig(vdev=f"xvd{letter}", pdev_path="/a", format="raw", transport="mmio")
            for letter in "abcdefghijklm"
        ]
    )
    with pytest.raises(ConfigError) as caught:
        config_text(config(PV).replace(disks=disks))
    assert (caught.value.detail or "").endswith("disks[9].transport and 3 more")


def test_a_policy_for_an_msr_can_only_be_named() -> None:
    policy = CpuidPolicy(
        cpuid=(CpuidLeaf(leaf=7, subleaf=0, edx="0" + "x" * 31),),
        msr=(CpuidMsr(index=0x10A, policy="x" * 63 + "1"),),
    )
    found = config(PV)
    found = found.replace(b_info=found.b_info.replace(cpuid=policy))
    assert 'cpuid = "host,ssbd=0,' in config_text(found)
    assert config(config_text(found)).b_info.cpuid == policy


def test_an_msr_of_which_nothing_is_set() -> None:
    found = config(PV + "cpuid='host,rdcl-no=?'\n")
    assert found.b_info.cpuid == CpuidPolicy(msr=(CpuidMsr(index=0x10A, policy="x" * 64),))
    assert config(config_text(found)).b_info == found.b_info


@given(st.sets(st.integers(0, 40), min_size=1))
def test_cpu_lists_go_there_and_back(cpus: set[int]) -> None:
    numbers = tuple(sorted(cpus))
    text = cpu_list(numbers)
    assert text.count("-") + text.count(",") < len(numbers) * 2
    read = [
        cpu
        for term in text.split(",")
        for cpu in range(int(term.split("-")[0]), int(term.split("-")[-1]) + 1)
    ]
    assert tuple(read) == numbers


@given(
    st.integers(1, 2**32 - 1),
    st.sampled_from(["", "K", "M", "G"]),
    st.sampled_from("bB"),
    st.integers(1, 10**7),
)
def test_rates_go_there_and_back(number: int, prefix: str, unit: str, interval_us: int) -> None:
    try:
        rate = parse_rate(f"{number}{prefix}{unit}/s@{interval_us}us")
    except SpecError:
        return
    assert parse_rate(rate_text(*rate)) == rate


def test_a_rate_is_written_as_round_as_it_goes() -> None:
    assert rate_text(62500, 50000) == "10Mb/s"
    assert rate_text(200000, 20000) == "10MB/s@20000us"


def test_the_target_of_a_disk_comes_last() -> None:
    disk = DiskConfig(vdev="xvda", pdev_path="/a,b,", format="raw", readwrite=1)
    assert disk_spec(disk) == "vdev=xvda, format=raw, access=rw, target=/a,b,,"
    assert config(f"{PV}disk=[{quoted(disk_spec(disk))}]\n").disks == (disk,)
