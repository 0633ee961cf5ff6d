"""Taking a domain's disks along: a stream from host to host for each of them."""

from __future__ import annotations

import socket

from xlpy.model.migration import copied_disks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.client.host import Host
    from xlpy.model.migration import MigrationLimits, SavedDomain


def begin_copies(
    source: Host,
    target: Host,
    domid: int,
    saved: SavedDomain,
    supervised: bool,
    limits: MigrationLimits | None,
) -> None:
    """Have the target make the disks, and the source write to them. Both give it up when this client is lost."""
    domid_there = target.prepare_incoming(saved, supervised)
    bandwidth = None if limits is None else limits.bandwidth_bytes_per_s
    for disk in copied_disks(saved.config):
        reading, writing = socket.socketpair()
        try:
            target.serve_disk(domid_there, disk.vdev, reading.detach())
            source.copy_disk(domid, disk.vdev, writing.detach(), bandwidth)
        finally:
            reading.close()
            writing.close()
