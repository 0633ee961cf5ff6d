"""The half that travels to hosts needs nothing but a Python 3.9 and its standard library."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from source_tree import MODULES, SHIPPED, imports_of, layer_of

SHIPPED_MODULES = [path for path in MODULES if layer_of(path) in (*SHIPPED, "__init__")]
# Seen by type checkers alone; the name at run time is under TYPE_CHECKING.
ONLY_FOR_TYPES = {"typing_extensions"}
# Part of the interpreter; only its name isn't listed.
FROZEN = {"_frozen_importlib", "_frozen_importlib_external"}


@pytest.mark.parametrize("path", SHIPPED_MODULES, ids=lambda path: "/".join(path.parts[-2:]))
def test_shipped_module(path: Path) -> None:
    source = path.read_text()
    tree = ast.parse(source, str(path), feature_version=(3, 9))
    for line, name in imports_of(path):
        top = name.split(".")[0]
        assert top == "xlpy" or top in sys.stdlib_module_names | ONLY_FOR_TYPES | FROZEN, (
            f"{path}:{line}: {name}"
        )
    futures = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    if len(tree.body) > 2:
        assert futures, f"{path} evaluates its annotations"


@pytest.mark.parametrize("path", SHIPPED_MODULES, ids=lambda path: "/".join(path.parts[-2:]))
def test_newer_syntax_is_not_used(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        assert not isinstance(node, ast.Match), f"{path}:{node.lineno}: match"
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                strict_zip = (
                    isinstance(node.func, ast.Name) and node.func.id == "zip" and keyword.arg == "strict"
                )
                assert not strict_zip, f"{path}:{node.lineno}: zip(strict=) is 3.10's"
