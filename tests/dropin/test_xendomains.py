"""The two ``xendomains`` of Debian's packages: its own init script, and Xen's (in LIBEXEC_BIN), which differs much.

Both start what is linked in /etc/xen/auto with their host and save, move or shut down all domains with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from debian_machine import DebianMachine
from outside_guest import guest_config

pytestmark = [pytest.mark.outside, pytest.mark.qemu]

DEBIANS = "/etc/init.d/xendomains"
SETTINGS = {
    "XENDOMAINS_SAVE": "/var/lib/xen/save",
    "XENDOMAINS_RESTORE": "true",
    "XENDOMAINS_AUTO": "/etc/xen/auto",
    "XENDOMAINS_STOP_MAXWAIT": "90",
    "XENDOMAINS_SHUTDOWN": "--wait",
    "XENDOMAINS_SHUTDOWN_ALL": "--all --wait",
}


@pytest.fixture(scope="module")
def xens(machine: DebianMachine) -> str:
    """The path of Xen's script, in which the version of Xen stands."""
    return machine.sh("echo /usr/lib/xen-*/bin/xendomains").strip()


@pytest.fixture(autouse=True)
def two_automatic(machine: DebianMachine, no_domains: None) -> Iterator[None]:
    """Two domains start with the host; the distribution's settings otherwise."""
    for name in ("db", "web"):
        machine.put(f"/etc/xen/auto/{name}.cfg", guest_config(name))
    configure(machine)
    yield
    machine.run("rm", "-rf", "/var/lib/xen/save", "/etc/xen/auto", "/var/lock/xendomains", "/var/lock/subsys")


def configure(machine: DebianMachine, **changes: str) -> None:
    """Write /etc/default/xendomains."""
    settings = {**SETTINGS, **changes}
    lines = [f'{name}="{value}"\n' for name, value in settings.items()]
    machine.put("/etc/default/xendomains", "".join(lines))


def uuids(machine: DebianMachine) -> dict[str, str]:
    """The UUID of each domain but Domain-0, by its name; one that is restored keeps it, a new one has another."""
    rows = [line.split() for line in machine.xl("list", "-v").stdout.splitlines()[2:]]
    return {row[0]: next(word for word in row if re.fullmatch(r"[0-9a-f-]{36}", word)) for row in rows}


class TestDebians:
    """/etc/init.d/xendomains of xen-utils-common."""

    def test_saves_and_restores_with_the_host(self, machine: DebianMachine) -> None:
        started = machine.run(DEBIANS, "start").stdout
        assert started.splitlines() == [
            "Starting Xen domain db (from /etc/xen/auto/db.cfg)...done.",
            "Starting Xen domain web (from /etc/xen/auto/web.cfg)...done.",
        ]
        before = uuids(machine)
        assert sorted(before) == ["db", "web"]

        again = machine.run(DEBIANS, "start").stdout
        assert again.splitlines() == [
            "Xen domain db already running.",
            "Xen domain web already running.",
        ]

        stopped = machine.run(DEBIANS, "stop").stdout
        assert re.findall(r"Saving Xen domain (\w+) \(\d+\)\.*done\.", stopped) == ["db", "web"]
        assert uuids(machine) == {}
        assert machine.sh("ls /var/lib/xen/save").split() == ["db", "web"]

        restored = machine.run(DEBIANS, "start").stdout
        assert restored.splitlines() == [
            "Restoring Xen domain db (from /var/lib/xen/save/db)...done.",
            "Restoring Xen domain web (from /var/lib/xen/save/web)...done.",
        ]
        assert uuids(machine) == before
        assert machine.sh("ls /var/lib/xen/save") == ""

    def test_shuts_down_where_nothing_is_saved(self, machine: DebianMachine) -> None:
        configure(machine, XENDOMAINS_SAVE="")
        machine.run(DEBIANS, "start")
        stopped = machine.run(DEBIANS, "stop").stdout
        assert re.findall(r"Shutting down Xen domain (\w+)", stopped) == ["db", "web"]
        assert re.findall(r"Waiting for Xen domain (\w+) \(\d+\) to shut down\.*done\.", stopped) == [
            "db",
            "web",
        ]
        assert "failed" not in stopped
        assert uuids(machine) == {}

    def test_moves_all_to_another_host(
        self, machine: DebianMachine, outside: Path, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        other = DebianMachine(tmp_path_factory.mktemp("other"), outside / "root")
        try:
            other.xl("list")  # its xlpyd starts with that
            configure(machine, XENDOMAINS_MIGRATE=f"unix://{other.directory}/run/xlpy/xlpy.sock")
            machine.run(DEBIANS, "start")
            before = uuids(machine)
            stopped = machine.run(DEBIANS, "stop").stdout
            assert re.findall(r"Migrating Xen domain (\w+) \(\d+\)\.*done\.", stopped) == ["db", "web"]
            assert uuids(machine) == {}
            assert uuids(other) == before
        finally:
            other.close()

    def test_says_what_is_wrong_with_a_file(self, machine: DebianMachine) -> None:
        machine.put("/etc/xen/auto/web.cfg", 'name = "web"\nkernel = "/nowhere"\nmemory = 64\n')
        said = machine.run(DEBIANS, "start").stdout
        assert "Starting Xen domain web (from /etc/xen/auto/web.cfg)...failed." in said
        assert "/nowhere" in said
        assert list(uuids(machine)) == ["db"]


class TestXens:
    """tools/hotplug/Linux/xendomains.in, which systemd's xendomains.service runs."""

    def test_saves_and_restores_with_the_host(self, machine: DebianMachine, xens: str) -> None:
        assert "Starting auto Xen domains: db.cfg web.cfg" in machine.run(xens, "start").stdout
        before = uuids(machine)
        assert sorted(before) == ["db", "web"]
        status = machine.run(xens, "status")
        assert status.stdout.startswith("Checking for xendomains: db web")

        stopped = machine.run(xens, "stop").stdout
        assert "db(save)" in stopped
        assert "web(save)" in stopped
        assert uuids(machine) == {}
        assert machine.run(xens, "status", check=False).returncode == 3

        started = machine.run(xens, "start").stdout
        assert "Restoring Xen domains: db web" in started
        assert "An error occurred" not in started
        assert uuids(machine) == before
        assert machine.sh("ls /var/lib/xen/save") == ""

    def test_leaves_running_domains_alone(self, machine: DebianMachine, xens: str) -> None:
        machine.xl("create", "-q", "/etc/xen/auto/web.cfg")
        before = uuids(machine)
        assert "db.cfg web.cfg(skip)" in machine.run(xens, "start").stdout
        assert uuids(machine)["web"] == before["web"]

    def test_shuts_down_where_nothing_is_saved(self, machine: DebianMachine, xens: str) -> None:
        configure(machine, XENDOMAINS_SAVE="")
        machine.run(xens, "start")
        stopped = machine.run(xens, "stop").stdout
        assert "db(shut)" in stopped
        assert "web(shut)" in stopped
        assert "An error occurred" not in stopped
        assert uuids(machine) == {}

    def test_stops_only_those_that_it_started(self, machine: DebianMachine, xens: str) -> None:
        configure(machine, XENDOMAINS_AUTO_ONLY="true", XENDOMAINS_SHUTDOWN_ALL="")
        machine.run(xens, "start")
        machine.xl("create", "-q", machine.put("/etc/xen/own.cfg", guest_config("own")))
        assert "own(skip)" in machine.run(xens, "stop").stdout
        assert list(uuids(machine)) == ["own"]

    def test_sends_a_sysrq_first(self, machine: DebianMachine, xens: str) -> None:
        configure(machine, XENDOMAINS_SYSRQ="s")
        machine.run(xens, "start")
        stopped = machine.run(xens, "stop").stdout
        assert "db(SR-s)(save)" in stopped
        assert "An error occurred" not in stopped
