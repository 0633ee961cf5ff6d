"""Xen's own checks of what xl makes of disks, network cards and lists of CPUs (tools/xl/check-xl-*-parse)."""

from __future__ import annotations

from pathlib import Path

import pytest
from debian_machine import DebianMachine

pytestmark = pytest.mark.outside


@pytest.mark.parametrize("name", ["check-xl-disk-parse", "check-xl-vif-parse", "check-xl-vcpupin-parse"])
def test_all_cases_pass(machine: DebianMachine, outside: Path, name: str) -> None:
    # each writes what it compares into its working directory
    done = machine.run(outside / "xen" / name, cwd="/var/tmp", check=False)
    said = f"{done.stdout}{done.stderr}"
    assert done.stdout.endswith("\nall ok.\n"), said
    assert "failed" not in said
    assert done.returncode == 0
    assert done.stdout.count("test case ") > 4
