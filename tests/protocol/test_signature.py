"""Calls of every operation, turned into wire values and back by the annotations of Engine alone."""

from __future__ import annotations

import json
from importlib import import_module

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_values import values_of

from xlpy.engine.base import OPERATIONS, WIRE_CLASSES
from xlpy.errors import NotSupported, ProtocolError
from xlpy.model.codec import to_wire
from xlpy.protocol.signature import Signature

CLASSES = {name: getattr(import_module(home), name) for name, home in WIRE_CLASSES.items()}
SIGNATURES = {name: Signature(method, WIRE_CLASSES) for name, method in OPERATIONS.items()}


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@pytest.mark.parametrize("name", OPERATIONS)
@given(data=st.data())
def test_arguments_and_result_cross(name: str, data: st.DataObject) -> None:
    signature = SIGNATURES[name]
    annotations = OPERATIONS[name].__annotations__
    arguments = {
        parameter: data.draw(values_of(annotations[parameter], CLASSES))
        for parameter in signature.parameters
        if parameter not in ("stream", "progress")
    }
    wire = json.loads(json.dumps(signature.encode_arguments(arguments)))
    decoded = signature.decode_arguments(wire)
    bound = {**signature._defaults, **decoded}
    assert {parameter: bound[parameter] for parameter in arguments} == arguments

    result = data.draw(values_of(annotations["return"], CLASSES))
    assert signature.decode_result(json.loads(json.dumps(to_wire(result)))) == result


def test_binding_is_pythons() -> None:
    signature = SIGNATURES["set_vcpu_affinity"]
    assert signature.bind((1, None), {"force": True}) == {"domid": 1, "vcpuid": None, "force": True}
    for args, kwargs in [((), {}), ((1, 2, 3, 4, 5, 6), {}), ((1, 2), {"domid": 1}), ((1, 2), {"nope": 1})]:
        with pytest.raises(TypeError):
            signature.bind(args, kwargs)


def test_defaults_are_not_sent() -> None:
    signature = SIGNATURES["create_domain"]
    assert signature.encode_arguments({"paused": False, "supervised": False}) == {"supervised": False}


def test_unknown_argument_is_refused_not_ignored() -> None:
    with pytest.raises(NotSupported, match="'gently'"):
        SIGNATURES["destroy_domain"].decode_arguments({"domid": 1, "gently": True})


@pytest.mark.parametrize("arguments", [{}, {"domid": "1"}, {"domid": True}, {"domid": None}])
def test_arguments_that_do_not_fit(arguments: dict[str, object]) -> None:
    with pytest.raises(ProtocolError):
        SIGNATURES["destroy_domain"].decode_arguments(arguments)


def test_stream_and_progress_are_no_data() -> None:
    save = SIGNATURES["save_domain"]
    assert save.takes_stream
    assert save.takes_progress
    assert save.encode_arguments({"domid": 1, "stream": 7, "progress": print}) == {"domid": 1}
    with pytest.raises(NotSupported):
        save.decode_arguments({"domid": 1, "stream": 7})
