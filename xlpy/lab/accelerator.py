"""Whether hosts of the lab run under KVM."""

from __future__ import annotations

import os

from xlpy.engine.qemu.accelerator import find_accelerator


def choose_accelerator(cache: str) -> str:
    """kvm where a probe shows that guests run under it, else tcg; ``XLPY_ACCEL`` decides if it is set."""
    return find_accelerator(os.path.join(cache, "accelerator.json")).name
