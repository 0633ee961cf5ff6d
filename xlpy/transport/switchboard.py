"""Switchboard: whoever asks for a host is put through, over the one connection that there is to it.

The broker has one for all commands of a user; a command that does without the broker has one for itself.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict

from xlpy.errors import ConnectError, ProtocolError, XlError
from xlpy.inventory.choose import choose
from xlpy.transport.host_line import HostLine, as_xl_error, failure_line, refuse
from xlpy.transport.inquiry import Inquiry
from xlpy.transport.ssh_settings import Client

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from xlpy.inventory.entry import HostEntry, Inventory
    from xlpy.transport.broker_message import LineStatus, Wish
    from xlpy.transport.ssh_failures import HostKeyQuestion
    from xlpy.transport.ssh_settings import SshSettings

_REASONS_KEPT = 1000


class Switchboard:
    """The lines to all hosts. From several threads at a time."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._lines: dict[str, HostLine] = {}
        self._retired: set[HostLine] = set()
        self._clients: dict[tuple[str, str | None], Client] = {}
        self._inventories: dict[str | None, tuple[tuple[int, ...], Inventory]] = {}
        self._reasons: OrderedDict[str, XlError] = OrderedDict()

    def resolve(self, wish: Wish) -> list[HostEntry]:
        """The hosts that names mean. Raises UsageError, ConfigError."""
        return choose(self._inventory(wish.inventory, wish.named), wish.names)

    def put_through(self, asker: socket.socket, wish: Wish) -> None:
        """Connect who asks, at the other end of this socket, with the host of the wish; it is told if that fails.

        Returns at once. The socket is the switchboard's from here on.
        """
        if wish.entry is None:
            refuse(asker, ProtocolError("the broker was asked for a host without its name"))
            return
        client = self._client(wish)
        _without_waiting(self._put_through, wish.entry, client, asker, wish.accept)

    def _put_through(
        self, entry: HostEntry, client: Client, asker: socket.socket, accept: str | None
    ) -> None:
        try:
            settings = client.settings(entry)
            while not self._line(entry, settings, client, accept).attach(asker):
                pass  # it has just ended; there is a new one now
        except Exception as error:  # noqa: BLE001 -- the edge of a thread: who waits has to hear of it
            refuse(asker, as_xl_error(error, entry.name))

    def ask(self, asker: socket.socket, wish: Wish) -> None:
        """Ask the hosts that the wish names what it wants to know, which changes nothing; the answers go to ``asker``.

        Returns at once. The socket is the switchboard's from here on.
        """
        inquiry = Inquiry(asker, wish.request.encode("ascii", "replace") + b"\n", len(wish.names))
        try:
            entries = {entry.name: entry for entry in self.resolve(wish)}
        except XlError:  # the usual way will say so
            entries = {}
        client = self._client(wish)
        for number, name in enumerate(wish.names):
            entry = entries.get(name)
            if entry is None or not entry.is_far:
                inquiry.answer(number, None)
            else:
                _without_waiting(self._ask, entry, client, inquiry, number)

    def _ask(self, entry: HostEntry, client: Client, inquiry: Inquiry, number: int) -> None:
        try:
            settings = client.settings(entry)
            while not self._line(entry, settings, client, None).ask(inquiry.question(number)):
                pass  # as above
        except Exception as error:  # noqa: BLE001 -- the edge of a thread: who waits has to hear of it
            inquiry.answer(number, failure_line(as_xl_error(error, entry.name)))

    def why_ended(self, name: str) -> XlError | None:
        """Why the connection to this host broke, the last time it did."""
        line = self._lines.get(name)
        return (line.reason if line is not None else None) or self._reasons.get(name)

    @property
    def clients(self) -> int:
        """How many are connected with hosts, or about to be."""
        return sum(line.clients for line in self._all_lines())

    def status(self) -> tuple[LineStatus, ...]:
        """All lines, by name."""
        return tuple(sorted((line.status() for line in self._all_lines()), key=lambda status: status.name))

    def tidy(self) -> None:
        """Close lines that nobody uses and nobody will."""
        for line in list(self._retired):
            line.close_if_idle()

    def close(self) -> None:
        """Hang up on everybody."""
        for line in self._all_lines():
            line.close()

    def _all_lines(self) -> list[HostLine]:
        with self._changing:
            return [*self._lines.values(), *self._retired]

    def _line(self, entry: HostEntry, settings: SshSettings, client: Client, accept: str | None) -> HostLine:
        """The line to this host; a new one if there is none, or if the host is to be reached in another way now."""

        def accepts(question: HostKeyQuestion) -> bool:
            return question.key.fingerprint == accept

        with self._changing:
            line = self._lines.get(entry.name)
            if line is not None and line.usable:
                if (line.entry, line.settings) == (entry, settings):
                    return line
                line.retire()
                self._retired.add(line)
            line = HostLine(entry, settings, accepts if accept else None, self._line_ended)
            self._lines[entry.name] = line
        line.start(client)
        return line

    def _line_ended(self, line: HostLine) -> None:
        with self._changing:
            self._retired.discard(line)
            if self._lines.get(line.entry.name) is line:
                del self._lines[line.entry.name]
            self._reasons[line.entry.name] = line.reason or ConnectError("the connection was closed")
            self._reasons.move_to_end(line.entry.name)
            if len(self._reasons) > _REASONS_KEPT:
                self._reasons.popitem(last=False)

    def _client(self, wish: Wish) -> Client:
        key = (wish.home, wish.agent_socket)
        with self._changing:
            client = self._clients.get(key)
            if client is None or not client.is_current():
                client = self._clients[key] = Client(wish.home or None, wish.agent_socket)
            return client

    def _inventory(self, path: str, named: bool) -> Inventory:
        """The inventory, read again when the file has changed."""
        from xlpy.inventory.file import read_inventory

        try:
            found = os.stat(path)
            stamp: tuple[int, ...] = (found.st_mtime_ns, found.st_size, found.st_ino)
        except OSError:
            stamp = ()
        known = self._inventories.get(path)
        if known is None or known[0] != stamp:
            known = self._inventories[path] = (stamp, read_inventory(path, required=named))
        return known[1]


def _without_waiting(work: Callable[..., None], entry: HostEntry, client: Client, *arguments: object) -> None:
    """Do ``work`` for this host now, or in a thread: a command of the user's ssh config may take its time."""
    if client.has_decided(entry):
        work(entry, client, *arguments)
    else:
        threading.Thread(target=work, args=(entry, client, *arguments), daemon=True).start()
