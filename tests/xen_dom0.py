"""xlpy and xl side by side in the dom0 of a real Xen host."""

from __future__ import annotations

from pathlib import Path

import pytest
from xen_hosts import XenHost

ROOT = Path(__file__).parents[1]
GUEST = """\
name = "%s"
type = "%s"
kernel = "/srv/guest/vmlinuz"
ramdisk = "/srv/guest/initrd.img"
extra = "console=hvc0 quiet"
memory = 128
"""
PATIENCE_S = 600.0  # migrations take long where a machine is emulated on a busy one
# a command in a dom0's shell that is xlpy
XLPY = "env PYTHONPATH=/opt/xlpy python3 -m xlpy"


class Dom0:
    """xlpy and xl in a dom0; skips the test where that has too old a Python for xlpy's own commands."""

    def __init__(self, host: XenHost) -> None:
        newer = "import sys; sys.exit(sys.version_info < (3, 11))"
        if host.run("python3", "-c", newer, check=False).returncode:
            pytest.skip("the dom0's Python is too old for xlpy's own commands; from outside it does")
        host.put_tree([ROOT / "xlpy"], "/opt/xlpy")
        self.host = host

    def xlpy(self, *words: str, check: bool = True) -> str:
        """What ``xlpy WORDS`` prints on both streams."""
        return self.run(*XLPY.split(), *words, check=check)

    def xl(self, *words: str, check: bool = True) -> str:
        """What ``xl WORDS`` prints; its own processes don't keep the connection open."""
        return self.run("xl", *words, check=check)

    def run(self, *words: str, check: bool = True) -> str:
        """What a command prints on both streams."""
        done = self.host.run(
            *("sh", "-c", '"$@" >/run/said 2>&1 </dev/null', "sh", *words), check=False, timeout_s=PATIENCE_S
        )
        said = self.host.get("/run/said").decode(errors="replace")
        if check:
            assert done.returncode == 0, f"{words}: {done.returncode}\n{said}"
        return said

    def config(self, name: str, kind: str = "pv") -> str:
        """A configuration file of this name there."""
        path = f"/root/{name}.cfg"
        self.host.put(path, GUEST % (name, kind))
        return path

    def names(self) -> set[str]:
        """The domains that there are, as both say."""
        listed = [
            {line.split()[0] for line in said.splitlines()[1:]}
            for said in (self.xl("list"), self.xlpy("list"))
        ]
        assert listed[0] == listed[1]
        return listed[0]
