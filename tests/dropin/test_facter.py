"""Puppet's Facter: which domains a host runs, in its own inventory of facts."""

from __future__ import annotations

import json

import pytest
from debian_machine import DebianMachine
from outside_guest import guest_config

pytestmark = [pytest.mark.outside, pytest.mark.qemu]


def test_domains_are_facts(machine: DebianMachine) -> None:
    def facts() -> dict[str, dict[str, list[str]]]:
        found = json.loads(machine.run("facter", "--json", "xen").stdout)
        assert isinstance(found, dict)
        return found

    assert facts() == {"xen": {"domains": []}}
    for name in ("web", "db-1.example.org"):
        config = machine.put("/var/tmp/guest.cfg", guest_config(name))
        machine.xl("create", "-q", config)
    assert facts() == {"xen": {"domains": ["web", "db-1.example.org"]}}
