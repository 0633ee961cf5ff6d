"""Configurations of the test guest for software that reads files."""

from __future__ import annotations

from pathlib import Path

import pytest

GUEST = Path(__file__).resolve().parents[2] / ".cache/guest/current"


def guest_config(name: str, kind: str = "pvh", more: str = "") -> str:
    """The text of a configuration that boots the test guest."""
    files = GUEST if kind != "hvm" else GUEST / "generic"
    if not (files / "vmlinuz").exists():
        pytest.skip("there is no guest to run; make it: script/build-guest")
    console = "ttyS0" if kind == "hvm" else "hvc0"
    return (
        f'name = "{name}"\ntype = "{kind}"\nkernel = "{files.resolve()}/vmlinuz"\n'
        f'ramdisk = "{files.resolve()}/initrd.img"\nextra = "console={console} quiet"\nmemory = 128\n{more}'
    )
