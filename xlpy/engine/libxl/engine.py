"""LibxlEngine: domains of a real Xen."""

from __future__ import annotations

from xlpy.engine.libxl.pv_devices import LibxlPvDevices


class LibxlEngine(LibxlPvDevices):
    """All operations of ``Engine``; what each does is said there, how where it is defined."""

    def __init__(self, run_dir: str) -> None:
        super().__init__()
        self.run_dir = run_dir
