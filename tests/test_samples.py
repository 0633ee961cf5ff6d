"""The samples under configs/ are good configurations."""

from __future__ import annotations

from pathlib import Path

import pytest
from source_tree import ROOT

from xlpy.config.domain import parse_domain_config
from xlpy.config.draft import HostFacts
from xlpy.model.domain import DomainType

SAMPLES = sorted((ROOT / "configs").glob("*.cfg"))
HOST = HostFacts(nr_cpus=8, max_cpu_id=7, nr_nodes=1)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_sample_is_read_without_a_word(path: Path) -> None:
    parsed = parse_domain_config(path.read_bytes(), path.name, host=HOST)
    assert [str(finding) for finding in parsed.diagnostics] == []
    assert parsed.config.c_info.name
    assert parsed.config.c_info.type is not None


def test_there_is_one_of_each_type() -> None:
    types = {
        parse_domain_config(path.read_bytes(), path.name, host=HOST).config.c_info.type for path in SAMPLES
    }
    assert types == set(DomainType)
