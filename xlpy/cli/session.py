"""Session: what all commands share: the global options, the host, and how to speak to the user."""

from __future__ import annotations

import sys

from xlpy.cli.global_options import GlobalOptions
from xlpy.errors import UsageError, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from xlpy.cli.deadline import Deadline
    from xlpy.cli.rehearsal import Plan
    from xlpy.client.host import Host
    from xlpy.engine.base import Engine
    from xlpy.errors import UnknownHostKey
    from xlpy.inventory.entry import HostEntry
    from xlpy.model.domain import DomainInfo
    from xlpy.model.host import Cpupool
    from xlpy.render.kind import Kind, Row
    from xlpy.render.output import Wishes
    from xlpy.render.progress import Reporter


class Session:
    """One run of the command line. ``xl`` says whether it behaves as xl to the letter."""

    def __init__(self, program: str, open_host: Callable[[str | None], Engine] | None = None) -> None:
        self.program = program
        self.xl = program == "xl"
        self.options = GlobalOptions()
        self._open_host = open_host or _connect
        self._host: Host | None = None
        self._others: list[Host] = []
        self.deadline: Deadline | None = None  # for the host's answer
        self.plan: Plan | None = None  # set: nothing is changed, what would be is noted there
        self._resolved: tuple[tuple[str, ...], list[HostEntry]] | None = None

    @property
    def host_names(self) -> Sequence[str]:
        """The hosts to work on as they were named: by ``-H``, else by XLPY_HOST; none is this machine.

        As xl it is always this machine: a script that runs as xl may be the host's own, at its shutdown, say.
        """
        if self.options.hosts or self.xl:
            return self.options.hosts
        import os

        return [name for name in os.environ.get("XLPY_HOST", "").replace(",", " ").split() if name]

    @property
    def plural(self) -> bool:
        """Whether several hosts were named, or a group, of however many hosts: rows say then whose they are."""
        names = self.host_names
        return len(names) > 1 or any(name == "all" or name.startswith("@") for name in names)

    @property
    def reaches_hosts(self) -> bool:
        """Whether hosts are reached as the inventory says, and not in a way of the caller's own."""
        return self._open_host is _connect

    @property
    def entries(self) -> list[HostEntry]:
        """What is known of the hosts to work on. Raises UsageError, ConfigError."""
        names = tuple(self.host_names or ["local"])
        if self._resolved is None or self._resolved[0] != names:
            self._resolved = (names, self._resolve(names))
        return self._resolved[1]

    def _resolve(self, names: Sequence[str]) -> list[HostEntry]:
        if not self.reaches_hosts:  # whoever opens hosts by name knows what the names mean
            from xlpy.inventory.entry import HostEntry

            return [HostEntry(name=name, address=name) for name in names]
        from xlpy.client.resolve import resolve

        return resolve(names)

    @property
    def host(self) -> Host:
        """The host to work on, connected when first used. Raises ConnectError, UsageError for several hosts."""
        if self._host is None:
            if not self.host_names:
                self._host = self._open(None)
            elif self.plural:
                raise UsageError("this can be done on one host at a time", "name one: -H HOST")
            else:
                self._host = self.open(self.entries[0])
        return self._host

    def work_on(self, host: Host) -> None:
        """Have this host as ``host`` from now on."""
        if self._host is not None and self._host is not host:
            self._others.append(self._host)
        self._host = host

    def open(self, entry: HostEntry) -> Host:
        """A host of its own connection, which the session closes."""
        if self._open_host is _connect:
            from xlpy.client.host import connect_entry

            host = connect_entry(entry, None if self.plural else self._agrees)
        else:
            host = self._open_host(entry.address if entry.is_local or entry.unix_path else entry.name)  # type: ignore[assignment]
        self._others.append(host)
        return self._rehearsed(host, entry.name)

    def _agrees(self, error: UnknownHostKey) -> bool:
        """Ask the user about a new host key."""
        from xlpy.cli.host_key import ask

        return ask(self, error)

    def other_host(self, address: str) -> Host:
        """One more host, the target of a migration, say. Raises UsageError for what isn't one host, ConfigError."""
        if self._open_host is _connect:
            from xlpy.client.resolve import resolve

            entries = resolve([address])
            if len(entries) != 1:
                raise UsageError(f"{address}: these are {len(entries)} hosts", "name one")
            return self.open(entries[0])
        host = self._open(address)
        self._others.append(host)
        return host

    def _open(self, address: str | None) -> Host:
        # tests work with engines alone
        return self._rehearsed(self._open_host(address), address or "local")  # type: ignore[arg-type]

    def _rehearsed(self, host: Host, label: str) -> Host:
        """The host; for a plan it is one on which nothing is changed."""
        host.rehearsal = None if self.plan is None else self.plan.rehearsal(label)
        return host

    def rehearses(self, change: str, domain: DomainInfo | None = None, host: str | None = "") -> bool:
        """Whether this is only a plan; then ``change`` is noted as what would be done.

        It is for what is done without the host's operations. ``host`` is by default the one that is worked on, and None
        for what is done to none.
        """
        if self.plan is None:
            return False
        if host == "":
            host = self.host_names[0] if self.host_names else "local"
        self.plan.add(change, host, domain)
        return True

    def close(self) -> None:
        """Let the connection go."""
        for host in {id(host): host for host in (self._host, *self._others) if host is not None}.values():
            host.close()
        self._host = None
        self._others = []

    def domid(self, reference: str) -> int:
        """The domid of a name, uuid or domid; that a domid exists is not checked, as in xl. Raises DomainNotFound."""
        if reference.isascii() and reference.isdigit():
            return int(reference)
        return self.host.find_domain(reference).domid

    def domain(self, reference: str) -> DomainInfo:
        """The domain of a name, uuid or domid. Raises DomainNotFound."""
        return self.host.find_domain(reference)

    def cpupool(self, reference: str) -> Cpupool:
        """The cpupool of this name or number (libxl_cpupool_qualifier_to_cpupoolid). Raises XlError."""
        pools = self.host.list_cpupools()
        for pool in pools:
            if reference in (pool.name, str(pool.poolid)):
                return pool
        raise XlError(f"unknown cpupool '{reference}'", f"cpupools: {', '.join(pool.name for pool in pools)}")

    @property
    def form(self) -> str:
        """The form of output: what was asked for, else a table on a terminal and xl's plain text elsewhere."""
        from xlpy.render.output import FORMS

        if self.options.output is not None:
            if self.options.output not in FORMS:
                raise UsageError(
                    f"there is no output format {self.options.output!r}", f"formats: {', '.join(FORMS)}"
                )
            return self.options.output
        return "table" if not self.xl and sys.stdout.isatty() else "plain"

    @property
    def structured(self) -> bool:
        """Whether the output is for a program to read (json, yaml, csv)."""
        return self.form in ("json", "yaml", "csv")

    @property
    def wishes(self) -> Wishes:
        """How rows shall be shown."""
        from xlpy.render.output import Wishes

        options = self.options
        return Wishes(self.form, options.columns, options.sort, options.headers, options.filter)

    def show(self, kind: Kind, rows: Iterable[Row]) -> None:
        """Print rows on stdout in the form that was asked for."""
        from xlpy.render.output import show

        self._answered()
        show(kind, rows, self.wishes, sys.stdout)

    def _answered(self) -> None:
        """The host has answered all; whoever reads the output may take his time."""
        if self.deadline is not None:
            self.deadline.cancel()

    def show_documents(self, schema: str, rows: Sequence[dict[str, object]], text: str) -> None:
        """Print what fits in no table: ``text``, or the rows in the form that was asked for."""
        self._answered()
        if not self.structured:
            sys.stdout.write(text)
            return
        from xlpy.render.document import write_value

        write_value({"schema": schema, "rows": list(rows)}, self.form, sys.stdout)

    def show_text(self, kind: Kind, row: Row, text: str) -> None:
        """Print a text as it is, or the row that has it in the form that was asked for."""
        if self.structured or self.options.columns:
            self.show(kind, [row])
            return
        self._answered()
        sys.stdout.write(text)

    def progress(self, what: str) -> Reporter:
        """How to tell the user how far a long operation has come: bar, lines or nothing, on stderr."""
        from xlpy.render.progress import Bar, Lines, Silence

        options = self.options
        on_terminal = sys.stderr.isatty()
        if options.quiet or self.plan is not None:
            return Silence()
        if options.progress_cr or (self.xl and on_terminal):
            return Lines(what, sys.stderr, rewrite=True)
        if on_terminal:
            return Bar(what, sys.stderr)
        return Lines(what, sys.stderr) if options.verbose else Silence()

    def say(self, text: str) -> None:
        """A message of xl's on stderr, one that xl always prints; -q silences it."""
        if not (self.options.quiet or self._planned):
            self._message(text)

    def note(self, text: str) -> None:
        """A message on stderr for those who asked by -v."""
        if self.options.verbose and not (self.options.quiet or self._planned):
            self._message(text)

    @property
    def _planned(self) -> bool:
        """Whether something was only planned: then what is said of it isn't true."""
        return self.plan is not None and bool(self.plan.steps)

    def warn(self, text: str) -> None:
        """A message on stderr that -q doesn't silence."""
        self._message(text)

    def _message(self, text: str) -> None:
        if self.options.timestamps:
            import os
            import time

            text = f"{time.strftime('%Y-%m-%d %H:%M:%S %Z')} [{os.getpid()}] {text}"
        sys.stdout.flush()
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def _connect(address: str | None) -> Engine:
    """The host at this address through the client."""
    from xlpy.client.host import connect

    return connect(address)
