"""What travels to a host that has only Python: the sources of the shipped half, without their prose.

The agent begins with a few modules. All of them are sent only when xlpyd has to be started there, and wasn't before.
"""

from __future__ import annotations

import ast
import hashlib
import marshal
import os
import zlib
from importlib.util import MAGIC_NUMBER

from xlpy.agent.boot import COMPILED, ShippedImporter
from xlpy.transport.cache import keep_cached, read_cached
from xlpy.transport.once import once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

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
_XEN = "xlpy.engine.libxl."
_ZLIB_LEVEL = 9


@once
def first_modules(compiled: bool = False) -> bytes:
    """The modules that the agent begins with, by name: stripped, marshalled, and packed by zlib.

    ``compiled``, for a host that is known to have the same Python, adds their code: the agent is there much sooner.
    """
    which = f"first.{MAGIC_NUMBER.hex()}" if compiled else "first"
    return _kept(which, lambda: _first_parcel(compiled))


@once
def more_modules(which: str) -> bytes:
    """One of ``introduction.PARCELS``, packed likewise."""
    return _kept(which, lambda: _packed(which))


@once
def digest() -> str:
    """What tells these modules from those of another version."""
    name = f"{_stamp()}-digest"
    data = read_cached(name)
    if data is None:
        made = hashlib.sha256(repr(shipped_sources()).encode()).hexdigest()
        data = keep_cached(name, made.encode("ascii"), "*-digest")
    return data.decode("ascii")


def _kept(which: str, make: Callable[[], bytes]) -> bytes:
    """A parcel, which takes a while to be made: it is kept in the user's cache for the next broker."""
    name = f"{digest()[:16]}-{which}"
    return read_cached(name) or keep_cached(name, make(), f"*-{which}")


def _first_parcel(compiled: bool) -> bytes:
    sources = {name: without_prose(source) for name, source in shipped_sources().items() if name in FIRST}
    parcel: dict[str, object] = {**sources}
    if compiled:
        importer = ShippedImporter(sources)
        names = [name.removesuffix(".__init__") for name in FIRST]
        code = marshal.dumps({name: importer.get_code(name) for name in names})
        parcel[COMPILED] = (MAGIC_NUMBER, code)
    return zlib.compress(marshal.dumps(parcel, _MARSHAL_FORMAT), _ZLIB_LEVEL)


def _packed(which: str) -> bytes:
    sources = shipped_sources()
    if which.startswith("xenless"):
        sources = {name: source for name, source in sources.items() if not name.startswith(_XEN)}
    data = _marshalled(sources)
    if which.endswith("bz2"):
        import bz2

        return bz2.compress(data)
    return zlib.compress(data, _ZLIB_LEVEL)


def _marshalled(sources: dict[str, str]) -> bytes:
    stripped = {name: without_prose(source) for name, source in sources.items()}
    return marshal.dumps(stripped, _MARSHAL_FORMAT)


@once
def shipped_sources() -> dict[str, str]:
    """The sources of the shipped half by module name; a package's ends with ``.__init__``."""
    return {name: _read(path) for name, path in _files().items()}


def _files() -> dict[str, str]:
    """The path of every shipped module."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    files = {"xlpy.__init__": f"{package}/__init__.py"}
    for top in SHIPPED:
        if os.path.isfile(f"{package}/{top}.py"):
            files[f"xlpy.{top}"] = f"{package}/{top}.py"
            continue
        for directory, _, names in os.walk(f"{package}/{top}"):
            prefix = os.path.relpath(directory, os.path.dirname(package)).replace(os.sep, ".")
            for name in names:
                if name.endswith(".py"):
                    files[f"{prefix}.{name[:-3]}"] = f"{directory}/{name}"
    return dict(sorted(files.items()))


def _stamp() -> str:
    """What changes whenever a shipped file does, without reading them."""
    stamp = hashlib.sha256()
    for path in _files().values():
        found = os.stat(path)
        stamp.update(f"{path} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}\n".encode())
    return stamp.hexdigest()[:16]


def without_prose(source: str) -> str:
    """The source without docstrings and lines of comment; every line of code keeps its number."""
    lines = source.split("\n")
    _blank_docstrings(lines, ast.parse(source))
    in_texts = _lines_in_texts("\n".join(lines))
    return "\n".join(
        "" if line.lstrip().startswith("#") and index not in in_texts else line
        for index, line in enumerate(lines)
    )


def _blank_docstrings(lines: list[str], node: ast.Module | ast.ClassDef | ast.FunctionDef) -> None:
    """Leave an empty text in the place of each, so that a body stays a body."""
    for child in node.body:
        if isinstance(child, (ast.ClassDef, ast.FunctionDef)):
            _blank_docstrings(lines, child)
    docstring = node.body[0] if node.body else None
    if not (
        isinstance(docstring, ast.Expr)
        and isinstance(docstring.value, ast.Constant)
        and isinstance(docstring.value.value, str)
    ):
        return
    first, last = docstring.lineno - 1, (docstring.end_lineno or docstring.lineno) - 1
    rest = lines[last].encode()[docstring.end_col_offset :].decode()
    lines[first] = lines[first].encode()[: docstring.col_offset].decode() + '""' + rest
    for index in range(first + 1, last + 1):
        lines[index] = ""


def _lines_in_texts(source: str) -> set[int]:
    """The numbers, from 0, of lines that begin inside of a string."""
    if '"""' not in source and "'''" not in source:
        return set()
    inside: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Constant, ast.JoinedStr)):
            inside.update(range(node.lineno, node.end_lineno or node.lineno))
    return inside


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()
