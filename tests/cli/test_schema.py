"""The schemas of machine-readable output. That output fits them is checked wherever a test runs a command (conftest)."""

from __future__ import annotations

import json

import pytest
from command_line import Call
from fake_engine import FakeEngine
from schema_check import misfits

from xlpy.cli.schema import every_kind
from xlpy.render.kind import Kind
from xlpy.render.schema import _WORDS, schema_of

KINDS = {kind.name: kind for kind in every_kind()}


@pytest.mark.parametrize("name", KINDS)
def test_every_column_is_described(name: str) -> None:
    kind = KINDS[name]
    row = schema_of(kind)["properties"]["rows"]["items"]["properties"]  # type: ignore[index]
    assert list(row) == [column.key for column in kind.columns]
    assert all(each["description"] for each in row.values())


def test_nothing_is_described_that_is_not_there() -> None:
    keys = {column.key for kind in KINDS.values() for column in kind.columns}
    keys |= {f"{kind.name}.{column.key}" for kind in KINDS.values() for column in kind.columns}
    assert _WORDS.keys() <= keys


def test_all_kinds_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever makes a Kind in a module that is loaded here has it in ``every_kind``."""
    import ast
    from pathlib import Path

    made = set()
    for path in (*Path("xlpy/render").glob("*.py"), *Path("xlpy/cli").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Kind":
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    made.add(first.value)
    assert made - KINDS.keys() == {"host-field"}


def test_the_command(call: Call) -> None:
    kinds = json.loads(call("schema", "-o", "json").out)["rows"]
    assert {"domain", "disk", "event"} <= {row["name"] for row in kinds}
    document = json.loads(call("schema", "domain").out)
    assert document["$id"] == "xlpy/domain/1"
    assert document["properties"]["rows"]["items"]["properties"]["domid"]["type"] == ["integer", "null"]
    assert call("schema", "xlpy/domain/1").out == call("schema", "domain").out
    result = call("schema", "domian")
    assert (result.status, "did you mean domain?" in result.err) == (2, True)
    assert call("schema", "domain", "disk").status == 2
    assert call("schema", "domain", "-o", "yaml").out.startswith("$schema: https://json-schema.org/")


def test_the_check_finds_what_does_not_fit(call: Call, fake: FakeEngine) -> None:
    out = call("list", "-o", "json").out
    assert misfits(out) == []
    document = json.loads(out)
    document["rows"][0]["memory_kib"] = "much"
    assert misfits(json.dumps(document)) == ["xlpy/domain/1: memory_kib is 'much'"]
    document["rows"][0] = {"colour": "red"}
    assert misfits(json.dumps(document)) == ["xlpy/domain/1: colour is 'red'"]
    assert misfits('{"schema": "xlpy/x/1", "rows": []}') == ["there is no schema xlpy/x/1"]


def test_a_new_kind_needs_words() -> None:
    from xlpy.render.kind import Column

    with pytest.raises(LookupError):
        schema_of(Kind("thing", (Column("no_such_key", "X", lambda row: row),)))
