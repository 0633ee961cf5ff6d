"""HostEntry: what is known of one host before anybody has talked to it."""

from __future__ import annotations

from xlpy.model.record import Record

LOCAL = "local"
UNIX = "unix://"
CONNECT_TIMEOUT_S = 10.0
ANSWER_TIMEOUT_S = 30.0


class HostEntry(Record):
    """One host, as the inventory or the user names it. What is None is for ``~/.ssh/config`` to say, or usual.

    ``address`` is a host name or IP address to reach by SSH, ``unix:///path`` for an xlpyd's socket on this machine,
    or ``local``. ``python``, ``socket`` and ``state_dir`` are those on the host; the other files are here. ``via`` are those
    of the hosts in ``proxy_jump`` that the inventory knows, too.
    """

    name: str
    address: str
    user: str | None = None
    port: int | None = None
    identity_file: str | None = None
    known_hosts_file: str | None = None
    proxy_jump: str | None = None
    groups: tuple[str, ...] = ()
    labels: dict[str, str] = {}  # noqa: RUF012
    python: str = "python3"
    sudo: bool = False
    socket: str | None = None
    state_dir: str | None = None
    connect_timeout_s: float | None = None
    answer_timeout_s: float | None = None
    via: tuple[HostEntry, ...] = ()

    @property
    def ssh_jump(self) -> str | None:
        """``proxy_jump`` for an ssh(1), which doesn't know the inventory."""
        if self.proxy_jump is None or not self.via:
            return self.proxy_jump
        known = {entry.name: entry.destination for entry in self.via}
        return ",".join(known.get(hop.strip(), hop.strip()) for hop in self.proxy_jump.split(","))

    @property
    def destination(self) -> str:
        """``[USER@]HOST[:PORT]``."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        user = f"{self.user}@" if self.user is not None else ""
        return f"{user}{host}:{self.port}" if self.port is not None else user + host

    @property
    def limit_s(self) -> float:
        """How long it may take for a question, from connecting to the end of its answer."""
        return (self.connect_timeout_s or CONNECT_TIMEOUT_S) + (self.answer_timeout_s or ANSWER_TIMEOUT_S)

    @property
    def is_local(self) -> bool:
        """Whether this is the calling user's own xlpyd, the one that is started by itself."""
        return self.address == LOCAL

    @property
    def is_far(self) -> bool:
        """Whether it is behind SSH."""
        return not self.is_local and self.unix_path is None

    @property
    def unix_path(self) -> str | None:
        """The socket on this machine where its xlpyd listens; None for a host behind SSH."""
        return self.address[len(UNIX) :] if self.address.startswith(UNIX) else None


class Inventory(Record):
    """All hosts in the order of their file, and the members of each group in that same order.

    ``base`` is what every host has that isn't told otherwise, also one that the file doesn't know.
    """

    path: str
    hosts: tuple[HostEntry, ...] = ()
    groups: dict[str, tuple[str, ...]] = {}  # noqa: RUF012
    base: HostEntry = HostEntry(name="", address="")

    def find(self, name: str) -> HostEntry | None:
        """The host of this name."""
        for entry in self.hosts:
            if entry.name == name:
                return entry
        return None
