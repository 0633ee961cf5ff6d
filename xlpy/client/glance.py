"""A look at hosts that starts nothing on this machine and asks the user nothing: for what TAB offers."""

from __future__ import annotations

import os

from xlpy.client.host import Host, connect_entry
from xlpy.protocol.places import default_socket
from xlpy.transport.unix import connect_unix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def running_hosts(names: Sequence[str]) -> list[Host]:
    """The hosts of these names, without any this machine, whose xlpyd isn't started if it doesn't run.

    Raises UsageError, ConfigError for the names; what keeps a host from answering comes when it is asked.
    """
    from xlpy.client.resolve import resolve

    entries = resolve(names or ("local",))
    return [
        Host(lambda: connect_unix(own_socket()), "local") if entry.is_local else connect_entry(entry)
        for entry in entries
    ]


def own_socket() -> str:
    """The socket of this user's xlpyd."""
    return default_socket(os.getuid(), os.environ)
