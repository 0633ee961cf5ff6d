#!/usr/bin/env python3
"""kill -9 of xlpyd (or of the client) at 100 random moments of create, migrate, save, restore and destroy of QEMU domains.

    benchmarks/kill9.py [ROUNDS [SEED]]

Prints where the kills hit; exits 1 at the first domain that is lost, doubled, half made or left standing still.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
os.environ.setdefault("XLPY_ACCEL", "tcg")
os.environ["PYTHONPATH"] = str(ROOT)

from kill_rounds import KillRounds, measure  # noqa: E402

PROGRAM = ("-m", "xlpy.agent.xlpyd")


def main(count: int = 100, seed: int = 1) -> int:
    """Play the rounds; the exit status."""
    with tempfile.TemporaryDirectory(prefix="xlpy-kill9-") as directory:
        place = Path(directory)
        longest_s = measure(place / "measure", PROGRAM)
        print(f"a round takes {longest_s:.2f} s undisturbed; {count} rounds, seed {seed}", flush=True)
        rounds = KillRounds(place / "rounds", seed, longest_s, PROGRAM)
        try:
            for number in range(count):
                rounds.play(number)
        except AssertionError as error:
            print(error, file=sys.stderr)
            return 1
        finally:
            rounds.close()
        for (victim, step), times in sorted(rounds.reached.items()):
            print(f"{victim} killed in {step}: {times}")
    print(f"{count} rounds: no domain lost, doubled, half made or left standing still")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
