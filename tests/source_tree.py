"""The modules of xlpy and what each of them imports, read from their source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "xlpy").rglob("*.py"))
SHIPPED = ("errors", "model", "protocol", "relay", "engine", "agent")


def layer_of(path: Path) -> str:
    """The layer a module belongs to: its package, or its own name at the top."""
    parts = path.relative_to(ROOT / "xlpy").parts
    return parts[0].removesuffix(".py")


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything that the module imports anywhere, for types as well."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            yield node.lineno, node.module or ""
