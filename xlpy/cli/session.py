"""Session: what all commands share: the global options, the host, and how to speak to the user."""

from __future__ import annotations

import sys

from xlpy.errors import NotSupported, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from xlpy.cli.options import Arguments
    from xlpy.client.host import Host
    from xlpy.engine.base import Engine
    from xlpy.model.domain import DomainInfo
    from xlpy.render.kind import Kind, Row
    from xlpy.render.output import Wishes
    from xlpy.render.progress import Reporter


class GlobalOptions:
    """The options that every command has."""

    def __init__(self, leading: Arguments | None = None) -> None:
        self.verbose = 0
        self.dry_run = False
        self.progress_cr = False
        self.timestamps = False
        self.hosts: list[str] = []
        self.output: str | None = None
        self.columns: str | None = None
        self.sort: str | None = None
        self.headers = True
        self.quiet = False
        self.debug = False
        if leading is not None:
            self.add(leading, set())

    def add(self, args: Arguments, taken: set[str]) -> None:
        """Read what ``args`` has of them; the names in ``taken`` are the command's own options there."""

        def count(name: str) -> int:
            return 0 if name in taken or not args.knows(name) else args.count(name)

        def value(name: str) -> str | None:
            return args.value(name) if count(name) else None

        self.verbose += count("v")
        self.dry_run = self.dry_run or count("N") > 0
        self.progress_cr = self.progress_cr or count("t") > 0
        self.timestamps = self.timestamps or count("T") > 0
        if count("host"):
            self.hosts += [name for text in args.values("host") for name in text.split(",") if name]
        self.output = value("output") or self.output
        self.columns = value("columns") or self.columns
        self.sort = value("sort") or self.sort
        self.headers = self.headers and not count("no-headers")
        self.quiet = self.quiet or count("quiet") > 0
        self.debug = self.debug or count("debug") > 0


class Session:
    """One run of the command line. ``xl`` says whether it behaves as xl to the letter."""

    def __init__(self, program: str, open_host: Callable[[str | None], Engine] | None = None) -> None:
        self.program = program
        self.xl = program == "xl"
        self.options = GlobalOptions()
        self._open_host = open_host or _connect
        self._host: Host | None = None
        self._others: list[Host] = []

    @property
    def host(self) -> Host:
        """The host to work on, connected when first used. Raises ConnectError."""
        if self._host is None:
            hosts = self.options.hosts
            if len(hosts) > 1:
                raise NotSupported("this release works on one host at a time", "give one --host")
            self._host = self._open(hosts[0] if hosts else None)
        return self._host

    def other_host(self, address: str) -> Host:
        """One more host, the target of a migration, say."""
        host = self._open(address)
        self._others.append(host)
        return host

    def _open(self, address: str | None) -> Host:
        return self._open_host(address)  # type: ignore[return-value]  # tests work with engines alone

    def close(self) -> None:
        """Let the connection go."""
        for host in (self._host, *self._others):
            if host is not None:
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
        return Wishes(self.form, options.columns, options.sort, options.headers)

    def show(self, kind: Kind, rows: Iterable[Row]) -> None:
        """Print rows on stdout in the form that was asked for."""
        from xlpy.render.output import show

        show(kind, rows, self.wishes, sys.stdout)

    def progress(self, what: str) -> Reporter:
        """How to tell the user how far a long operation has come: bar, lines or nothing, on stderr."""
        from xlpy.render.progress import Bar, Lines, Silence

        options = self.options
        on_terminal = sys.stderr.isatty()
        if options.quiet:
            return Silence()
        if options.progress_cr or (self.xl and on_terminal):
            return Lines(what, sys.stderr, rewrite=True)
        if on_terminal:
            return Bar(what, sys.stderr)
        return Lines(what, sys.stderr) if options.verbose else Silence()

    def say(self, text: str) -> None:
        """A message of xl's on stderr, one that xl always prints; -q silences it."""
        if not self.options.quiet:
            self._message(text)

    def note(self, text: str) -> None:
        """A message on stderr for those who asked by -v."""
        if self.options.verbose and not self.options.quiet:
            self._message(text)

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
