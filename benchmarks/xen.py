"""xlpy against xl in the dom0 of a real Xen host of the lab, on the same domains in the same run."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.guest import ROOT
from benchmarks.measure import MeasurementFailed, Series
from benchmarks.scene import Scene

if TYPE_CHECKING:
    from xen_hosts import XenHost, XenHosts

XLPY = "/usr/local/bin/xlpy"
XL = "/usr/sbin/xl"
PLACE = "/opt/xlpy"
GUESTS = 3
SMALL_MIB, SAVED_MIB = 96, 768
HOST_MIB = 3200  # for three domains to be saved at a time: one that is received is there twice
CONFIG = """\
name = "{name}"
type = "{kind}"
kernel = "/srv/guest/vmlinuz"
ramdisk = "/srv/guest/initrd.img"
extra = "console=hvc0 quiet"
memory = {memory_mib}
{more}
"""
DISK = 'disk = ["file:/srv/guest/data.img,xvda,r"]'
# A guest that says so has the drivers that help with a save.
READY = 'until [ "$(xenstore-read /local/domain/$(xl domid $0)/control/feature-suspend 2>&1)" = 1 ]; do sleep 1; done'
Steps = list[tuple[str | None, list[str]]]


class Dom0:
    """A Xen host with this checkout's xlpy installed. End it with ``close``."""

    def __init__(self, scratch: Path) -> None:
        try:
            from xen_hosts import XenHosts, wanted_xen
        except ImportError as error:
            raise MeasurementFailed(f"the lab's hosts need {error.name}: script/setup --dev --lab") from error

        self._hosts: XenHosts = XenHosts(scratch)
        try:
            self.host: XenHost = self._hosts.get("lab1", wanted_xen(), memory_mib=HOST_MIB)
            self._install()
        except BaseException:
            self._hosts.close()
            raise

    def close(self) -> None:
        self._hosts.close()

    def _install(self) -> None:
        """As a package does: compiled, in one file, with the launcher that packages have."""
        self.host.put_tree([ROOT / "xlpy", ROOT / "benchmarks/dom0_stopwatch.py"], PLACE)
        self.host.run("python3", "-m", "compileall", "-q", f"{PLACE}/xlpy")
        template = (ROOT / "script/launcher.in").read_text()
        self.host.run("env", f"PYTHONPATH={PLACE}", "python3", "-m", "xlpy.bundle")
        for name, module, function in (
            ("xlpy", "xlpy.__main__", "run_and_exit"),
            ("xlpyd", "xlpy.agent.xlpyd", "main"),
        ):
            values = {
                "PYTHON": "/usr/bin/python3",
                "LIBRARY": PLACE,
                "MODULE": module,
                "FUNCTION": function,
            }
            program = f"/usr/local/bin/{name}"
            self.host.put(program, re.sub("@([A-Z]+)@", lambda found, of=values: of[found[1]], template))  # type: ignore[misc]
            self.host.run("chmod", "755", program)
        self.host.run(XLPY, "list")

    def config(self, name: str, kind: str, more: str = "", memory_mib: int = SMALL_MIB) -> str:
        """Write a domain's config file there and return its path."""
        path = f"/root/{name}.cfg"
        self.host.put(path, CONFIG.format(name=name, kind=kind, memory_mib=memory_mib, more=more))
        return path

    def measure(
        self,
        rounds: int,
        sides: dict[str, Steps],
        before: list[list[str]] | None = None,
        after: list[list[str]] | None = None,
    ) -> dict[str, dict[str, Series]]:
        """Have the sides take turns; by side and label, how long it took. Raises MeasurementFailed."""
        plan = {"rounds": rounds, "before": before or [], "after": after or [], "sides": sides}
        done = subprocess.run(
            self.host.argv("python3", f"{PLACE}/dom0_stopwatch.py"),
            input=json.dumps(plan),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise MeasurementFailed(done.stderr.strip())
        taken = json.loads(done.stdout)
        return {
            side: {label: Series(values) for label, values in labels.items()}
            for side, labels in taken.items()
        }


def listing(scene: Scene) -> None:
    """list in dom0, with xlpyd running, against xl list and a bare start of Python."""
    dom0 = scene.dom0
    names = [f"l{number}" for number in range(GUESTS)]
    sides: dict[str, Steps] = {
        "xl": [("list", [XL, "list"])],
        "python": [("start", ["/usr/bin/python3", "-c", "pass"])],
        "xlpy": [("list", [XLPY, "list"])],
    }
    for what, before in (
        ("list in dom0", []),
        (
            f"list in dom0, {GUESTS} guests",
            [[XL, "create", "-p", dom0.config(name, "pvh")] for name in names],
        ),
    ):
        taken = dom0.measure(2 * scene.rounds, sides, before)
        both = zip(taken["xl"]["list"].values, taken["python"]["start"].values, strict=True)
        peer = Series([listed + started for listed, started in both])
        scene.report.compare(what, taken["xlpy"]["list"], "xl list + python3 -c pass", peer, 1.3)
    for name in names:
        dom0.host.run(XL, "destroy", name)


def creation(scene: Scene) -> None:
    """In dom0, create until it returns, of a domain with a disk, and destroy."""
    dom0 = scene.dom0
    sides: dict[str, Steps] = {
        program: [
            ("create", [program, "create", "-p", dom0.config(name, "pvh", DISK)]),
            ("destroy", [program, "destroy", name]),
        ]
        for program, name in ((XL, "theirs"), (XLPY, "ours"))
    }
    taken = dom0.measure(2 * scene.rounds, sides)
    for label, limit in (("create", 1.15), ("destroy", None)):
        scene.report.compare(f"{label} in dom0", taken[XLPY][label], f"xl {label}", taken[XL][label], limit)


def saving(scene: Scene) -> None:
    """In dom0, save and restore of a domain that runs."""
    dom0 = scene.dom0
    sides: dict[str, Steps] = {}
    before, after = [], []
    for program, name in ((XL, "theirs"), (XLPY, "ours")):
        before += [
            [program, "create", dom0.config(name, "pv", memory_mib=SAVED_MIB)],
            ["sh", "-c", READY, name],
        ]
        after += [[XL, "destroy", name]]
        file = f"/var/tmp/{name}.save"
        sides[program] = [("save", [program, "save", name, file]), ("restore", [program, "restore", file])]
    taken = dom0.measure(scene.rounds, sides, before, after)
    for label in ("save", "restore"):
        what = f"{label} in dom0, {SAVED_MIB} MiB"
        scene.report.compare(what, taken[XLPY][label], f"xl {label}", taken[XL][label], 1.1)
