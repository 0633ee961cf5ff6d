"""From what the user calls a host to a channel to its xlpyd."""

from __future__ import annotations

import os

from xlpy.errors import UsageError
from xlpy.inventory.entry import LOCAL
from xlpy.protocol.places import default_socket
from xlpy.transport.unix import NobodyListens, connect_unix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.inventory.entry import HostEntry
    from xlpy.transport.unix import UnixChannel


def open_channel(address: str | None) -> UnixChannel:
    """A channel to the host of this address or name; None and ``local`` are this machine, where xlpyd is started if need be.

    Raises ConnectError, PermissionRefused; UsageError for what is no address; ConfigError for the inventory.
    """
    if address in (None, "", LOCAL):
        return _open_local()
    assert address is not None
    from xlpy.client.resolve import resolve

    entries = resolve([address])
    if len(entries) != 1:
        raise UsageError(f"{address}: these are {len(entries)} hosts", "name one")
    return open_entry(entries[0])


def open_entry(entry: HostEntry, accept: str | None = None) -> UnixChannel:
    """A channel to a host of the inventory, or one that was named otherwise.

    For a host behind SSH it returns at once, and what keeps it from working comes as a Failure; ``accept`` is the
    fingerprint of its host key when the user agrees to a new one. Raises ConnectError, PermissionRefused.
    """
    if entry.is_local:
        return _open_local()
    path = entry.unix_path
    if path is not None:
        return _open_unix(path)
    from xlpy.client.broker import open_host

    return open_host(entry, accept)


def _open_unix(path: str) -> UnixChannel:
    try:
        return connect_unix(path)
    except NobodyListens as error:
        error.hint = f"start one there with 'xlpyd --socket {path}'"
        raise


def _open_local() -> UnixChannel:
    path = default_socket(os.getuid(), os.environ)
    try:
        return connect_unix(path)
    except NobodyListens:
        from xlpy.client.autostart import start_xlpyd

        start_xlpyd(path)
        return connect_unix(path)
