"""The peer libvirt: two daemons of our own, asked through virsh."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.guest import UP, GuestImage, command_line
from benchmarks.measure import MeasurementFailed, run, stop, wait_for_text, wait_until

DOMAIN_XML = """\
<domain type='qemu'><name>{name}</name><memory unit='MiB'>{memory_mib}</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type>
<kernel>{kernel}</kernel><initrd>{initrd}</initrd><cmdline>{cmdline}</cmdline></os>
<features><acpi/></features><on_crash>destroy</on_crash>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
<controller type='usb' model='none'/><memballoon model='none'/>
<serial type='file'><source path='{log}'/></serial></devices></domain>
"""


class Libvirt:
    """Two private libvirtd, ``a`` and ``b``. End them with ``close``."""

    def __init__(self, scratch: Path, image: GuestImage) -> None:
        self.scratch = scratch / "libvirt"
        self.image = image
        self.boxes: list[subprocess.Popen[bytes]] = []
        self.xml = self.scratch / "xml"
        self.xml.mkdir(parents=True)
        script = Path(__file__).with_name("libvirtd_in_box.py")
        for name in ("a", "b"):
            box = self.scratch / name
            box.mkdir()
            with (box / "err").open("wb") as errors:
                self.boxes.append(
                    subprocess.Popen(
                        [sys.executable, str(script), str(box), f"box-{name}"],
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL,
                        stderr=errors,
                        start_new_session=True,
                    )
                )
        try:
            for name in ("a", "b"):
                wait_until((self.scratch / name / "run" / "libvirt-sock").exists, f"libvirtd {name} listens")
        except BaseException:
            self.close()
            raise

    @staticmethod
    def missing() -> str | None:
        """Why there is no libvirt to compare with, or None."""
        if os.geteuid():
            return "comparing with libvirt needs root"
        if not (shutil.which("virsh") and shutil.which("libvirtd")):
            return "apt-get install libvirt-daemon-system libvirt-clients to compare with libvirt"
        return None

    def uri(self, side: str) -> str:
        return f"qemu+unix:///system?socket={self.scratch}/{side}/run/libvirt-sock"

    def command(self, *words: str, side: str = "a") -> list[str]:
        """A virsh command line."""
        return ["virsh", "-q", "-c", self.uri(side), *words]

    def virsh(self, *words: str, side: str = "a") -> float:
        """Run virsh; milliseconds."""
        return run(self.command(*words, side=side))[0]

    def define(self, name: str, memory_mib: int, extra: str = "") -> str:
        """Write a domain's XML and return its path."""
        self.log(name).unlink(missing_ok=True)
        path = self.xml / f"{name}.xml"
        path.write_text(
            DOMAIN_XML.format(
                name=name,
                memory_mib=memory_mib,
                kernel=self.image.kernel.resolve(),
                initrd=self.image.initrd.resolve(),
                cmdline=f"{command_line('ttyS0')} {extra}".strip(),
                log=self.log(name),
            )
        )
        return str(path)

    def log(self, name: str) -> Path:
        """Where a guest's console goes."""
        return self.scratch / f"{name}.log"

    def boot(self, name: str, memory_mib: int, extra: str = "") -> float:
        """Create a guest and wait until it is up; milliseconds from the call."""
        path = self.define(name, memory_mib, extra)
        began = time.perf_counter()
        self.virsh("create", path)
        return wait_for_text(self.log(name), UP, began)

    def downtime_ms(self, name: str, side: str) -> float:
        """What libvirt says a migration stopped the guest for."""
        for line in run(self.command("domjobinfo", name, "--completed", side=side))[1].splitlines():
            if line.startswith("Total downtime:"):
                return float(line.split()[2])
        raise MeasurementFailed("virsh domjobinfo names no downtime")

    def daemon_pid(self) -> int:
        return int((self.scratch / "a" / "run" / "libvirtd.pid").read_text())

    def close(self) -> None:
        for box in self.boxes:
            stop(box)
