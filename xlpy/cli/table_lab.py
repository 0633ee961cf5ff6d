"""Commands of the lab."""

from __future__ import annotations

from xlpy.cli.command import Command
from xlpy.cli.options import value

ROWS = (
    Command(
        "lab up", "lab:up", "[options] [Name]...",
        "Run real Xen hosts in QEMU, lab1 if none is named; lab1 and lab2 are joined by a network",
        value("--xen", "VERSION", "Version of Xen: 4.14, 4.17 or 4.20; 4.17 if not given."),
        value("--memory", "MIB", "Memory of the whole host; 1536 if not given."),
        value("--cpus", "COUNT", "Processors; 1 or 2, as this machine can spare, if not given."),
        value("--guest", "DIR", "Put the guest that script/build-guest made there into /srv/guest on the host."),
        modifies=True, own=True,
    ),
    Command("lab down", "lab:down", "[Name]...", "End hosts of the lab and forget them, all if none is named", modifies=True, loses=True, own=True),
    Command("lab status", "lab:status", "[Name]...", "Show the hosts of the lab", own=True),
    Command(
        "lab ssh", "lab:ssh", "<Name> [-- command]", "Log in to a host of the lab, or run a command there",
        needs=1, own=True,
    ),
    Command(
        "lab snapshot", "lab:snapshot", "<Name> [Snapshot]",
        "Keep a host's present state under a name, or as the one that 'lab reset' goes back to",
        needs=1, modifies=True, own=True,
    ),
    Command(
        "lab reset", "lab:reset", "<Name> [Snapshot]",
        "Put a host back into a state that was kept, or into that of its first start",
        needs=1, modifies=True, loses=True, own=True,
    ),
)  # fmt: skip
