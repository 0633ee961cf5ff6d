"""A booted host as a snapshot: made once for each kind of host, and every host starts from a copy of it."""

from __future__ import annotations

import hashlib
import os
import select
import shutil
import tempfile
import time

from xlpy.errors import EngineError
from xlpy.lab.machine import DISK, READY, SERIAL_LOG, Wiring, qemu_argv
from xlpy.lab.places import locked
from xlpy.lab.programs import find_program, run_program
from xlpy.lab.vm import Vm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xlpy.lab.image import Image
    from xlpy.lab.machine import Machine

    Say = Callable[[str], None]

_BOOT_TIMEOUT_S = {"tcg": 300.0, "kvm": 60.0}
_READY_LINE = b"lab: ready"
_LOG_TAIL_BYTES = 1500
_BOOT_WIRING = Wiring(ssh_port=0, link_own="link", link_other="nobody")


def ensure_ready(image: Image, machine: Machine, say: Say) -> str:
    """The disk with the snapshot ``ready`` for this machine; booted and saved now if there is none.

    Raises EngineError with the end of the serial log when the host doesn't boot.
    """
    kind = _kind(image, machine)
    path = os.path.join(image.directory, f"ready-{kind}.qcow2")
    if os.path.exists(path):
        return path
    with locked(os.path.join(image.directory, f".ready-{kind}.lock")):
        if not os.path.exists(path):
            _remove_leftovers(image.directory, f"boot-{kind}-")
            say(f"booting Xen {image.release.xen} for the first time")
            directory = tempfile.mkdtemp(prefix=f"boot-{kind}-", dir=image.directory)
            try:
                make_overlay(image.disk, os.path.join(directory, DISK))
                _boot_and_save(directory, image, machine)
                os.rename(os.path.join(directory, DISK), path)
            finally:
                shutil.rmtree(directory, ignore_errors=True)
    return path


def _remove_leftovers(directory: str, prefix: str) -> None:
    """What somebody left who was killed; whoever calls this holds the lock."""
    for name in os.listdir(directory):
        if name.startswith(prefix):
            shutil.rmtree(os.path.join(directory, name), ignore_errors=True)


def make_overlay(base: str, path: str) -> None:
    """A disk that holds what differs from ``base``."""
    run_program(["qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2", path])


def _kind(image: Image, machine: Machine) -> str:
    """A snapshot is for this machine and this QEMU only."""
    qemu = find_program("qemu-system-x86_64")
    program = os.stat(qemu)
    facts = (program.st_mtime_ns, program.st_size, qemu_argv(qemu, machine, image, _BOOT_WIRING, None))
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:12]


def _boot_and_save(directory: str, image: Image, machine: Machine) -> None:
    vm = Vm(directory)
    argv = qemu_argv(find_program("qemu-system-x86_64"), machine, image, _BOOT_WIRING, None)
    try:
        vm.start([find_program("setpriv"), "--pdeathsig", "KILL", *argv])  # it ends with us, however we end
        _wait_for_boot(vm, directory, _BOOT_TIMEOUT_S[machine.accelerator])
        vm.save_snapshot(READY)
    finally:
        vm.stop()


def _wait_for_boot(vm: Vm, directory: str, timeout_s: float) -> None:
    """Return when dom0 says on the serial line that it's ready."""
    deadline = time.monotonic() + timeout_s
    with vm.serial() as serial, open(os.path.join(directory, SERIAL_LOG), "rb") as log:
        heard = log.read()  # what came before we listened
        while _READY_LINE not in heard:
            left_s = deadline - time.monotonic()
            in_time = left_s > 0 and bool(select.select([serial], [], [], left_s)[0])
            piece = serial.recv(65536) if in_time else b""
            if not piece:
                what = "stopped while it booted" if in_time else f"is not up after {timeout_s:.0f} s"
                raise EngineError(
                    f"the Xen host {what}",
                    "what it said last is above",
                    detail=heard[-_LOG_TAIL_BYTES:].decode(errors="replace"),
                )
            heard += piece
