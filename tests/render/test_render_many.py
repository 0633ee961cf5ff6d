"""Rows of several hosts together."""

from __future__ import annotations

import io
import json

import pytest

from xlpy.errors import ConnectError, UsageError
from xlpy.render.kind import Column, Kind, plain_table
from xlpy.render.many import HostRow, HostRows, merged_kind, show_many
from xlpy.render.output import Wishes, column_of


def kind(*keys: str, header: str | None = "A  B") -> Kind:
    columns = [Column(key, key.upper(), lambda row, key=key: row[key]) for key in keys]
    return Kind("thing", columns, plain_table(header, lambda row: "  ".join(str(row[key]) for key in keys)))


def shown(parts: list[HostRows], wishes: Wishes) -> str:
    out = io.StringIO()
    show_many(parts, [("gone", ConnectError("it is gone", "look for it"))], wishes, out)
    return out.getvalue()


PARTS = [
    HostRows("one", kind("a", "b"), [{"a": 3, "b": 1}, {"a": 1, "b": 2}]),
    HostRows("three", kind("a", "b"), [{"a": 2, "b": 3}]),
]


def test_plain_lines_have_the_host_in_front() -> None:
    assert shown(PARTS, Wishes("plain")) == "Host   A  B\none    3  1\none    1  2\nthree  2  3\n"
    assert shown(PARTS, Wishes("plain", headers=False)).startswith("one    3  1\n")
    assert shown(PARTS, Wishes("plain", sort="a")) == "Host   A  B\none    1  2\nthree  2  3\none    3  1\n"
    assert shown(PARTS, Wishes("plain", sort="-host,a")).splitlines()[1:] == [
        "three  2  3",
        "one    1  2",
        "one    3  1",
    ]


def test_two_header_lines_and_none() -> None:
    assert (
        shown([HostRows("h", kind("a", header="X\nY"), [{"a": 1}])], Wishes("plain"))
        == "Host  X\n      Y\nh     1\n"
    )
    assert shown([HostRows("h", kind("a", header=None), [{"a": 1}])], Wishes("plain")) == "h     1\n"


def test_columns_that_only_some_hosts_have() -> None:
    parts = [HostRows("x", kind("a"), [{"a": 1}]), HostRows("y", kind("b", "a"), [{"a": 2, "b": 3}])]
    merged = merged_kind(parts)
    assert [column.key for column in merged.columns] == ["host", "a", "b"]
    rows = [HostRow(part, row) for part in parts for row in part.rows]
    assert [merged.as_mapping(row) for row in rows] == [
        {"host": "x", "a": 1, "b": None},
        {"host": "y", "a": 2, "b": 3},
    ]


@pytest.mark.parametrize("parts", [PARTS, []], ids=["rows", "nothing"])
def test_documents_say_what_is_missing(parts: list[HostRows]) -> None:
    document = json.loads(shown(parts, Wishes("json")))
    assert document["errors"] == [{"host": "gone", "error": "it is gone", "hint": "look for it"}]
    assert [row["host"] for row in document["rows"]] == ["one", "one", "three"][: 3 * bool(parts)]


def test_a_column_is_known_by_its_title_or_an_unambiguous_beginning() -> None:
    thing = Kind(
        "thing",
        [Column("memory_kib", "Mem", str), Column("max_memory_kib", "Max", str), Column("m", "M", str)],
    )
    for key, found in (
        ("memory-kib", 0),
        ("mem", 0),
        ("MEM", 0),
        ("memory", 0),
        ("max", 1),
        ("max_", 1),
        ("m", 2),
    ):
        assert column_of(thing, key) is thing.columns[found]
    for key in ("", "x", "kib"):
        with pytest.raises(UsageError, match="no column"):
            column_of(thing, key)
