"""Commands on the devices of domains."""

from __future__ import annotations

from xlpy.cli.command import Command
from xlpy.cli.options import flag

ROWS = (
    Command(
        "cd-insert", "block:cd_insert", "<Domain> <VirtualDevice> <path>", "Insert a cdrom into a guest's cd drive",
        needs=3, modifies=True, dry_run=True,
    ),
    Command(
        "cd-eject", "block:cd_eject", "<Domain> <VirtualDevice>", "Eject a cdrom from a guest's cd drive",
        needs=2, modifies=True, dry_run=True,
    ),
    Command(
        "network-attach", "network:network_attach",
        "<Domain> [type=<type>] [mac=<mac>] [bridge=<bridge>] [ip=<ip>] [script=<script>] [backend=<BackDomain>] "
        "[vifname=<name>] [rate=<rate>] [model=<model>] [accel=<accel>] [mtu=<mtu>]",
        "Create a new virtual network device", needs=1, modifies=True, dry_run=True,
    ),
    Command(
        "network-list", "network:network_list", "<Domain(s)>", "List virtual network interfaces for a domain", needs=1
    ),
    Command(
        "network-detach", "network:network_detach", "<Domain> <DevId|mac>",
        "Destroy a domain's virtual network device", needs=2, modifies=True,
    ),
    Command(
        "block-attach", "block:block_attach", "<Domain> <disk-spec-component(s)>...",
        "Create a new virtual block device", needs=2, modifies=True, dry_run=True,
    ),
    Command("block-list", "block:block_list", "<Domain(s)>", "List virtual block devices for a domain", needs=1),
    Command(
        "block-detach", "block:block_detach", "[option] <Domain> <DevId>", "Destroy a domain's virtual block device",
        flag("-f --force", "Don't wait for the domain to release the device."),
        needs=2, modifies=True, loses=True,
    ),
)  # fmt: skip
