"""Headers of xl's save files: one that a real xl wrote is read, and ours is laid out like it."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlpy.client.save_file import header_bytes, read_header
from xlpy.errors import XlError
from xlpy.model.domain import DomainType
from xlpy.model.domain_config import DomainBuildInfo, DomainConfig, DomainCreateInfo, PvhInfo
from xlpy.model.libxl_form import to_libxl
from xlpy.model.migration import SavedDomain

RECORDED = Path(__file__).parent.parent / "data" / "xl-4.17.save-header"  # xl save, Xen 4.17 in the lab


def read(header: bytes, tmp_path: Path) -> tuple[SavedDomain, bytes]:
    """What a file of this header says, and what is left to read behind it."""
    path = tmp_path / "saved"
    path.write_bytes(header + b"the stream")
    source = os.open(path, os.O_RDONLY)
    try:
        return read_header(source, "saved"), os.read(source, 100)
    finally:
        os.close(source)


def saved_domain() -> SavedDomain:
    return SavedDomain(
        config=DomainConfig(
            c_info=DomainCreateInfo(
                type=DomainType.PVH, name="web", uuid="11111111-2222-3333-4444-555555555555"
            ),
            b_info=DomainBuildInfo(max_memkb=98304, kernel="/boot/vmlinuz", pvh=PvhInfo()),
        ),
        stream_format="libxl",
        stream_version="2",
        xlpy_version="1",
        config_text='name = "web"',
    )


def test_header_of_a_real_xl(tmp_path: Path) -> None:
    saved, rest = read(RECORDED.read_bytes(), tmp_path)
    assert (saved.stream_format, rest) == ("libxl", b"the stream")
    assert (saved.config.c_info.name, saved.config.c_info.type) == ("pv1", DomainType.PV)
    assert saved.config.c_info.domid is None
    assert saved.config.b_info.kernel == "/lab/guest/vmlinux"
    assert saved.config.b_info.avail_vcpus == (0, 1)
    assert saved.config.b_info.pv is not None


def test_our_header_is_laid_out_like_xls(tmp_path: Path) -> None:
    saved = saved_domain()
    header = header_bytes(saved)
    recorded = RECORDED.read_bytes()
    assert header[:44] == recorded[:44], "magic, byte order and flags"
    length, config_length = struct.unpack_from("=II", header, 44)
    assert length == len(header) - 48
    config = header[52 : 52 + config_length]
    assert config.endswith(b"\0")
    assert json.loads(config[:-1]) == to_libxl(saved.config)
    assert read(header, tmp_path) == (saved, b"the stream")


def test_libxls_own_words_are_passed_on() -> None:
    saved = saved_domain().replace(machine={"config": {"c_info": {"type": "pvh", "ssidref": 7}}})
    header = header_bytes(saved)
    (config_length,) = struct.unpack_from("=I", header, 48)
    assert json.loads(header[52 : 51 + config_length]) == saved.machine["config"]


@given(st.integers(0, len(RECORDED.read_bytes()) - 1))
def test_half_a_header(length: int) -> None:
    reader, writer = os.pipe()
    os.write(writer, RECORDED.read_bytes()[:length])
    os.close(writer)
    try:
        with pytest.raises(XlError, match=r"truncated|wrong magic"):
            read_header(reader, "half")
    finally:
        os.close(reader)
