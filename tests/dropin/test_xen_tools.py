"""Debian's xen-tools: they write configurations, and leave the images of running domains alone."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from debian_machine import DebianMachine
from outside_guest import GUEST, guest_config

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


def test_what_they_write_is_a_configuration(machine: DebianMachine) -> None:
    """As xen-create-image has it written, with a setting in it that has meant nothing since xm."""
    wishes = {
        "hostname": "mail",
        "memory": "128M",
        "maxmem": "256M",
        "vcpus": "2",
        "kernel": f"{GUEST.resolve()}/vmlinuz",
        "initrd": f"{GUEST.resolve()}/initrd.img",
        "device": "xvda",
        "dhcp": "1",
        "mac": "00:16:3E:01:02:03",
        "bridge": "xen-br0",
        "NUMPARTITIONS": "2",
        "PARTITION1": "swap:1M:swap:swap:sw:file::/var/tmp/swap.img",
        "PARTITION2": "disk:1M:ext4:/:noatime:file::/var/tmp/disk.img",
    }
    machine.run("xt-create-xen-config", "--output=/etc/xen", environ=wishes)
    machine.sh("truncate -s 1M /var/tmp/swap.img /var/tmp/disk.img; ip link add xen-br0 type bridge")
    created = machine.xl("create", "-p", "/etc/xen/mail.cfg")
    assert "unknown setting 'dhcp' has no effect" in created.stderr
    config = json.loads(machine.xl("list", "-l", "mail").stdout)[0]["config"]
    assert config["b_info"]["max_vcpus"] == 2
    assert (config["b_info"]["target_memkb"], config["b_info"]["max_memkb"]) == (128 << 10, 256 << 10)
    assert [(disk["pdev_path"], disk["vdev"]) for disk in config["disks"]] == [
        ("/var/tmp/disk.img", "xvda2"),
        ("/var/tmp/swap.img", "xvda1"),
    ]
    assert [(nic["mac"], nic["bridge"]) for nic in config["nics"]] == [("00:16:3e:01:02:03", "xen-br0")]
    assert machine.xl("create", "-q", "-n", "/etc/xen/mail.cfg").stderr == ""
