"""Debian's xen-tools: they leave the images of running domains alone, which ``xl list NAME`` tells them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from debian_machine import DebianMachine
from outside_guest import guest_config

pytestmark = [pytest.mark.outside, pytest.mark.qemu]


@pytest.fixture(autouse=True)
def one_runs(machine: DebianMachine, no_domains: None) -> Iterator[None]:
    """Two domains have configurations and images; one of them runs."""
    for name in ("web", "db"):
        machine.put(f"/etc/xen/{name}.cfg", guest_config(name))
        machine.put(f"/var/tmp/images/domains/{name}/disk.img", "not a file system")
    machine.xl("create", "-q", "/etc/xen/web.cfg")
    yield
    machine.sh("rm -rf /etc/xen/*.cfg /var/tmp/images")


def test_images_of_stopped_domains_alone_are_deleted(machine: DebianMachine) -> None:
    deleted = machine.run("xen-delete-image", "--dir=/var/tmp/images", "web", "db").stdout
    assert "Skipping xen guest 'web' - it appears to be running." in deleted
    assert "db.cfg" in deleted
    assert machine.sh("ls /etc/xen/*.cfg").split() == ["/etc/xen/web.cfg"]
    assert machine.sh("ls /var/tmp/images/domains").split() == ["web"]


def test_a_running_domain_is_not_updated(machine: DebianMachine) -> None:
    updated = machine.run("xen-update-image", "--dir=/var/tmp/images", "web").stdout
    assert updated == "Skipping xen guest 'web' - it appears to be running.\n"


def test_a_running_domain_is_not_resized(machine: DebianMachine) -> None:
    command = ["xen-resize-guest", "--dir=/var/tmp/images", "--add=1", "--force"]
    web = machine.run(*command, "--hostname=web", check=False)
    assert web.stdout == "The guest web appears to be running!\n"
    db = machine.run(*command, "--hostname=db", check=False)
    assert "Filesystem type is not understood" in db.stdout
