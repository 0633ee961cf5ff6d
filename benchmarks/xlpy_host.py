"""Our side: an xlpyd of its own, asked through the command line as users do."""

from __future__ import annotations

import compileall
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.guest import ROOT, UP, GuestImage, command_line
from benchmarks.measure import MeasurementFailed, run, stop, wait_until

LAUNCHER = """\
#!{python}
import sys

from {module} import main

if __name__ == "__main__":
    sys.exit(main())
"""
CONFIG = """\
name = "{name}"
type = "pvh"
kernel = "{kernel}"
ramdisk = "{initrd}"
memory = {memory_mib}
vcpus = 1
cmdline = "{cmdline}"
on_crash = "destroy"
"""


def install(scratch: Path) -> Path:
    """A compiled copy of the package and console scripts as an installation writes them; the folder of the scripts.

    The copy stays as it is when someone works on the checkout meanwhile.
    """
    scripts, site = scratch / "bin", scratch / "site"
    if scripts.exists():
        return scripts
    shutil.copytree(ROOT / "xlpy", site / "xlpy", ignore=shutil.ignore_patterns("__pycache__"))
    if not compileall.compile_dir(site, quiet=1):
        raise MeasurementFailed("the package doesn't compile")
    scripts.mkdir()
    for name, module in (("xlpy", "xlpy.__main__"), ("xlpyd", "xlpy.agent.xlpyd")):
        script = scripts / name
        script.write_text(LAUNCHER.format(python=sys.executable, module=module))
        script.chmod(0o755)
    return scripts


class XlpyHost:
    """One xlpyd on a private socket. End it with ``close``, after its domains are gone."""

    def __init__(self, scratch: Path, name: str, image: GuestImage) -> None:
        self.image = image
        self.folder = scratch / f"xlpy-{name}"
        self.folder.mkdir(mode=0o700)
        self.bin = install(scratch)
        self.socket = self.folder / "xlpy.sock"
        self.env = {**os.environ, "PYTHONPATH": str(scratch / "site")}
        self.log = (self.folder / "daemon.err").open("wb")
        self.daemon = subprocess.Popen(
            [
                self.bin / "xlpyd",
                "--foreground",
                "--socket",
                self.socket,
                "--state-dir",
                self.folder / "state",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.log,
            env=self.env,
        )
        try:
            wait_until(self._listens, "xlpyd listens")
            self.xlpy("list")
        except BaseException:
            self.close()
            raise

    def _listens(self) -> bool:
        if self.daemon.poll() is not None:
            said = (self.folder / "daemon.err").read_text(errors="replace").strip()
            raise MeasurementFailed(f"xlpyd ended: {said[-300:]}")
        return self.socket.exists()

    @property
    def address(self) -> str:
        return f"unix://{self.socket}"

    def command(self, *words: str) -> list[str]:
        """An xlpy command line for this host."""
        return [str(self.bin / "xlpy"), "-H", self.address, *words]

    def xlpy(self, *words: str, timeout_s: float = 120) -> float:
        """Run xlpy; milliseconds. Raises MeasurementFailed when it fails."""
        return self.output(*words, timeout_s=timeout_s)[0]

    def output(self, *words: str, timeout_s: float = 120) -> tuple[float, str]:
        """Run xlpy; milliseconds and what it printed."""
        return run(self.command(*words), timeout_s, self.env)

    def config(self, name: str, memory_mib: int, extra: str = "") -> str:
        """Write a domain's config file and return its path."""
        path = self.folder / f"{name}.cfg"
        path.write_text(
            CONFIG.format(
                name=name,
                kernel=self.image.kernel,
                initrd=self.image.initrd,
                memory_mib=memory_mib,
                cmdline=f"{command_line('hvc0')} {extra}".strip(),
            )
        )
        return str(path)

    def boot(self, name: str, memory_mib: int, extra: str = "") -> float:
        """Create a guest and wait until it is up; milliseconds from the call."""
        path = self.config(name, memory_mib, extra)
        began = time.perf_counter()
        self.xlpy("create", "-q", path)
        self.wait_console(name, UP)
        return (time.perf_counter() - began) * 1000

    def wait_console(self, name: str, text: bytes, timeout_s: float = 90) -> None:
        """Wait until a domain's console, from its start on, has said this."""
        viewer = subprocess.Popen(
            self.command("console", "--no-input", name),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.env,
        )
        assert viewer.stdout is not None
        os.set_blocking(viewer.stdout.fileno(), False)
        said = b""

        def has_come() -> bool:
            nonlocal said
            said += viewer.stdout.read() or b"" if viewer.stdout else b""
            if text not in said and viewer.poll() is not None:
                raise MeasurementFailed(f"the console of {name} ended: {said[-200:]!r}")
            return text in said

        try:
            end = time.monotonic() + timeout_s
            while not has_come():
                if time.monotonic() > end:
                    raise MeasurementFailed(
                        f"{text!r} did not come on the console of {name}: {said[-200:]!r}"
                    )
                time.sleep(0.002)
        finally:
            stop(viewer)
            viewer.communicate()

    def names(self) -> list[str]:
        """All domains but Domain-0."""
        rows = self.output("list", "--no-headers", "-o", "plain", "--columns", "name")[1].split()
        return [name for name in rows if name != "Domain-0"]

    def destroy_all(self) -> None:
        """End every domain of this host; one that ends by itself meanwhile is fine."""
        for name in self.names():
            try:
                self.xlpy("destroy", name)
            except MeasurementFailed:
                if name in self.names():
                    raise

    def close(self) -> None:
        """End the domains and the daemon; a domain that would not go is killed by its process id."""
        try:
            if self.daemon.poll() is None and self.socket.exists():
                self.destroy_all()
        finally:
            stop(self.daemon)
            self.log.close()
            for pid in self._left_over():
                print(f"left over: QEMU {pid} of {self.folder}", file=sys.stderr)
                os.kill(pid, signal.SIGKILL)

    def _left_over(self) -> list[int]:
        """QEMUs whose command line names our folder, which no one else has."""
        found = []
        for process in Path("/proc").iterdir():
            try:
                words = (process / "cmdline").read_bytes() if process.name.isdigit() else b""
            except OSError:
                continue  # it ended while we looked
            if words.split(b"\0")[0].endswith(b"qemu-system-x86_64") and os.fsencode(self.folder) in words:
                found.append(int(process.name))
        return found
