"""Kernel modules: the few a guest needs with all they depend on, and the tables that modprobe reads.

What a module depends on and which devices it is for stands in the module itself (its .modinfo section:
``key=value`` strings ended by a zero byte), so no depmod is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_MODINFO = re.compile(rb"(?:(?<=\0)|^)(depends|alias|softdep|name)=([^\0]*)\0")


def _key(name: str) -> str:
    """A module is known by its name with ``-`` and ``_`` as one."""
    return name.replace("-", "_")


class ModuleTree:
    """The modules of one unpacked kernel package."""

    def __init__(self, package: Path) -> None:
        (self.directory,) = (package / "lib/modules").iterdir()
        self.release = self.directory.name
        self._paths = {_key(path.stem): path for path in self.directory.rglob("*.ko")}

    def closure(self, names: Iterable[str]) -> dict[str, Path]:
        """The named modules and all they depend on; names this kernel has no module for are left out.

        (Such a driver is either built in or not there at all; the guest does with what it has.)
        """
        wanted: dict[str, Path] = {}
        pending = [_key(name) for name in names]
        while pending:
            key = pending.pop()
            if key in wanted or key not in self._paths:
                continue
            wanted[key] = self._paths[key]
            pending += _depends(wanted[key])
        return dict(sorted(wanted.items()))


def _modinfo(path: Path, wanted: str) -> list[str]:
    content = path.read_bytes()
    return [value.decode() for name, value in _MODINFO.findall(content) if name == wanted.encode() and value]


def _depends(path: Path) -> list[str]:
    return [_key(name) for value in _modinfo(path, "depends") for name in value.split(",") if name]


def dependency_table(modules: dict[str, Path]) -> str:
    """modules.dep: a line for each module with all that it needs; modprobe loads from the end of the line."""
    lines = []
    for path in modules.values():
        order: list[str] = []
        for key in _depends(path):
            _load_order(key, modules, order)
        lines.append(" ".join([f"{path.name}:", *(modules[key].name for key in reversed(order))]))
    return "".join(f"{line}\n" for line in lines)


def _load_order(key: str, modules: dict[str, Path], order: list[str]) -> None:
    """Append a module to the order in which to load, after what it needs itself."""
    for other in _depends(modules[key]):
        _load_order(other, modules, order)
    if key not in order:
        order.append(key)


def alias_table(modules: dict[str, Path]) -> str:
    """modules.alias: which devices each module is for."""
    return "".join(
        f"alias {alias} {key}\n" for key, path in modules.items() for alias in _modinfo(path, "alias")
    )
