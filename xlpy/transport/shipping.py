"""What travels to a host that has only Python: the sources of the shipped half, without their prose.

The agent begins with a few modules. All of them are sent only when xlpyd has to be started there, and wasn't before.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import marshal
import os
import zlib

SHIPPED = ("errors", "model", "protocol", "relay", "engine", "agent")
# What the agent imports before it can ask for the rest.
FIRST = (
    "xlpy.__init__",
    "xlpy.errors",
    "xlpy.model.__init__",
    "xlpy.model.json_text",
    "xlpy.model.record",
    "xlpy.protocol.__init__",
    "xlpy.protocol.introduction",
    "xlpy.protocol.mux",
    "xlpy.protocol.places",
    "xlpy.relay.__init__",
    "xlpy.relay.end",
    "xlpy.relay.endpoint",
    "xlpy.relay.pump",
    "xlpy.agent.__init__",
    "xlpy.agent.boot",
    "xlpy.agent.find",
    "xlpy.agent.relay",
    "xlpy.agent.remote",
    "xlpy.agent.start",
)
_MARSHAL_FORMAT = 2  # every Python 3 reads it
_ZLIB_LEVEL = 9


@functools.cache
def first_modules() -> bytes:
    """The modules that the agent begins with, by name: stripped, marshalled, and packed by zlib."""
    sources = shipped_sources()
    return zlib.compress(_marshalled({name: sources[name] for name in FIRST}), _ZLIB_LEVEL)


@functools.cache
def all_modules(packing: str) -> bytes:
    """All modules, likewise, packed as the host can unpack them (``introduction.PACKINGS``)."""
    data = _marshalled(shipped_sources())
    if packing == "bz2":
        import bz2

        return bz2.compress(data)
    return zlib.compress(data, _ZLIB_LEVEL)


@functools.cache
def digest() -> str:
    """What tells these modules from those of another version."""
    return hashlib.sha256(repr(shipped_sources()).encode()).hexdigest()


def _marshalled(sources: dict[str, str]) -> bytes:
    stripped = {name: without_prose(source) for name, source in sources.items()}
    return marshal.dumps(stripped, _MARSHAL_FORMAT)


@functools.cache
def shipped_sources() -> dict[str, str]:
    """The sources of the shipped half by module name; a package's ends with ``.__init__``."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sources = {"xlpy.__init__": _read(f"{package}/__init__.py")}
    for top in SHIPPED:
        if os.path.isfile(f"{package}/{top}.py"):
            sources[f"xlpy.{top}"] = _read(f"{package}/{top}.py")
            continue
        for directory, _, files in os.walk(f"{package}/{top}"):
            prefix = os.path.relpath(directory, os.path.dirname(package)).replace(os.sep, ".")
            for file in files:
                if file.endswith(".py"):
                    sources[f"{prefix}.{file[:-3]}"] = _read(f"{directory}/{file}")
    return dict(sorted(sources.items()))


def without_prose(source: str) -> str:
    """The source without docstrings and lines of comment; every line of code keeps its number."""
    lines = source.split("\n")
    texts: set[int] = set()  # lines inside of strings
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.update(range(node.lineno, node.end_lineno or node.lineno))
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node, False):
            _blank(lines, node.body[0])
    return "\n".join(
        "" if line.lstrip().startswith("#") and index not in texts else line
        for index, line in enumerate(lines)
    )


def _blank(lines: list[str], docstring: ast.stmt) -> None:
    """Leave an empty text in the place of this one, so that a body stays a body."""
    first, last = docstring.lineno - 1, (docstring.end_lineno or docstring.lineno) - 1
    rest = lines[last].encode()[docstring.end_col_offset :].decode()
    lines[first] = lines[first].encode()[: docstring.col_offset].decode() + '""' + rest
    for index in range(first + 1, last + 1):
        lines[index] = ""


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()
