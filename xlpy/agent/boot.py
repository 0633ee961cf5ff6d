"""The first code that runs on a host which has only Python: it makes the shipped modules importable, and starts the relay.

The loader (``transport.boot_line``) runs this source with ``modules``, the sources by module name, and ``channel``, its
standard input. Modules are compiled when they are imported, unless they came compiled by the same Python, too.
Tracebacks show their lines.
"""

from __future__ import annotations

import os
import sys
from _frozen_importlib import ModuleSpec  # that of importlib.machinery, without its imports
from _frozen_importlib_external import MAGIC_NUMBER  # what compiled code is good for, as in importlib.util

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from io import BufferedReader
    from types import CodeType, ModuleType
    from typing import Any

_PACKAGE = ".__init__"
COMPILED = "compiled"  # among the sources: the near side's MAGIC_NUMBER, and code by module name


class ShippedImporter:
    """Finds and loads modules in a dictionary of sources; a package's name there ends with ``.__init__``."""

    def __init__(self, sources: dict[str, str], compiled: Mapping[str, CodeType] | None = None) -> None:
        self._sources = sources
        self._compiled = compiled or {}

    def load(self, code: bytes) -> None:
        """Have the modules in this parcel, too."""
        self._sources.update(unpacked(code))

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """As the import system asks (``MetaPathFinder``)."""
        is_package = name + _PACKAGE in self._sources
        if not is_package and name not in self._sources:
            return None
        return ModuleSpec(name, self, origin=self._path(name), is_package=is_package)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """Have the import system make it."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code in it."""
        module.__file__ = self._path(module.__name__)
        exec(self.get_code(module.__name__), module.__dict__)

    def get_code(self, name: str) -> CodeType:
        """The module, compiled."""
        return self._compiled.get(name) or compile(
            self.get_source(name), self._path(name), "exec", dont_inherit=True
        )

    def get_source(self, name: str) -> str:
        """The text of a module, for tracebacks too."""
        return self._sources[name + _PACKAGE if name + _PACKAGE in self._sources else name]

    def is_package(self, name: str) -> bool:
        """Whether the name is a package's."""
        return name + _PACKAGE in self._sources

    def _path(self, name: str) -> str:
        parts = name + _PACKAGE if name + _PACKAGE in self._sources else name
        return f"shipped:{parts.replace('.', '/')}.py"


def unpacked(code: bytes) -> dict[str, str]:
    """The sources in a parcel of ``transport.shipping``."""
    import marshal

    if code.startswith(b"BZh"):
        import bz2

        data = bz2.decompress(code)
    else:
        import zlib

        data = zlib.decompress(code)
    sources: dict[str, str] = marshal.loads(data)
    return sources


def compiled_part(sources: dict[str, str]) -> dict[str, CodeType]:
    """What this very Python can run of the code that came with the sources, if any; it is taken out of them."""
    import marshal

    came: Any = sources.pop(COMPILED, None)
    if came is None or came[0] != MAGIC_NUMBER:
        return {}
    compiled: dict[str, CodeType] = marshal.loads(came[1])
    return compiled


def boot(sources: dict[str, str], channel: BufferedReader) -> int:
    """Be the agent, on standard input and output; the exit status."""
    output = os.dup(1)  # what is printed by mistake goes where the log goes, not into the channel
    os.dup2(2, 1)
    importer = ShippedImporter(sources, compiled_part(sources))
    sys.meta_path.insert(0, importer)
    try:
        from xlpy.agent.remote import serve

        return serve(channel, output, importer.load)
    except Exception:  # noqa: BLE001  # the edge of a process
        import traceback

        traceback.print_exc()  # which asks the importer for the lines; the interpreter itself wouldn't
        return 1


if __name__ == "xlpy shipped":
    sys.exit(boot(modules, channel))  # type: ignore[name-defined]  # noqa: F821  # given by the loader
