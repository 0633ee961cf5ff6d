"""``xlpy lab up`` and ``reset`` killed at any moment: status tells the truth, and the next ``up`` gives a whole host."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from xen_hosts import XenHosts, wanted_xen

pytestmark = pytest.mark.xen

MOMENTS_S = (0.3, 1.0, 2.0, 3.5)


class LabCommands:
    """``xlpy lab`` as a user types it, in a lab of its own."""

    def __init__(self, directory: Path) -> None:
        self._environ = {
            **os.environ,
            "XDG_STATE_HOME": str(directory),
            "XLPY_INVENTORY": str(directory / "hosts.yaml"),
        }

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Begin a command."""
        return subprocess.Popen(
            [sys.executable, "-m", "xlpy", "lab", *words],
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> str:
        """Carry out a command; what it prints. Fails the test if it fails."""
        with self.start(*words) as process:
            out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        return out

    def kill_after(self, delay_s: float, *words: str) -> None:
        """kill -9 a command in the midst of things, or when it's through if it's quick."""
        with self.start(*words) as process:
            try:
                process.wait(delay_s)
            except subprocess.TimeoutExpired:
                process.kill()

    def states(self) -> dict[str, str]:
        """The hosts by name, and how they are."""
        rows = json.loads(self.run("status", "-o", "json"))["rows"]
        return {row["name"]: row["state"] for row in rows}


@pytest.fixture
def lab(xen_hosts: XenHosts, tmp_path: Path) -> Iterator[LabCommands]:
    xen_hosts.end("lab1")
    xen_hosts.end("lab2")
    lab = LabCommands(tmp_path)
    lab.run("up", "--xen", wanted_xen())  # the image and the snapshot are there, then
    yield lab
    lab.run("down")


def test_up_killed(lab: LabCommands) -> None:
    for moment in MOMENTS_S:
        lab.run("down")
        lab.kill_after(moment, "up", "--xen", wanted_xen())
        assert lab.states().get("lab1", "down") in ("down", "starting", "running")
        lab.run("up", "--xen", wanted_xen())
        assert lab.states() == {"lab1": "running"}
        assert lab.run("ssh", "lab1", "hostname").strip() == "lab1"


def test_reset_killed(lab: LabCommands) -> None:
    lab.run("ssh", "lab1", "touch", "/root/mark")
    for moment in MOMENTS_S:
        lab.kill_after(moment, "reset", "lab1")
        lab.run("up")
        assert lab.run("ssh", "lab1", "hostname").strip() == "lab1"
    lab.run("reset", "lab1")
    assert lab.run("ssh", "lab1", "--", "ls /root").strip() == ""
