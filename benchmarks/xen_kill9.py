#!/usr/bin/env python3
"""kill -9 of xlpyd at random moments of create, save, restore, migrate and destroy on real Xen hosts of the lab.

    benchmarks/xen_kill9.py [--one-host] [ROUNDS [SEED]]

Two hosts and 30 rounds if not given; one host migrates nothing. Prints what was reached; exits 1 at the first domain that
is lost, doubled, half made or wrongly listed.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from xen_hosts import XenHosts, wanted_xen  # noqa: E402
from xen_kill_rounds import XenKillRounds  # noqa: E402


def main(count: int = 30, seed: int = 1, one_host: bool = False) -> int:
    """Play the rounds on hosts of their own; the exit status."""
    with tempfile.TemporaryDirectory(prefix="xlpy-kill9-") as directory:
        hosts = XenHosts(Path(directory))
        try:
            found = [hosts.get(name, wanted_xen()) for name in ("lab1", "lab2")[: 1 if one_host else 2]]
            rounds = XenKillRounds(found, hosts.environ, seed)
            for number in range(1, count + 1):
                print(rounds.play(number), flush=True)
        except AssertionError as error:
            print(error, file=sys.stderr)
            return 1
        finally:
            hosts.close()
        for what, times in sorted(rounds.reached.items()):
            print(f"{what}: {times}")
    print(f"{count} rounds: no domain lost, doubled, half made or wrongly listed")
    return 0


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--one-host"]
    sys.exit(main(*map(int, words), one_host=len(words) < len(sys.argv[1:])))
