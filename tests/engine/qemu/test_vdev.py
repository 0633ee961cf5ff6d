"""Names and numbers of virtual devices, held to libxl's rules (libxl__device_disk_dev_number)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlpy.engine.qemu.vdev import Vdev, disk_letters, parse_vdev, vdev_of_devid
from xlpy.errors import ConfigError

NUMBERS = {
    "xvda": 51712,
    "xvdb": 51728,
    "xvda1": 51713,
    "xvdp15": 202 << 8 | 15 << 4 | 15,
    "xvda16": 1 << 28 | 16,
    "xvdq": 1 << 28 | 16 << 8,
    "xvdaa": 1 << 28 | 26 << 8,
    "hda": 768,
    "hdb": 832,
    "hdc": 5632,
    "hdd": 5696,
    "hda63": 768 + 63,
    "sda": 2048,
    "sdp15": 2048 + 255,
}


@pytest.mark.parametrize(("name", "devid"), NUMBERS.items())
def test_a_name_has_the_number_that_xen_gives_it(name: str, devid: int) -> None:
    assert parse_vdev(name).devid == devid
    assert parse_vdev(name).name == name


@pytest.mark.parametrize(("name", "devid"), NUMBERS.items())
def test_a_number_means_the_same_device_in_every_base(name: str, devid: int) -> None:
    for text in (str(devid), hex(devid), f"0{devid:o}"):
        assert parse_vdev(text).name == name


@pytest.mark.parametrize(("text", "name"), [("d0p0", "xvda"), ("d0p1", "xvda1"), ("d16p0", "xvdq")])
def test_disk_and_partition_can_be_plain_numbers(text: str, name: str) -> None:
    assert parse_vdev(text).name == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "xvd",
        "hde",
        "sdq",
        "hda64",
        "sda16",
        "xvda256",
        "xvda01",
        "XVDA",
        "xvdA",
        "vda",
        "d0",
        "dp",
        "1x",
        "9",
        "08",
    ],
)
def test_what_libxl_refuses_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="no virtual device"):
        parse_vdev(text)


VDEVS = st.one_of(
    st.builds(Vdev, family=st.just("xvd"), disk=st.integers(0, 3000), partition=st.integers(0, 255)),
    st.builds(Vdev, family=st.just("hd"), disk=st.integers(0, 3), partition=st.integers(0, 63)),
    st.builds(Vdev, family=st.just("sd"), disk=st.integers(0, 15), partition=st.integers(0, 15)),
)


@settings(deadline=None)
@given(VDEVS)
def test_name_and_number_both_lead_back_to_the_device(vdev: Vdev) -> None:
    assert parse_vdev(vdev.name) == vdev
    assert vdev_of_devid(vdev.devid) == vdev


@settings(deadline=None)
@given(st.sets(VDEVS, min_size=2, max_size=2))
def test_no_two_devices_share_a_number(vdevs: set[Vdev]) -> None:
    first, second = vdevs
    assert first.devid != second.devid


def test_letters_go_on_after_z() -> None:
    assert [disk_letters(number) for number in (0, 25, 26, 51, 52, 701, 702)] == [
        "a", "z", "aa", "az", "ba", "zz", "aaa",
    ]  # fmt: skip
