"""The lab's hosts in the inventory."""

from __future__ import annotations

from pathlib import Path

import pytest

from xlpy.errors import ConfigError, UsageError
from xlpy.inventory.file import read_inventory
from xlpy.lab.enrol import Roll
from xlpy.lab.host import HostRecord, LabHost

KEY = "/home/me/.cache/xlpy/lab/keys/user"


def lab_host(name: str = "lab1", port: int = 2201) -> LabHost:
    return LabHost(
        f"/state/{name}",
        HostRecord(
            name=name,
            xen="4.17",
            number=1,
            ssh_port=port,
            image="/image",
            memory_mib=1536,
            dom0_mib=640,
            cpus=1,
            accelerator="tcg",
        ),
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config/hosts.yaml"


@pytest.fixture
def roll(path: Path) -> Roll:
    return Roll(str(path), KEY)


def test_a_host_can_be_reached_by_its_name(roll: Roll, path: Path) -> None:
    roll.enter(lab_host())
    entry = read_inventory(str(path)).find("lab1")
    assert entry is not None
    assert (entry.address, entry.port, entry.user) == ("127.0.0.1", 2201, "root")
    assert entry.identity_file == KEY
    assert entry.known_hosts_file == "/state/lab1/known_hosts"
    assert entry.labels == {"xen": "4.17"}
    assert read_inventory(str(path)).groups == {"lab": ("lab1",)}


def test_entering_again_changes_nothing_but_the_port(roll: Roll, path: Path) -> None:
    roll.enter(lab_host())
    before = path.read_text()
    roll.enter(lab_host())
    assert path.read_text() == before
    roll.enter(lab_host(port=2299))
    assert path.read_text() == before.replace("2201", "2299")


def test_what_the_user_wrote_stays(roll: Roll, path: Path) -> None:
    text = "version: 1\n# mine\nhosts:\n  web:   # in the cellar\n    address: web.example.org\n"
    path.parent.mkdir()
    path.write_text(text)
    roll.enter(lab_host())
    assert path.read_text().startswith(text)
    roll.strike("lab1")
    assert path.read_text() == text


def test_striking_what_is_not_there(roll: Roll, path: Path) -> None:
    roll.strike("lab1")
    roll.enter(lab_host())
    roll.strike("lab2")
    assert read_inventory(str(path)).find("lab1") is not None


def test_a_name_that_somebody_else_has(roll: Roll, path: Path) -> None:
    text = "hosts:\n  lab1:\n    address: lab1.example.org\n"
    path.parent.mkdir()
    path.write_text(text)
    for attempt in (lambda: roll.require_free("lab1"), lambda: roll.enter(lab_host())):
        with pytest.raises(UsageError, match="has a host 'lab1' that is none of the lab"):
            attempt()
    roll.strike("lab1")
    assert path.read_text() == text


def test_an_inventory_that_is_wrong_is_left_alone(roll: Roll, path: Path) -> None:
    path.parent.mkdir()
    path.write_text("hosts: [\n")
    for attempt in (lambda: roll.require_free("lab1"), lambda: roll.strike("lab1")):
        with pytest.raises(ConfigError):
            attempt()
    assert path.read_text() == "hosts: [\n"
