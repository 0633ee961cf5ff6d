"""All modules of an installed xlpy, compiled, in one file: a command opens that and not a hundred.

Installers write it with ``python3 -m xlpy.bundle``; the command line uses it when it is there. A module whose source
isn't the one that was bundled any more is imported as ever, and so are all where the bundle is another Python's.
"""

from __future__ import annotations

import marshal
import os
import sys
from _frozen_importlib import ModuleSpec  # that of importlib.machinery, without its imports
from _frozen_importlib_external import MAGIC_NUMBER  # what compiled code is good for, as in importlib.util

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    # where a module's code is, its source below the package, whether it is a package, and the source's age and size
    Entry = tuple[int, int, str, bool, int, int]

PACKAGE = os.path.dirname(os.path.abspath(__file__))
_LENGTH_BYTES = 4
_HEAD_BYTES = len(MAGIC_NUMBER) + _LENGTH_BYTES
_READ_AHEAD_BYTES = 1 << 16
_STDERR = 2


def path_in(package: str) -> str:
    """Where the bundle of this Python is, of an xlpy whose package is this directory."""
    return f"{package}/__pycache__/xlpy.{sys.implementation.cache_tag}.bundle"


def use(package: str = PACKAGE) -> None:
    """Import modules from the bundle from now on, if there is one that this Python can use."""
    try:
        file = os.open(path_in(package), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return
    head = os.pread(file, _READ_AHEAD_BYTES, 0)
    if file <= _STDERR or not head.startswith(MAGIC_NUMBER):  # standard streams that are closed stay so
        os.close(file)
        return
    length = int.from_bytes(head[len(MAGIC_NUMBER) : _HEAD_BYTES], "big")
    if length > len(head) - _HEAD_BYTES:
        head = os.pread(file, _HEAD_BYTES + length, 0)
    index = marshal.loads(head[_HEAD_BYTES:])
    sys.meta_path.insert(0, BundleImporter(package, file, _HEAD_BYTES + length, index))


def write(package: str = PACKAGE) -> str:
    """Compile all modules into a bundle, which replaces the one that is there; its path. Raises OSError, SyntaxError."""
    parts: list[bytes] = []
    index: dict[str, Entry] = {}
    offset = 0
    for source in sorted(_sources(package)):
        path = f"{package}/{source}"
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            code = marshal.dumps(compile(file.read(), path, "exec", dont_inherit=True))
        name, is_package = _module_name(source)
        index[name] = (offset, len(code), source, is_package, status.st_mtime_ns, status.st_size)
        parts.append(code)
        offset += len(code)
    head = marshal.dumps(index)
    path = path_in(package)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(f"{path}.new", "wb") as file:
        file.write(b"".join((MAGIC_NUMBER, len(head).to_bytes(_LENGTH_BYTES, "big"), head, *parts)))
    os.replace(f"{path}.new", path)
    return path


class BundleImporter:
    """Finds modules in an index, and loads them from an open bundle, whose codes begin at ``begin``."""

    def __init__(self, package: str, file: int, begin: int, index: dict[str, Entry]) -> None:
        self._package = package
        self._path = path_in(package)
        self._file = file
        self._inode = os.fstat(file).st_ino
        self._begin = begin
        self._index = index

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """As the import system asks (``MetaPathFinder``)."""
        entry = self._index.get(name)
        if entry is None:
            return None
        origin = f"{self._package}/{entry[2]}"
        try:
            status = os.stat(origin)
            here = os.fstat(self._file)  # a process that goes on in the background may have closed it
        except OSError:
            return None
        if (status.st_mtime_ns, status.st_size) != entry[4:] or here.st_ino != self._inode:
            return None
        spec = ModuleSpec(name, self, origin=origin, is_package=entry[3])  # type: ignore[arg-type]
        spec.has_location = True
        spec.cached = self._path
        if spec.submodule_search_locations is not None:
            spec.submodule_search_locations.append(os.path.dirname(origin))
        return spec

    def create_module(self, spec: ModuleSpec) -> None:
        """Have the import system make it."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code in it."""
        offset, length = self._index[module.__name__][:2]
        exec(marshal.loads(os.pread(self._file, length, self._begin + offset)), module.__dict__)


def _sources(package: str) -> list[str]:
    return [
        os.path.relpath(f"{directory}/{file}", package)
        for directory, _, files in os.walk(package)
        for file in files
        if file.endswith(".py")
    ]


def _module_name(source: str) -> tuple[str, bool]:
    """The module's full name, and whether it is a package."""
    parts = ["xlpy", *source.removesuffix(".py").split("/")]
    is_package = parts[-1] == "__init__"
    return ".".join(parts[:-1] if is_package else parts), is_package


if __name__ == "__main__":
    write()
