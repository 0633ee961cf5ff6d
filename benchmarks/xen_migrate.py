"""Migration in the dom0 of a real Xen host: xl to xl, xl to us, and us to xl, through the same pipe on one host.

Two hosts of the lab would measure ssh in an emulated machine and little else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.xen import READY, SAVED_MIB, XL, XLPY

if TYPE_CHECKING:
    from benchmarks.scene import Scene
    from benchmarks.xen import Steps

KIND = "pv"
LIMIT = 1.1


def migrating(scene: Scene) -> None:
    """migrate until it returns: as the receiver of xl's, and as the sender to xl."""
    dom0 = scene.dom0
    sides: dict[str, Steps] = {}
    before, after = [], []
    for ours, name in ((XL, "theirs"), (XLPY, "ours")):
        before += [[XL, "create", dom0.config(name, KIND, memory_mib=SAVED_MIB)], ["sh", "-c", READY, name]]
        after += [[XL, "destroy", name]]
        sides[ours] = [
            ("receive", [XL, "migrate", "-s", "", name, f"{ours} migrate-receive"]),
            ("send", [ours, "migrate", "-s", "", name, f"{XL} migrate-receive"]),
        ]
    taken = dom0.measure(scene.rounds, sides, before, after)
    for label in ("receive", "send"):
        what = f"migrate in dom0, {SAVED_MIB} MiB, as the one to {label}"
        scene.report.compare(what, taken[XLPY][label], "xl to xl", taken[XL][label], LIMIT)
