#!/usr/bin/env python3
"""The link cut at 30 random moments of migrations between two hosts over SSH: exactly one running copy each time.

    benchmarks/cut_link.py [--with-disks] [ROUNDS [SEED]]

Half of the rounds kill sshd's connection, the others take the host's cable down for a while (as root). Prints what was
reached and what it took; exits 1 at the first domain that is lost, doubled or left standing still.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "engine" / "qemu")]
os.environ.setdefault("XLPY_ACCEL", "tcg")

from link_rounds import link_rounds  # noqa: E402


def main(count: int = 30, seed: int = 1, with_disks: bool = False) -> int:
    """Play the rounds; the exit status."""
    with (
        tempfile.TemporaryDirectory(prefix="xlpy-cut-") as directory,
        link_rounds(Path(directory), seed, network=os.getuid() == 0, with_disks=with_disks) as rounds,
    ):
        print(f"a migration takes {rounds.longest_s:.2f} s uncut; {count} rounds, seed {seed}", flush=True)
        try:
            for number in range(1, count + 1):
                rounds.play(number)
        except AssertionError as error:
            print(error, file=sys.stderr)
            return 1
        for what, times in sorted(rounds.reached.items()):
            print(f"{what}: {times}")
    print(f"{count} rounds: exactly one running copy after each")
    return 0


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--with-disks"]
    sys.exit(main(*map(int, words), with_disks=len(words) < len(sys.argv[1:])))
