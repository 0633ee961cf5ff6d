"""Whether hosts of the lab run under KVM.

That guests do is not enough: there are kernels whose KVM runs Linux and not Xen. So the first boot of a host under KVM
is the second probe; where it fails, that is kept in mind until the machine starts anew.
"""

from __future__ import annotations

import os

from xlpy.engine.qemu.accelerator import find_accelerator

_NO_KVM = "no-kvm"
_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_CHOICE = "XLPY_ACCEL"


def choose_accelerator(cache: str) -> str:
    """kvm where a probe shows that guests run under it, else tcg; ``XLPY_ACCEL`` decides if it is set."""
    found = find_accelerator(os.path.join(cache, "accelerator.json")).name
    if (
        found == "kvm"
        and not is_accelerator_chosen()
        and _read(os.path.join(cache, _NO_KVM)) == _read(_BOOT_ID)
    ):
        return "tcg"
    return found


def is_accelerator_chosen() -> bool:
    """Whether the user has decided, so that there is nothing to find out."""
    return _CHOICE in os.environ


def remember_no_kvm(cache: str) -> None:
    """Xen did not boot under KVM: don't try again before this machine's next boot."""
    with open(os.path.join(cache, _NO_KVM), "w", encoding="ascii") as file:
        file.write(_read(_BOOT_ID) or "")


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except FileNotFoundError:
        return None
