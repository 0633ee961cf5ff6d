"""LibxlEngine: domains of a real Xen."""

from __future__ import annotations

from xlpy.engine.libxl.remus import LibxlRemus


class LibxlEngine(LibxlRemus):
    """All operations of ``Engine``; what each does is said there, how where it is defined."""
