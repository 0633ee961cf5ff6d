"""Every model class crosses the wire and comes out equal."""

from __future__ import annotations

import importlib
import json
import pkgutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_values import records_of

import xlpy.agent.domain_record
import xlpy.model
from xlpy.errors import ProtocolError
from xlpy.model.codec import from_wire, record_from_wire, to_wire
from xlpy.model.domain import DomainInfo, SchedParams, ShutdownReason
from xlpy.model.record import Record

for _module in pkgutil.iter_modules(xlpy.model.__path__):
    importlib.import_module(f"xlpy.model.{_module.name}")


def record_classes(base: type[Record] = Record) -> list[type[Record]]:
    found = [
        cls
        for cls in base.__subclasses__()
        if cls.__module__.startswith("xlpy.model.") or cls is xlpy.agent.domain_record.DomainRecord
    ]
    return found + [deeper for cls in found for deeper in record_classes(cls)]


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@pytest.mark.parametrize("cls", record_classes(), ids=lambda cls: cls.__name__)
@given(data=st.data())
def test_round_trip(cls: type[Record], data: st.DataObject) -> None:
    record = data.draw(records_of(cls))
    assert record_from_wire(cls, json.loads(json.dumps(to_wire(record)))) == record


def test_defaults_are_not_sent() -> None:
    assert to_wire(SchedParams(weight=256, cap=10)) == {"cap": 10}


def test_unknown_fields_are_ignored_and_missing_ones_take_their_defaults() -> None:
    assert record_from_wire(SchedParams, {"cap": 1, "colour": "red"}) == SchedParams(cap=1)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"domid": 1},
        {"domid": "1", "uuid": "u", "name": "n"},
        {"domid": True, "uuid": "u", "name": "n"},
        {"domid": 1, "uuid": "u", "name": 5},
        {"domid": 1, "uuid": "u", "name": "n", "running": 1},
        {"domid": 1, "uuid": "u", "name": "n", "domain_type": "vm"},
        {"domid": 1, "uuid": "u", "name": "n", "node_affinity": 3},
        {"domid": 1, "uuid": "u", "name": "n", "node_affinity": ["0"]},
        [],
        None,
        "text",
    ],
)
def test_what_does_not_fit_is_a_protocol_error(value: object) -> None:
    with pytest.raises(ProtocolError):
        record_from_wire(DomainInfo, value)


def test_annotations() -> None:
    names = {"ShutdownReason": ShutdownReason}
    assert from_wire("tuple[int, ...] | None", [1, 2], {}.get) == (1, 2)
    assert from_wire("dict[str, ShutdownReason]", {"a": "crash"}, names.get) == {"a": ShutdownReason.CRASH}
    assert from_wire("float", 1, {}.get) == 1
    with pytest.raises(TypeError):
        from_wire("set[int]", [], {}.get)
