"""What is shipped: small enough, the same code line by line, and all that the agent needs before it can ask for more."""

from __future__ import annotations

import ast
import importlib.util
import marshal
import zlib
from pathlib import Path

import pytest
from source_tree import ROOT

from xlpy.agent.boot import COMPILED, ShippedImporter, compiled_part, unpacked
from xlpy.protocol.introduction import PARCELS
from xlpy.transport import shipping
from xlpy.transport.once import once
from xlpy.transport.shipping import (
    FIRST,
    digest,
    first_modules,
    more_modules,
    shipped_sources,
    without_prose,
)

SOURCES = shipped_sources()


@pytest.mark.parametrize("which", ["all.bz2", "xenless.zlib"])
def test_size(which: str) -> None:
    assert len(first_modules()) < 20_000
    assert len(first_modules()) + len(more_modules(which)) < 150 << 10


@pytest.mark.parametrize("which", PARCELS)
def test_modules_come_out_again(which: str) -> None:
    received = unpacked(more_modules(which)).keys()
    missing = {name for name in SOURCES if name.startswith("xlpy.engine.libxl.")}
    assert missing
    assert received == (SOURCES.keys() - missing if which.startswith("xenless") else SOURCES.keys())


def test_hosts_without_xen_need_nothing_of_libxls() -> None:
    for name, source in SOURCES.items():
        if not name.startswith(("xlpy.engine.libxl", "xlpy.engine.choose")):
            assert "xlpy.engine.libxl" not in source, name


def test_parcels_are_made_once_and_kept(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def begin_anew() -> None:
        for work in (shipping.digest, shipping.first_modules):
            monkeypatch.setattr(shipping, work.__name__, once(work.__wrapped__))

    begin_anew()
    parcel, made = shipping.first_modules(), shipping.digest()
    assert {path.name.partition("-")[2] for path in own_cache.iterdir()} == {"digest", "first"}
    begin_anew()
    monkeypatch.setattr(shipping, "shipped_sources", None)
    assert (shipping.first_modules(), shipping.digest()) == (parcel, made)


def test_changed_file_is_another_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    monkeypatch.setattr(shipping, "_files", lambda: {"xlpy.a": f"{tmp_path}/a.py"})
    before = shipping._stamp()
    assert shipping._stamp() == before
    (tmp_path / "a.py").write_text("x = 22\n")
    assert shipping._stamp() != before


def test_first_modules_are_read_by_every_python() -> None:
    assert set(marshal.loads(zlib.decompress(first_modules()))) == set(FIRST)


def test_compiled_modules_are_run_by_the_same_python_alone() -> None:
    parcel = marshal.loads(zlib.decompress(first_modules(True)))
    magic, code = parcel[COMPILED]
    assert magic == importlib.util.MAGIC_NUMBER
    assert compiled_part({**parcel, COMPILED: (b"other", code)}) == {}
    compiled = compiled_part(parcel)
    assert set(parcel) == set(FIRST)
    assert {f"{name}.__init__" if f"{name}.__init__" in FIRST else name for name in compiled} == set(FIRST)
    importer = ShippedImporter(parcel, compiled)
    assert importer.get_code("xlpy.relay.pump") is compiled["xlpy.relay.pump"]
    assert compiled["xlpy.relay.pump"].co_filename == "shipped:xlpy/relay/pump.py"
    assert ShippedImporter(parcel).get_code("xlpy.relay.pump") == compiled["xlpy.relay.pump"]


def test_every_shipped_module_is_there() -> None:
    assert "xlpy.agent.xlpyd" in SOURCES
    assert "xlpy.engine.qemu.__init__" in SOURCES
    assert not any(name.startswith(("xlpy.cli", "xlpy.client", "xlpy.transport")) for name in SOURCES)
    assert SOURCES["xlpy.errors"] == (ROOT / "xlpy/errors.py").read_text()
    assert len(digest()) == 64


class _WithoutDocstrings(ast.NodeTransformer):
    def visit(self, node: ast.AST) -> ast.AST:
        self.generic_visit(node)
        body = getattr(node, "body", None)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node, False):
            assert isinstance(body, list)
            body[0] = ast.Expr(ast.Constant(""))
        return node


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_code_is_the_same(name: str) -> None:
    source, stripped = SOURCES[name], without_prose(SOURCES[name])
    assert stripped.count("\n") == source.count("\n")
    expected = _WithoutDocstrings().visit(ast.parse(source))
    assert ast.dump(_WithoutDocstrings().visit(ast.parse(stripped))) == ast.dump(expected)


@pytest.mark.parametrize(
    ("source", "stripped"),
    [
        ('"""Doc."""\nx = 1  # kept', '""\nx = 1  # kept'),
        ('def f():\n    """Doc.\n\n    More.\n    """\n    return 1', 'def f():\n    ""\n\n\n\n    return 1'),
        ('class C: "ü Doc"; x = 1', 'class C: ""; x = 1'),
        ("# gone\nx = '''\n# stays\n'''", "\nx = '''\n# stays\n'''"),
        ('x = f"""\n# stays {1}\n# too"""\n# gone', 'x = f"""\n# stays {1}\n# too"""\n'),
        ("def f(): ...\n    # gone\n", "def f(): ...\n\n"),
    ],
)
def test_prose_goes_and_lines_stay(source: str, stripped: str) -> None:
    assert without_prose(source) == stripped
