#!/usr/bin/env python3
"""Many rounds of create and destroy, and of save and restore, on a real Xen host of the lab: nothing may be left behind.

    benchmarks/xen_rounds.py [CREATES [SAVES]]

100 and 20 rounds if not given. Prints what Xen's free memory and xlpyd's size were before and after, and every domain,
xenstore key, process, loop device, file or descriptor that was left; exits 1 if there is one.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from xen_hosts import XenHosts, wanted_xen  # noqa: E402
from xen_rounds import play  # noqa: E402


def main(creates: int = 100, saves: int = 20) -> int:
    """Play the rounds on a host of their own; the exit status."""
    failed = False
    with tempfile.TemporaryDirectory(prefix="xlpy-rounds-") as directory:
        hosts = XenHosts(Path(directory))
        try:
            host = hosts.get("lab1", wanted_xen())
            for life, rounds in (("create", creates), ("save", saves)):
                outcome = play(host, life, rounds)
                print(
                    f"{rounds} rounds of {life}: before {outcome.before}, after {outcome.after}", flush=True
                )
                for word in outcome.added:
                    print(f"  left: {word}")
                for word in outcome.missing:
                    print(f"  gone: {word}")
                failed |= bool(outcome.added or outcome.missing)
        finally:
            hosts.close()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
