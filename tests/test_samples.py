"""The samples under configs/ are good configurations: checked, formatted, and read as a dry run reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
from source_tree import ROOT

from xlpy.config.check import check_text
from xlpy.config.domain import ParsedConfig, decode_text, parse_domain_config
from xlpy.config.draft import HostFacts
from xlpy.config.layout import formatted
from xlpy.config.libxl_json import domain_json
from xlpy.model.domain import DomainType

SAMPLES = sorted((ROOT / "configs").glob("*.cfg"))
HOST = HostFacts(nr_cpus=8, max_cpu_id=7, nr_nodes=2, node_of_cpu=(0, 0, 0, 0, 1, 1, 1, 1))
VARIABLES = {"router.cfg": {"name": "router1", "site": "07"}}


def parsed(path: Path) -> ParsedConfig:
    return parse_domain_config(path.read_bytes(), path.name, host=HOST, variables=VARIABLES.get(path.name))


def sample(name: str) -> ParsedConfig:
    return parsed(ROOT / "configs" / f"{name}.cfg")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_sample_is_read_without_a_word(path: Path) -> None:
    found = parsed(path)
    assert [str(finding) for finding in found.diagnostics] == []
    assert found.config.c_info.name
    assert domain_json(found.config).startswith('{\n    "c_info": {')
    variables = VARIABLES.get(path.name)
    assert check_text(path.read_bytes(), path.name, host=HOST, variables=variables, strict=True) == ()


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_sample_is_in_the_canonical_layout_and_explained(path: Path) -> None:
    text = decode_text(path.read_bytes())
    assert formatted(text, path.name) == text
    comments = [line for line in text.splitlines() if line.lstrip().startswith("#")]
    assert len(comments) >= 2


def test_there_is_one_of_each_type() -> None:
    assert {parsed(path).config.c_info.type for path in SAMPLES} == set(DomainType)


def test_the_samples_are_what_their_names_say() -> None:
    assert sample("driver-domain").config.c_info.driver_domain
    assert sample("driver-domain").config.pcidevs
    database = sample("database").config.b_info
    assert [node.pnode for node in database.vnuma_nodes] == [0, 1]
    assert database.vcpu_hard_affinity == tuple([(cpu,) for cpu in range(8)])
    router = sample("router")
    assert [nic.bridge for nic in router.config.nics] == ["uplink", "office", "servers", "guests"]
    assert router.config.nics[0].mac == "00:16:3e:07:00:00"
    assert parse_domain_config(router.source, "plain.cfg").config.nics == router.config.nics
    windows = sample("hvm-windows").config.b_info.hvm
    assert windows is not None
    assert windows.bios == "ovmf"
    assert windows.viridian
    assert len((ROOT / "configs" / "minimal.cfg").read_text().splitlines()) < 10
