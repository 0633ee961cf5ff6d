"""Settings by name: last one wins, +=, kinds of values, places of messages."""

from __future__ import annotations

import pytest

from xlpy.config.settings import Settings
from xlpy.config.source import Source
from xlpy.errors import ConfigError


def settings(text: str) -> Settings:
    return Settings(Source("f.cfg", text))


def test_the_last_assignment_counts() -> None:
    assert settings("a=1\na=2\n").integer("a") == 2


def test_adding() -> None:
    found = settings("a='x'\na+='y'\na+='z'\nb=[1]\nb+=[2,3]\nc+=['n']\nd+='n'\n")
    assert found.string("a") == "xyz"
    assert found.texts("b") == ("1", "2", "3")
    assert found.texts("c") == ("n",)
    assert found.string("d") == "n"
    assert found.diagnostics == []


def test_adding_leaves_the_assignments_as_they_are_written() -> None:
    found = settings("b=[1]\nb+=[2]\nb+=[3]\n")
    assert [len(assignment.value.items) for assignment in found.assignments] == [1, 1, 1]  # type: ignore[union-attr]


def test_a_hundred_thousand_additions_are_joined_once() -> None:
    assert settings("a+='xy'\n" * 100_000).string("a") == "xy" * 100_000
    assert settings("a+=['xy']\n" * 100_000).texts("a") == ("xy",) * 100_000


@pytest.mark.parametrize("text", ["a='x'\na+=['y']\n", "a=['x']\na+='y'\n"])
def test_lists_and_single_values_do_not_mix(text: str) -> None:
    with pytest.raises(ConfigError, match="can't add a list"):
        settings(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("5", 5), ("0x10", 16), ("010", 8), ('"-5"', -5), ('" 5"', 5), ("9223372036854775807", 2**63 - 1)],
)
def test_numbers(text: str, value: int) -> None:
    found = settings(f"a={text}\n")
    assert found.integer("a") == value
    assert found.diagnostics == []


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('"5 "', "a: '5 ' is not a valid number", "decimal"),
        ('""', "a: '' is not a valid number", "decimal"),
        ('"true"', "a: 'true' is not a valid number", "write 1"),
        ('"no"', "a: 'no' is not a valid number", "write 0"),
        ('"1g"', "a: '1g' is not a valid number", "MiB"),
        ("089", "a: '089' is not a valid number", "octal"),
        ("9223372036854775808", "a: 9223372036854775808 is out of range", ""),
    ],
)
def test_what_is_no_number_counts_as_not_given(text: str, message: str, hint: str) -> None:
    found = settings(f"a={text}\n")
    assert found.integer("a") is None
    (diagnostic,) = found.diagnostics
    assert diagnostic.code == "not-a-number"
    assert diagnostic.message == f"{message}; the setting has no effect"
    assert hint in (diagnostic.hint or "")


def test_adding_to_a_number_makes_it_none() -> None:
    found = settings("a=1\na+=2\n")
    assert found.integer("a") is None
    assert "can't use += with numbers" in found.diagnostics[0].message


def test_a_list_for_a_value_and_the_other_way_round() -> None:
    found = settings("a=[1]\nb=1\n")
    assert found.string("a") is None
    assert found.sequence("b") is None
    assert [diagnostic.code for diagnostic in found.diagnostics] == ["not-a-value", "not-a-list"]
    assert [diagnostic.where for diagnostic in found.diagnostics] == ["f.cfg:1:3", "f.cfg:2:3"]


def test_quiet_reading_says_nothing() -> None:
    found = settings("a=[1]\nb=1\n")
    assert found.string("a", quiet=True) is None
    assert found.sequence("b", quiet=True) is None
    assert found.diagnostics == []


def test_a_nested_list_ends_a_list_of_values() -> None:
    found = settings("a=['x',['y'],'z']\n")
    assert found.texts("a") == ("x",)
    assert found.diagnostics[0].code == "nested-list"


def test_the_same_is_said_once() -> None:
    found = settings("a='x'\n")
    for _ in range(3):
        assert found.integer("a") is None
    assert len(found.diagnostics) == 1


def test_unknown_settings_get_the_nearest_known_name() -> None:
    found = settings("memroy=512\nxyzzy=1\nmemory=1\n")
    found.warn_unknown(("memory", "name"))
    first, second = found.diagnostics
    assert (first.code, first.where, first.hint) == ("unknown-key", "f.cfg:1:1", "did you mean 'memory'?")
    assert first.detail == "memroy=512\n^^^^^^"
    assert second.hint is None


def test_all_errors_of_syntax_come_in_one() -> None:
    with pytest.raises(ConfigError) as caught:
        settings("a=@\nb=2\nc=!\n")
    error = caught.value
    assert (error.where, error.exit_status) == ("f.cfg:1:3", 1)
    assert error.detail == "a=@\n  ^\nf.cfg:3:3: unexpected '!'"


def test_many_warnings_are_cut_short() -> None:
    found = settings("a=1;" * 10_000)
    found.warn_unknown(())
    assert len(found.diagnostics) == 201
    assert found.diagnostics[-1].code == "too-many"


def test_many_errors_are_cut_short() -> None:
    with pytest.raises(ConfigError) as caught:
        settings("a=@\n" * 1000)
    assert caught.value.detail is not None
    assert caught.value.detail.endswith("and more")
    assert len(caught.value.detail.splitlines()) < 15
