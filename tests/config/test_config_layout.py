"""The canonical layout: comments stay, the meaning stays, and a second pass changes nothing."""

from __future__ import annotations

import pytest
from any_config import config_texts
from hypothesis import given, settings
from hypothesis import strategies as st
from test_corpus import CORPUS, NAMES

from xlpy.config.diagnostic import SettingError
from xlpy.config.domain import decode_text
from xlpy.config.layout import formatted
from xlpy.config.parser import Atom, Sequence
from xlpy.config.settings import Settings
from xlpy.config.source import Source
from xlpy.errors import ConfigError

Value = tuple[str] | list["Value"]
PIECES = [
    "a",
    "b.c",
    "=",
    "+=",
    '"x"',
    "'y'",
    "5",
    "[",
    "]",
    ",",
    ",",
    ";",
    "\n",
    "\n",
    "#c\n",
    " # d \n",
    '"\\n"',
]


def value_of(value: Atom | Sequence) -> Value:
    return (value.text,) if isinstance(value, Atom) else [value_of(item) for item in value.items]


def meaning(text: str) -> list[tuple[str, bool, Value]]:
    found = Settings(Source("f", text)).assignments
    return [(assignment.name, assignment.adds, value_of(assignment.value)) for assignment in found]


def comments(text: str) -> list[str]:
    return [line[line.index("#") :].rstrip() for line in text.splitlines() if "#" in line]


BEFORE = """\
# head


a=1;b='x' # why
serial+= "5"
empty=[ ]
disk=[ # mine
  'a', # first

  # before b
  "b"
  ,
]   # end


  # indented
vif = [ "x", "y" ]
vnuma=[["a","b"],
["c"]]
q = 'say "it"'
#last
"""
AFTER = """\
# head

a = 1
b = "x"  # why
serial += "5"
empty = []
disk = [
    # mine
    "a",  # first
    # before b
    "b",
]  # end

# indented
vif = ["x", "y"]
vnuma = [["a", "b"], ["c"]]
q = 'say "it"'
#last
"""


def test_the_layout() -> None:
    assert formatted(BEFORE, "f") == AFTER
    assert formatted(AFTER, "f") == AFTER


def test_a_long_list_is_broken() -> None:
    long = f'vif = ["{"x" * 60}", "{"y" * 60}"]\n'
    assert formatted(long, "f") == f'vif = [\n    "{"x" * 60}",\n    "{"y" * 60}",\n]\n'


def test_a_comma_at_its_end_keeps_a_list_broken() -> None:
    assert formatted('a=["x",]\n', "f") == 'a = [\n    "x",\n]\n'


def test_nothing_stays_nothing() -> None:
    assert formatted("\n\n", "f") == ""
    assert formatted("\n\n# x\n\n\n", "f") == "# x\n"


def test_includes_stay() -> None:
    text = '#xlpy: extended\n  include "x.cfg"   # why\na="${b}"\n'
    assert formatted(text, "f") == '#xlpy: extended\ninclude "x.cfg"   # why\na = "${b}"\n'


def test_a_text_that_does_not_parse_is_refused() -> None:
    with pytest.raises(SettingError) as caught:
        formatted("a = = 1\n", "f")
    assert caught.value.where == "f:1:5"


def test_lists_can_be_too_deep() -> None:
    assert formatted("a=" + "[" * 40 + "]" * 40 + "\n", "f").count("[") == 40
    with pytest.raises(SettingError, match="more than 40 deep"):
        formatted("a=" + "[" * 41 + "]" * 41 + "\n", "f")


@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_config_keeps_its_meaning(name: str) -> None:
    text = decode_text((CORPUS / f"{name}.cfg").read_bytes())
    try:
        written = formatted(text, name)
    except ConfigError:
        return
    assert meaning(written) == meaning(text)
    assert formatted(written, name) == written


@settings(max_examples=300, deadline=None)
@given(st.one_of(config_texts(), st.lists(st.sampled_from(PIECES), max_size=14).map("".join)))
def test_any_config_keeps_its_meaning_and_comments(text: str) -> None:
    try:
        written = formatted(text, "f")
    except ConfigError:
        return
    assert meaning(written) == meaning(text)
    assert comments(written) == comments(text)
    assert formatted(written, "f") == written
