"""The lab's hosts in the inventory, so that -H knows them by name."""

from __future__ import annotations

from xlpy.errors import UsageError
from xlpy.inventory.edit import with_host, without_host
from xlpy.inventory.file import parse_inventory
from xlpy.inventory.rewrite import rewrite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.inventory.edit import Settings
    from xlpy.inventory.entry import HostEntry
    from xlpy.lab.host import LabHost

GROUP = "lab"
_PATIENCE_S = 60  # a host that is a program takes its time


class Roll:
    """The inventory at ``path``, as far as the lab's hosts are concerned: those that ``identity_file`` opens."""

    def __init__(self, path: str, identity_file: str) -> None:
        self._path = path
        self._identity_file = identity_file

    def require_free(self, name: str) -> None:
        """Raises UsageError when somebody else's host has this name, ConfigError for an inventory that is wrong."""

        def look(data: bytes) -> bytes:
            self._require_own(self._find(data, name), name)
            return data

        rewrite(self._path, look)

    def enter(self, host: LabHost) -> None:
        """Write the host down, or anew if it has another port now. Raises ConfigError, UsageError."""
        record = host.record
        settings: Settings = {
            "address": "127.0.0.1",
            "port": record.ssh_port,
            "user": "root",
            "identity_file": self._identity_file,
            "known_hosts_file": host.known_hosts,
            "groups": (GROUP,),
            "labels": {"xen": record.xen},
            "connect_timeout_s": _PATIENCE_S,
            "answer_timeout_s": _PATIENCE_S,
        }

        def change(data: bytes) -> bytes:
            present = self._find(data, host.name)
            self._require_own(present, host.name)
            if present is not None and present.port == record.ssh_port:
                return data
            if present is not None:
                data = without_host(data, self._path, host.name)
            return with_host(data, self._path, host.name, settings)

        rewrite(self._path, change)

    def strike(self, name: str) -> None:
        """Take the host out, if it's the lab's and there. Raises ConfigError."""

        def change(data: bytes) -> bytes:
            present = self._find(data, name)
            if present is None or present.identity_file != self._identity_file:
                return data
            return without_host(data, self._path, name)

        rewrite(self._path, change)

    def _find(self, data: bytes, name: str) -> HostEntry | None:
        return parse_inventory(data, self._path).find(name)

    def _require_own(self, entry: HostEntry | None, name: str) -> None:
        if entry is not None and entry.identity_file != self._identity_file:
            raise UsageError(
                f"{self._path} has a host {name!r} that is none of the lab",
                "choose another name: xlpy lab up NAME",
            )
