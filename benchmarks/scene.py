"""Everything a measurement works with: scratch folder, guest, our host, the peers as far as they are there."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from benchmarks.bare_qemu import BareQemu
from benchmarks.far_hosts import FarHosts
from benchmarks.guest import GuestImage
from benchmarks.libvirt import Libvirt
from benchmarks.measure import MeasurementFailed, Report
from benchmarks.xlpy_host import XlpyHost

if TYPE_CHECKING:
    from benchmarks.xen import Dom0


class Scene:
    """Opened with ``with``; what it started it ends, and nothing else. Peers that are missing are None."""

    def __init__(
        self,
        report: Report,
        rounds: int,
        with_libvirt: bool = True,
        keep: bool = False,
        far_hosts: int = 100,
    ) -> None:
        self.report = report
        self.rounds = rounds
        self.keep = keep
        self.scratch = Path(tempfile.mkdtemp(prefix="xlpy-bench-"))
        self.image = GuestImage.find()
        self._hosts: dict[str, XlpyHost] = {}
        self._with_libvirt = with_libvirt
        self._libvirt: Libvirt | None = None
        self._far: FarHosts | None = None
        self._far_count = far_hosts
        self._dom0: Dom0 | None = None

    def __enter__(self) -> Scene:
        why_not = Libvirt.missing() if self._with_libvirt else "libvirt was left out"
        if why_not:
            print(f"({why_not})", file=sys.stderr)
            self._with_libvirt = False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for side in (*self._hosts.values(), self._libvirt, self._far, self._dom0):
            if side is None:
                continue
            try:
                side.close()
            except MeasurementFailed as failure:
                self.report.fail("clearing up", failure)
        if self.keep:
            print(f"kept: {self.scratch}", file=sys.stderr)
        else:
            shutil.rmtree(self.scratch, ignore_errors=True)

    def host(self, name: str = "a") -> XlpyHost:
        """An xlpyd of this name, started when first asked for."""
        if name not in self._hosts:
            self._hosts[name] = XlpyHost(self.scratch, name, self.image)
        return self._hosts[name]

    @property
    def far(self) -> FarHosts:
        """The hosts behind SSH, started when first asked for."""
        if self._far is None:
            self._far = FarHosts(self.scratch, self._far_count)
        return self._far

    @property
    def dom0(self) -> Dom0:
        """The dom0 of a real Xen host, booted when first asked for."""
        if self._dom0 is None:
            from benchmarks.xen import Dom0

            place = self.scratch / "xen"
            place.mkdir()
            self._dom0 = Dom0(place)
        return self._dom0

    @property
    def libvirt(self) -> Libvirt | None:
        """The private libvirtd pair, started when first asked for."""
        if self._with_libvirt and self._libvirt is None:
            self._libvirt = Libvirt(self.scratch, self.image)
        return self._libvirt

    def bare(self, name: str, memory_mib: int, paused: bool, incoming: bool = False) -> BareQemu:
        """A bare QEMU with the guest."""
        return BareQemu(self.scratch, self.image, name, memory_mib, paused, incoming)


def python_import(module: str) -> list[str]:
    """A command line that starts this interpreter and imports a module."""
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
    return [sys.executable, "-c", f"import {module}"]
