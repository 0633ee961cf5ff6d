"""A Choice behaves as a str Enum does."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from xlpy.model.choice import Choice
from xlpy.model.domain import ShutdownReason


class Colour(Choice):
    """For these tests."""

    RED = "red"
    GREEN = "green"


def test_looks_up_by_text() -> None:
    assert Colour("red") is Colour.RED
    assert Colour(Colour.RED) is Colour.RED
    assert list(Colour) == [Colour.RED, Colour.GREEN]
    assert len(Colour) == 2


@pytest.mark.parametrize("value", ["blue", "", None, 3, ["red"], "RED"])
def test_refuses_what_is_none_of_them(value: object) -> None:
    with pytest.raises(ValueError, match="is not a valid Colour"):
        Colour(value)


def test_is_a_text_with_name_and_value() -> None:
    assert Colour.RED == "red"
    assert (Colour.RED.name, Colour.RED.value) == ("RED", "red")
    assert f"{Colour.RED.value}" == "red"
    assert json.dumps([Colour.RED]) == '["red"]'
    assert {Colour.RED: 1}[Colour("red")] == 1
    assert isinstance(Colour.RED, Colour)
    assert not isinstance(Colour.RED, ShutdownReason)


def test_copies_are_the_same() -> None:
    assert copy.deepcopy(Colour.RED) is Colour.RED
    assert pickle.loads(pickle.dumps(Colour.GREEN)) is Colour.GREEN
