"""hypothesis strategies for model values, read from the annotations that the codec reads."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from xlpy.model.choice import Choice
from xlpy.model.record import Record

texts = st.text(max_size=12) | st.just("caf\udce9")  # names are bytes; some are no UTF-8
_SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "int": st.integers(-(2**63), 2**64),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "str": texts,
    "bool": st.booleans(),
    "None": st.none(),
    "object": st.none() | st.integers() | texts | st.lists(st.integers(), max_size=3),
}
_records: dict[type[Record], st.SearchStrategy[Any]] = {}


def values_of(annotation: str, names: Mapping[str, object]) -> st.SearchStrategy[Any]:
    """Values of this annotation."""
    text = annotation.strip()
    if text.endswith("| None"):
        return st.none() | values_of(text[: -len("| None")], names)
    if text.startswith("tuple["):
        return st.lists(values_of(text[6:-6], names), max_size=2).map(tuple)
    if text.startswith("dict[str, "):
        return st.dictionaries(texts, values_of(text[10:-1], names), max_size=2)
    if text in _SCALARS:
        return _SCALARS[text]
    cls = names[text]
    assert isinstance(cls, type)
    if issubclass(cls, Choice):
        return st.sampled_from(list(cls))
    assert issubclass(cls, Record)
    return records_of(cls)


def records_of(cls: type[Record]) -> st.SearchStrategy[Any]:
    """Records of this class: the required fields, and any of the others."""
    if cls not in _records:
        names = vars(sys.modules[cls.__module__])
        fields = {
            name: st.deferred(lambda text=text: values_of(text, names)) for name, text in cls.fields_.items()
        }
        _records[cls] = st.fixed_dictionaries(
            {name: fields[name] for name in cls.required_},
            optional={name: field for name, field in fields.items() if name not in cls.required_},
        ).map(lambda chosen: cls(**chosen))
    return _records[cls]
