"""From what the user calls a host to a channel to its xlpyd."""

from __future__ import annotations

import os

from xlpy.errors import NotSupported, UsageError
from xlpy.protocol.places import default_socket
from xlpy.transport.unix import NobodyListens, connect_unix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.transport.unix import UnixChannel


def open_channel(address: str | None) -> UnixChannel:
    """A channel to the host of this address; None and ``local`` are this machine, where xlpyd is started if need be.

    Raises ConnectError, PermissionRefused; UsageError for what is no address; NotSupported for a way there that this
    release doesn't have.
    """
    if address in (None, "", "local"):
        return _open_local()
    assert address is not None
    if address.startswith("/"):
        return _open_unix(address)
    if address.startswith("unix://"):
        path = address[len("unix://") :]
        if not path.startswith("/"):
            raise UsageError(
                f"{address}: the path of a socket begins with a slash", "e.g. unix:///run/xlpy/xlpy.sock"
            )
        return _open_unix(path)
    if address.startswith("ssh://") or "://" not in address:
        raise NotSupported(
            f"{address}: this release cannot reach hosts over SSH yet",
            "unix:///path/to/xlpy.sock names another xlpyd on this machine",
        )
    raise UsageError(
        f"{address}: no such kind of address", "unix:///path/to/xlpy.sock, or nothing for this machine"
    )


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
