"""libxl's JSON as the real xl printed it, read into the model and written again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from xlpy.errors import ProtocolError
from xlpy.model.codec import record_from_wire, to_wire
from xlpy.model.domain import ActionOnShutdown, ShutdownReason
from xlpy.model.domain_config import CpuidPolicy, DomainBuildInfo, DomainConfig
from xlpy.model.libxl_form import from_libxl, to_libxl

DATA = Path(__file__).parent.parent / "data"
PRINTED = sorted(
    path for path in (DATA / "config" / "corpus").glob("*.out") if path.read_bytes().startswith(b"{")
)


@pytest.mark.parametrize("path", PRINTED, ids=lambda path: path.stem)
def test_what_xl_printed_comes_back(path: Path) -> None:
    printed = json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
    assert to_libxl(from_libxl(DomainConfig, printed)) == printed


def test_fields_that_are_unknown_are_left_out() -> None:
    config = from_libxl(
        DomainConfig,
        {"c_info": {"type": "pv", "name": "x", "ssidref": 7}, "b_info": {"type.pv": {"slack_memkb": 3}}},
    )
    assert to_libxl(config) == {"c_info": {"type": "pv", "name": "x"}, "b_info": to_libxl(config.b_info)}
    assert config.b_info.pv is not None


def test_an_action_that_is_left_out_is_destroy() -> None:
    config = from_libxl(
        DomainConfig, {"c_info": {"type": "pv"}, "b_info": {"type.pv": {}}, "on_crash": "preserve"}
    )
    actions = {reason: config.action_on(reason) for reason in ShutdownReason}
    assert actions.pop(ShutdownReason.CRASH) is ActionOnShutdown.PRESERVE
    assert set(actions.values()) == {ActionOnShutdown.DESTROY, None}


def test_cpuid_of_older_libxls_is_a_list() -> None:
    leaves = [{"leaf": 1, "ecx": "x" * 32}]
    assert to_libxl(from_libxl(CpuidPolicy, leaves)) == {"cpuid": leaves, "msr": []}


@pytest.mark.parametrize("wire", [None, [], "x", {"c_info": []}, {"b_info": {}}])
def test_what_is_no_configuration(wire: object) -> None:
    with pytest.raises(ProtocolError):
        from_libxl(DomainConfig, wire)


def test_the_number_of_vcpus_stays_given_on_its_way() -> None:
    """One vcpu is the default; libxl keeps all the same that it was asked for, and ``xl list -l`` shows it."""
    for given, kept in (DomainBuildInfo(), None), (DomainBuildInfo(max_vcpus=1, avail_vcpus=(0,)), 1):
        there = record_from_wire(DomainBuildInfo, json.loads(json.dumps(to_wire(given))))
        assert to_libxl(there).get("max_vcpus") == kept
