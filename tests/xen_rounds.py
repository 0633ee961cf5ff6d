"""Plays rounds of a domain's life in a dom0 (dom0_rounds.py) and brings back what they left behind."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from xen_hosts import XenHost

HERE = Path(__file__).parent
PLACE = "/opt/xlpy"
ROUND_TIMEOUT_S = 240.0  # on a busy machine; four or five seconds is usual


@dataclass(frozen=True)
class Outcome:
    """What is there after the rounds that wasn't before, what is gone, and how Xen and xlpyd were before and after."""

    added: list[str]
    missing: list[str]
    before: dict[str, int]
    after: dict[str, int]


def play(host: XenHost, life: str, rounds: int) -> Outcome:
    """Rounds of ``create`` or ``save`` with the xlpy of this checkout. Skips the test where dom0's Python is too old."""
    install(host)
    done = host.run(
        *("env", f"PYTHONPATH={PLACE}", "python3", f"{PLACE}/dom0_rounds.py", life, str(rounds)),
        timeout_s=(rounds + 3) * ROUND_TIMEOUT_S,
    )
    return Outcome(**json.loads(done.stdout.splitlines()[-1]))


def install(host: XenHost) -> None:
    """Bring xlpy into the dom0, compiled as an installed one is. Skips the test where dom0's Python is too old."""
    old = host.run("python3", "-c", "import sys; sys.exit(sys.version_info < (3, 11))", check=False)
    if old.returncode:
        pytest.skip("the dom0's Python is too old for xlpy's own commands; from outside it does")
    host.put_tree([HERE.parent / "xlpy", HERE / "dom0_rounds.py"], PLACE)
    host.run("python3", "-m", "compileall", "-q", f"{PLACE}/xlpy", check=False)  # it is imported all the same
