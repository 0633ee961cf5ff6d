"""Modules by name, imported when they are needed. ``importlib`` does that, too, and costs a command some milliseconds."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType


def import_module(name: str) -> ModuleType:
    """The module of this whole name. Raises ImportError."""
    __import__(name)
    return sys.modules[name]
