"""How the source's host reaches the target's by itself (``migrate --direct``), as far as that can be known from here."""

from __future__ import annotations

import re
import shlex

from xlpy.errors import UsageError
from xlpy.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.inventory.entry import HostEntry

_DESTINATION = re.compile(
    r"(?:(?P<user>[^@\s]+)@)?(?P<host>\[[0-9A-Fa-f:.%\w]+\]|[^-@:\s\[][^@:\s]*)(?::(?P<port>\d+))?\Z"
)
# the host's own ssh config and keys say the rest; nobody is there to answer questions
_SSH = ("ssh", "-T", "-x", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=15")


class DirectWay(Record):
    """A remote shell for the source's host: ``command`` takes one more word, which runs at the target.

    ``python`` is the interpreter there.
    """

    command: tuple[str, ...]
    python: str = "python3"


def way_to(entry: HostEntry, address: str | None = None, program: str | None = None) -> DirectWay:
    """The way to this host: by ssh, or by another program in its place, whose words are split as a shell would.

    ``address`` is ``[USER@]HOST[:PORT]``, how the source's host has to call the target; without it that is what this
    machine's ssh would connect to. Raises UsageError, ConfigError.
    """
    user, host, port = _split(address) if address is not None else _known(entry)
    destination = f"{user}@{host}" if user else host
    if program is not None:
        words = _words(program)
        return DirectWay(command=(*words, destination), python=entry.python)
    ports = ("-p", str(port)) if port is not None else ()
    return DirectWay(command=(*_SSH, *ports, "--", destination), python=entry.python)


def ssh_words(entry: HostEntry) -> tuple[str, ...]:
    """The ssh of this machine with what the inventory says of a host; ~/.ssh/config says the rest to ssh itself."""
    destination = f"{entry.user}@{entry.address}" if entry.user else entry.address
    words = ["ssh"]
    for option, value in (
        ("-p", entry.port),
        ("-i", entry.identity_file),
        ("-o", entry.known_hosts_file and f"UserKnownHostsFile={entry.known_hosts_file}"),
        ("-o", entry.connect_timeout_s and f"ConnectTimeout={max(1, round(entry.connect_timeout_s))}"),
        ("-J", entry.ssh_jump),
    ):
        if value:
            words += [option, str(value)]
    return (*words, "--", destination)


def way_by(command: str, entry: HostEntry) -> DirectWay:
    """The way that this command is, with destination and all (``xl migrate -s ''``). Raises UsageError."""
    return DirectWay(command=_words(command), python=entry.python)


def _words(command: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise UsageError(f"{command!r} is no command: {error}") from error
    if not words:
        raise UsageError("the command that reaches the other host is empty")
    return words


def _split(address: str) -> tuple[str | None, str, int | None]:
    found = _DESTINATION.match(address)
    if found is None:
        raise UsageError(f"{address!r} is no address", "[USER@]HOST[:PORT], an IPv6 address in brackets")
    port = found["port"]
    return found["user"], found["host"].strip("[]"), int(port) if port else None


def _known(entry: HostEntry) -> tuple[str | None, str, int | None]:
    """What this machine's ssh would connect to, by the inventory and ~/.ssh/config."""
    if entry.is_local or entry.unix_path is not None:
        raise UsageError(
            f"{entry.name or entry.address} has no address that another host could use",
            "say how the source's host reaches it: --direct-address [USER@]HOST[:PORT]",
        )
    from xlpy.transport.ssh_settings import Client

    settings = Client.calling().settings(entry)
    return settings.user or None, settings.host, None if settings.port == 22 else settings.port
