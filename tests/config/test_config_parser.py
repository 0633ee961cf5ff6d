"""The grammar: what is a config, and what is said where one is expected and something else stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_config_lexer import config_text

from xlpy.config.parser import Atom, Sequence, parse

Plain = str | list["Plain"]

names = st.from_regex(r"[a-z][a-z0-9._]{0,8}", fullmatch=True)
strings = st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"]), max_size=8)
values = st.recursive(strings, lambda inner: st.lists(inner, max_size=4), max_leaves=12)


def read(text: str) -> tuple[list[tuple[str, bool, Plain]], list[tuple[int, str, str | None]]]:
    errors: list[tuple[int, str, str | None]] = []

    def report(offset: int, length: int, message: str, hint: str | None) -> None:
        assert 0 <= offset <= len(text)
        errors.append((offset, message, hint))

    return [(found.name, found.adds, plain(found.value)) for found in parse(text, report)], errors


def plain(value: Atom | Sequence) -> Plain:
    if isinstance(value, Atom):
        return value.text
    return [plain(item) for item in value.items]


def written(value: Plain, blank: str) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return "[" + blank + f",{blank}".join(written(item, blank) + blank for item in value) + "]"


@pytest.mark.parametrize(
    ("text", "assignments"),
    [
        ("", []),
        (";;\n\n;", []),
        ("# only a comment\n", []),
        ("a=1", [("a", False, "1")]),
        ("a=1abc\n", [("a", False, "1abc")]),
        ("a=1;b='2';;c=\"3\"", [("a", False, "1"), ("b", False, "2"), ("c", False, "3")]),
        ("a += 'x'\n", [("a", True, "x")]),
        ("a=[]", [("a", False, [])]),
        ("a=[\n\n# c\n]", [("a", False, [])]),
        ("a=['x',]", [("a", False, ["x"])]),
        ("a=['x'\n,\n'y'\n]", [("a", False, ["x", "y"])]),
        ("a=[['x',[]],1]", [("a", False, [["x", []], "1"])]),
        ("\ta\t=\t1\t# c\n", [("a", False, "1")]),
    ],
)
def test_configs(text: str, assignments: list[tuple[str, bool, Plain]]) -> None:
    assert read(text) == (assignments, [])


@pytest.mark.parametrize(
    ("text", "offset", "message", "hint_words"),
    [
        ("a", 1, "unexpected end of file, expected '=' or '+='", None),
        ("a=\n1\n", 2, "unexpected end of line, expected a string, a number or '['", None),
        ("a=true\n", 2, "unexpected 'true', expected a string, a number or '['", "write 1"),
        ("a=off\n", 2, "unexpected 'off', expected a string, a number or '['", "write 0"),
        ("a=hvm\n", 2, "unexpected 'hvm', expected a string, a number or '['", 'write "hvm"'),
        ("import os\n", 7, "unexpected 'os', expected '=' or '+='", "Python"),
        ("a=1 b=2\n", 4, "unexpected 'b', expected the end of the line or ';'", None),
        ('a="x"]\n', 5, "unexpected ']', expected the end of the line or ';'", None),
        ("[x]=1\n", 0, "unexpected '[', expected a name", "can't begin in the line after"),
        ("=2\n", 0, "unexpected '=', expected a name", None),
        ('a=["x",,"y"]\n', 7, "unexpected ',', expected a string, a number or '[' or ']'", None),
        ('a=["x" "y"]\n', 7, "unexpected 'y', expected ',' or ']'", "separated by commas"),
        ("a=[,]\n", 3, "unexpected ',', expected a string, a number or '[' or ']'", None),
        ("a=[1;]\n", 4, "unexpected ';', expected ',' or ']'", None),
        ("\na=[1\nvcpus=2\n", 6, "unexpected 'vcpus', expected ',' or ']'", "line 2 is not closed"),
        ("a=[1", 4, "unexpected end of file, expected ',' or ']'", "line 1 is not closed"),
        ("memory=1g\n", 8, "unexpected 'g', expected the end of the line or ';'", "no unit"),
        ("a==1\n", 2, "unexpected '=', expected a string, a number or '['", None),
    ],
)
def test_what_is_no_config(text: str, offset: int, message: str, hint_words: str | None) -> None:
    _, errors = read(text)
    assert errors[0][:2] == (offset, message)
    if hint_words is not None:
        assert errors[0][2] is not None
        assert hint_words in errors[0][2]


def test_all_lines_with_errors_are_found_each_once() -> None:
    assignments, errors = read("a=@@ @\nb=2\nc=!\nd==\ne=5\n")
    assert [offset for offset, _, _ in errors] == [2, 13, 17]
    assert ("b", False, "2") in assignments
    assert ("e", False, "5") in assignments


def test_lists_nest_without_limit() -> None:
    depth = 50_000
    found: list[object] = []
    assignments = parse("a=" + "[" * depth + "]" * depth, lambda *error: found.append(error))
    assert found == []
    value, levels = assignments[0].value, 0
    while isinstance(value, Sequence) and value.items:
        value, levels = value.items[0], levels + 1
    assert levels == depth - 1


@given(
    st.lists(st.tuples(names, st.booleans(), values), max_size=5),
    st.sampled_from(["", " ", "\n", " # c\n\t"]),
)
def test_what_is_written_is_read(settings: list[tuple[str, bool, Plain]], blank: str) -> None:
    text = "".join(
        f"{name}{'+=' if adds else '='}{written(value, blank)}\n" for name, adds, value in settings
    )
    assert read(text) == (settings, [])


@given(config_text)
def test_nothing_but_reports_comes_out(text: str) -> None:
    read(text)


@given(names, values)
def test_values_know_their_place(name: str, value: Plain) -> None:
    text = f"\n {name} = {written(value, ' ')}"
    (found,) = parse(text, lambda *error: pytest.fail(str(error)))
    assert text.startswith(name, found.offset)
    at = found.value.offset
    assert text[at] == "[" if isinstance(found.value, Sequence) else text[at - 1] == '"'
