"""A Debian host that software made for xl believes to be a Xen host, for each module of tests."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from debian_machine import DebianMachine

PROJECT = Path(__file__).resolve().parents[2]
OUTSIDE = PROJECT / ".cache/outside/current"


@pytest.fixture(scope="session")
def outside() -> Path:
    """What script/outside-packages has downloaded."""
    if not (OUTSIDE / "info.json").exists():
        done = subprocess.run(
            [PROJECT / "script/outside-packages"], capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.skip(f"the software isn't there and can't be had: {done.stderr.strip()}")
    return OUTSIDE.resolve()


@pytest.fixture(scope="module")
def machine(outside: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DebianMachine]:
    """The host; it ends with all that runs there when the tests of the module have been run."""
    machine = DebianMachine(tmp_path_factory.mktemp("machine"), outside / "root")
    yield machine
    machine.close()


@pytest.fixture
def no_domains(machine: DebianMachine) -> Iterator[None]:
    """No domain but Domain-0 is there, before and after the test."""
    yield
    for domain in json.loads(machine.xl("list", "-l").stdout):
        if domain["domid"]:
            machine.xl("destroy", str(domain["domid"]))
