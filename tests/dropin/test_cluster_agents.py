"""Cluster resource agents of Debian's resource-agents: what Pacemaker runs to start, watch and stop domains."""

from __future__ import annotations

import subprocess

import pytest
from debian_machine import DebianMachine
from eventually import eventually
from outside_guest import guest_config

pytestmark = [pytest.mark.outside, pytest.mark.qemu]

SUCCESS, GENERIC, INSTALLED, NOT_RUNNING = 0, 1, 5, 7  # of ocf-returncodes
AGENTS = "/usr/lib/ocf/resource.d/heartbeat"
CONFIG = "/var/tmp/web.cfg"


@pytest.fixture(autouse=True)
def config(machine: DebianMachine, no_domains: None) -> None:
    machine.put(CONFIG, guest_config("web"))


def agent(
    machine: DebianMachine, action: str, kind: str = "Xen", **parameters: str
) -> subprocess.CompletedProcess[str]:
    """Run an agent as the cluster's local resource manager does; its result is its exit status."""
    resource = {
        "OCF_ROOT": "/usr/lib/ocf",
        "OCF_RESOURCE_INSTANCE": "web",
        "OCF_RESOURCE_TYPE": kind,
        "OCF_RESOURCE_PROVIDER": "heartbeat",
        "OCF_RESKEY_CRM_meta_timeout": "150000",
        "HA_RSCTMP": "/run/resource-agents",
        "OCF_RESKEY_xmfile": CONFIG,
        **{f"OCF_RESKEY_{name}": value for name, value in parameters.items()},
    }
    return machine.run(f"{AGENTS}/{kind}", action, environ=resource, check=False)


def names(machine: DebianMachine) -> list[str]:
    return [line.split()[0] for line in machine.xl("list").stdout.splitlines()[2:]]


def test_a_resource_is_started_watched_and_stopped(machine: DebianMachine) -> None:
    assert agent(machine, "status").returncode == NOT_RUNNING
    assert agent(machine, "start").returncode == SUCCESS
    assert names(machine) == ["web"]
    assert agent(machine, "monitor").returncode == SUCCESS
    again = agent(machine, "start")
    assert (again.returncode, "already running" in again.stderr) == (SUCCESS, True)

    stopped = agent(machine, "stop")
    assert stopped.returncode == SUCCESS
    assert "Xen domain web stopped" in stopped.stderr
    assert "will be destroyed" not in stopped.stderr  # it has shut down by itself
    assert names(machine) == []
    assert agent(machine, "status").returncode == NOT_RUNNING


def test_a_guest_that_does_not_end_is_destroyed(machine: DebianMachine) -> None:
    assert agent(machine, "start").returncode == SUCCESS
    stopped = agent(machine, "stop", shutdown_timeout="0")
    assert (stopped.returncode, "web will be destroyed" in stopped.stderr) == (SUCCESS, True)
    assert names(machine) == []


def test_acpi_is_another_way_to_ask(machine: DebianMachine) -> None:
    assert agent(machine, "start").returncode == SUCCESS
    # a trigger is pressed once, so the guest has to be up
    machine.sh("xlpy wait web console 'guest# ' --timeout 90")
    stopped = agent(machine, "stop", shutdown_acpi="1")
    assert stopped.returncode == SUCCESS
    assert "will be destroyed" not in stopped.stderr
    assert names(machine) == []


def test_memory_is_shared_among_domains(machine: DebianMachine) -> None:
    """The agent takes the total from ``xl info`` and gives each domain its part by ``xl mem-set``."""
    machine.put(CONFIG, guest_config("web", more="maxmem = 256\n").replace("memory = 128", "memory=128"))
    total = int(machine.sh("xl info | grep '^total_memory' | awk '{print $3}'"))
    started = agent(machine, "start", allow_mem_management="true", reserved_Dom0_memory=str(total - 200))
    assert started.returncode == SUCCESS
    assert "New memory for virtual domains: 200" in started.stderr
    assert "memory=200\n" in machine.sh(f"cat {CONFIG}")
    # as soon as the guest has a driver for its balloon
    eventually(lambda: machine.sh("xl list web | awk 'NR==2 {print $3}'").strip() == "200", 90)


def test_a_domain_that_cannot_start_is_a_failure(machine: DebianMachine) -> None:
    machine.put(CONFIG, 'name = "web"\nkernel = "/nowhere"\nmemory = 64\n')
    started = agent(machine, "start")
    assert started.returncode == GENERIC
    assert "/nowhere" in started.stderr
    machine.run("rm", CONFIG)
    assert agent(machine, "start").returncode == INSTALLED


def test_a_resource_moves_to_another_node(machine: DebianMachine) -> None:
    """To where it is no more: the agent says so, and the domain runs on."""
    assert agent(machine, "start").returncode == SUCCESS
    moved = agent(machine, "migrate_to", CRM_meta_migrate_target="unix:///run/nowhere.sock")
    assert moved.returncode == GENERIC
    assert "migrate to unix:///run/nowhere.sock failed" in moved.stderr
    assert agent(machine, "monitor").returncode == SUCCESS


class TestUtilization:
    """What the agents tell the cluster about sizes, for it to place resources."""

    @pytest.fixture(autouse=True)
    def cluster(self, machine: DebianMachine) -> None:
        """In place of Pacemaker's programs: they keep what they are told."""
        program = '#!/bin/sh\ncase $* in *-v*) echo "$@" >>/var/tmp/told ;; esac\n'
        for name in ("crm_attribute", "crm_resource"):
            machine.put(f"/usr/sbin/{name}", program, mode=0o755)
        machine.run("rm", "-f", "/var/tmp/told")
        machine.run("mkdir", "-p", "/run/resource-agents")

    def test_of_a_node(self, machine: DebianMachine) -> None:
        for action in ("start", "monitor"):
            done = agent(machine, action, "NodeUtilization", utilization_hv_memory_reservation="100")
            assert done.returncode == SUCCESS, done.stderr
        total = int(machine.sh("xl info | awk '/total_memory/ {print $3}'"))
        assert f" -n hv_memory -v {total - 100}\n" in machine.sh("cat /var/tmp/told")

    def test_of_a_domain(self, machine: DebianMachine) -> None:
        machine.put(CONFIG, guest_config("web", more="vcpus = 2\n"))
        done = agent(machine, "start", autoset_utilization_cpu="1", autoset_utilization_hv_memory="1")
        assert done.returncode == SUCCESS
        told = machine.sh("cat /var/tmp/told").splitlines()
        assert told[:2] == ["-r web -z -p cpu -v 2", "-r web -z -p hv_memory -v 128"]
