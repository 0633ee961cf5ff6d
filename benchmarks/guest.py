"""The guest that all sides boot: kernel and initramfs of script/build-guest."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import MeasurementFailed

ROOT = Path(__file__).resolve().parent.parent
UP = b"guest up"


@dataclass(frozen=True)
class GuestImage:
    """Files of the guest, made if they are not there."""

    kernel: Path
    initrd: Path

    @classmethod
    def find(cls) -> GuestImage:
        here = ROOT / ".cache" / "guest" / "current"
        image = cls(here / "vmlinuz", here / "initrd.img")
        if not (image.kernel.exists() and image.initrd.exists()):
            subprocess.run([ROOT / "script" / "build-guest"], check=True)
        if not (image.kernel.exists() and image.initrd.exists()):
            raise MeasurementFailed("script/build-guest left no guest")
        return image


def command_line(console: str) -> str:
    """The kernel command line that every side gets."""
    return f"console={console} quiet panic=-1"
