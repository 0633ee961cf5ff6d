"""Which accelerator runs guests on this host: KVM if it does, else TCG, QEMU's own translator.

That /dev/kvm opens proves nothing: there are kernels whose KVM runs a guest's kernel in a slow emulator, or not at all.
So a small program runs under it once, and the answer is kept until something changes that it depends on.
"""

from __future__ import annotations

import json
import os
import signal
import threading

from xlpy.engine.qemu.accelerator_payload import EXIT_STATUS, probe_firmware
from xlpy.engine.qemu.process import boot_id, spawn_qemu
from xlpy.engine.qemu.program import find_qemu
from xlpy.errors import ConfigError, XlError
from xlpy.model.record import Record

_KVM = "/dev/kvm"
_PROBE_TIMEOUT_S = 2.5
_PROBE_CPU_S = 4
# A guest that hangs and burns the processor must not do so for ever when xlpyd is killed during the probe. The limit is
# there before QEMU is: set from outside, it would come too late for an xlpyd that is killed in between.
_LIMITED = ("/bin/sh", "-c", f'ulimit -t {_PROBE_CPU_S} && exec "$@"', "sh")
_OVERRIDE = "XLPY_ACCEL"


class Accelerator(Record):
    """``name`` is ``kvm`` or ``tcg``; ``note`` says why it isn't KVM."""

    name: str
    note: str | None = None


class AcceleratorProbe:
    """Finds the accelerator in the background, once."""

    def __init__(self, state_dir: str) -> None:
        self._cache_path = os.path.join(state_dir, "accelerator.json")
        self._found: Accelerator | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin to look, on a thread of its own unless the answer is at hand."""
        threading.Thread(target=self._look, name="accelerator-probe", daemon=True).start()

    def known(self) -> Accelerator | None:
        """The answer if there is one already."""
        return self._found

    def wait(self) -> Accelerator:
        """The answer. Raises MissingProgram without QEMU, ConfigError for an override that makes no sense."""
        with self._lock:
            if self._found is None:
                self._found = find_accelerator(self._cache_path)
            return self._found

    def _look(self) -> None:
        try:
            self.wait()
        except XlError:
            pass  # whoever creates a domain gets it said


def find_accelerator(cache_path: str) -> Accelerator:
    """The accelerator for this host, from the cache or by trying."""
    override = os.environ.get(_OVERRIDE)
    if override is not None:
        if override not in ("kvm", "tcg"):
            raise ConfigError(f"{_OVERRIDE}={override}: unknown accelerator", "choose kvm or tcg")
        return Accelerator(name=override, note=f"chosen by {_OVERRIDE}")
    obstacle = _obstacle()
    if obstacle is not None:
        return Accelerator(name="tcg", note=obstacle)
    qemu = find_qemu()
    key = _cache_key(qemu)
    cached = _read_cache(cache_path, key)
    if cached is not None:
        return cached
    found = _try_kvm(qemu)
    _write_cache(cache_path, key, found)
    return found


def _obstacle() -> str | None:
    """Why KVM needs no trying."""
    if not os.path.exists(_KVM):
        return f"no {_KVM}: the processor's virtualization is off, or the module kvm is not loaded"
    if not os.access(_KVM, os.R_OK | os.W_OK):
        return f"no permission for {_KVM}: the user has to be in the group kvm"
    return None


def _try_kvm(qemu: str) -> Accelerator:
    status = run_probe(qemu, "kvm", _PROBE_TIMEOUT_S)
    if status is None:
        return Accelerator(name="tcg", note=f"{_KVM} opens but does not run a guest in reasonable time")
    if status != EXIT_STATUS:
        return Accelerator(name="tcg", note=f"{_KVM} opens but runs no guest")
    return Accelerator(name="kvm")


def run_probe(qemu: str, name: str, timeout_s: float) -> int | None:
    """Run the payload under this accelerator and return QEMU's exit status, None if it took too long.

    The payload lies in memory only, so that nothing is left when xlpyd is killed meanwhile.
    """
    firmware = os.memfd_create("xlpy-probe")
    try:
        payload = memoryview(probe_firmware())
        while payload:
            payload = payload[os.write(firmware, payload) :]
        arguments = [
            *_LIMITED,
            *(qemu, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
            *("-machine", f"pc,accel={name}", "-m", "2"),
            *("-bios", "/proc/self/fd/{fd0}", "-device", "isa-debug-exit,iobase=0xf4,iosize=1"),
        ]
        process = spawn_qemu(arguments, (firmware,), os.devnull)
    finally:
        os.close(firmware)
    ended = process.wait(timeout_s)
    if not ended:
        process.signal(signal.SIGKILL)
        process.wait(timeout_s)
    process.forget()
    return process.exit_status if ended else None


def _cache_key(qemu: str) -> list[object]:
    program = os.stat(qemu)
    device = os.stat(_KVM)
    return [boot_id(), qemu, program.st_mtime_ns, program.st_size, device.st_rdev, device.st_ino]


def _read_cache(path: str, key: list[object]) -> Accelerator | None:
    try:
        with open(path, encoding="utf-8") as file:
            kept = json.load(file)
        if kept["key"] == key:
            return Accelerator(name=kept["name"], note=kept["note"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # no cache, or not one of ours: try again
    return None


def _write_cache(path: str, key: list[object], found: Accelerator) -> None:
    try:
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump({"key": key, "name": found.name, "note": found.note}, file)
        os.replace(path + ".new", path)
    except OSError:
        pass  # it is found out anew next time
