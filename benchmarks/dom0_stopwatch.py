"""A stopwatch that travels into a dom0: sides take turns there, so that no connection is measured with them.

    python3 dom0_stopwatch.py <plan.json

The plan: how many ``rounds``, what to do once ``before`` and ``after``, and the ``sides``: by name, the steps of a round,
each a label and a command. A step without a label is not measured. The answer is one JSON object: by side, by label, the
milliseconds of each round. The first round of each side warms up.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence

TIMEOUT_S = 600


def main() -> None:
    plan = json.load(sys.stdin)
    for command in plan["before"]:
        took_ms(command)
    taken: dict[str, dict[str, list[float]]] = {side: {} for side in plan["sides"]}
    for number in range(plan["rounds"] + 1):
        for side, steps in plan["sides"].items():
            for label, command in steps:
                took = took_ms(command)
                if label is not None and number:
                    taken[side].setdefault(label, []).append(took)
    for command in plan["after"]:
        took_ms(command)
    print(json.dumps(taken))


def took_ms(command: Sequence[str]) -> float:
    """Run a command to its end; a daemon that it leaves behind is not waited for. Ends the program when it fails."""
    with open("/run/stopwatch.said", "w+b") as said, open(os.devnull, "rb") as nothing:
        began = time.perf_counter()
        status = subprocess.Popen(command, stdin=nothing, stdout=said, stderr=said).wait(TIMEOUT_S)
        took = (time.perf_counter() - began) * 1000
        if status:
            said.seek(0)
            sys.exit(f"{' '.join(command)}: exit {status}: {said.read().decode(errors='replace')}")
    return took


if __name__ == "__main__":
    main()
