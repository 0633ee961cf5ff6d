"""Our JSON agrees with the json package's, in both directions."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlpy.model.json_text import dumps, loads

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(VALUES)
def test_writes_what_json_writes(value: object) -> None:
    assert dumps(value) == json.dumps(value, separators=(",", ":"))


@given(VALUES, st.sampled_from([None, 2]))
def test_reads_what_json_wrote(value: object, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    assert loads(text) == value
    assert loads(f" \r\n{text}\t".encode()) == value


@given(st.text() | st.text(alphabet='[]{}",:0123456789.eE-truefalsn \\u', max_size=12))
def test_refuses_what_json_refuses(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(ValueError, match=r"JSON value|Expecting|[Ii]nvalid|Illegal|Unterminated|decode"):
            loads(text)
        return
    if "NaN" in text or "Infinity" in text:  # json's own extension
        with pytest.raises(ValueError, match="no JSON value"):
            loads(text)
    else:
        assert loads(text) == expected


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_lacks(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        dumps([value])


def test_bytes_that_are_no_utf8() -> None:
    with pytest.raises(UnicodeDecodeError):
        loads(b'"\xff"')


def test_too_deep() -> None:
    with pytest.raises(RecursionError):
        loads("[" * 1_000_000)


def test_what_is_no_json() -> None:
    with pytest.raises(TypeError, match="set cannot be written"):
        dumps({"a": {1}})
