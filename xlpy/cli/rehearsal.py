"""Plans: a command is carried out on hosts that only note what it would change (``--plan``, and ``-N`` in xlpy's own way)."""

from __future__ import annotations

import io
import sys

from xlpy.client.rehearsal import Rehearsal, RehearsalOver
from xlpy.errors import DomainExists
from xlpy.render.changes import change_words
from xlpy.render.plan import Step, plan_kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TextIO

    from xlpy.cli.command import Command, Handler
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.client.host import Host
    from xlpy.model.domain import DomainInfo
    from xlpy.model.domain_config import DomainConfig

_BEGINNING = ("create_domain", "restore_domain")  # a new domain: its name must be free


class Plan:
    """The steps that a command would take, in order."""

    def __init__(self, command: Command) -> None:
        self.steps: list[Step] = []
        self.loses: str | None = None
        self._command = command

    def rehearsal(self, label: str) -> Rehearsal:
        """What notes the changes of a host that the user calls ``label``."""

        def note(host: Host, operation: str, arguments: dict[str, Any]) -> None:
            self._note(host, label, operation, arguments)

        return Rehearsal(note)

    def add(self, change: str, host: str | None, domain: DomainInfo | None = None) -> None:
        """Note a change in words."""
        self.steps.append(
            Step(
                host=host,
                name=None if domain is None else domain.name,
                domid=None if domain is None else domain.domid,
                action=self._command.name,
                memory_kib=None if domain is None else domain.current_memory_kib,
                change=change,
                loses=self.loses,
            )
        )

    def _note(self, host: Host, label: str, operation: str, arguments: dict[str, Any]) -> None:
        """Note an operation. Raises what the host would say at once: DomainNotFound, DomainExists."""
        domid = arguments.get("domid")
        domain = None if domid is None else host.domain_info(domid)
        if operation in _BEGINNING:
            config = arguments["config"] if "config" in arguments else arguments["saved"].config
            _require_free(host, config)
        named = {**arguments, "domain": domain and (domain.name or f"domain {domid}")}
        if "poolid" in arguments:
            named["pool"] = next(
                (pool.name for pool in host.list_cpupools() if pool.poolid == arguments["poolid"]), "?"
            )
        self.add(change_words(operation, named), label, domain)


def rehearse(
    session: Session,
    command: Command,
    args: Arguments,
    carry_out: Callable[[Session, Command, Arguments], int],
) -> int:
    """Carry the command out without changing anything, and show what it would have changed.

    What a command that turns out to change nothing shows is shown as always.
    """
    plan = session.plan = Plan(command)
    held = sys.stdout = _Held(sys.stdout)
    status = 0
    try:
        status = carry_out(session, command, args)
    except RehearsalOver:
        pass
    finally:
        sys.stdout = held.real
    if not plan.steps:
        held.release()
        if session.options.plan:
            session.say("nothing would be changed")
        return status
    session.show(plan_kind(), plan.steps)
    return status


def until_over(handler: Handler) -> Handler:
    """The same, for a thread of its own: the end of what can be rehearsed is the end of it."""

    def rehearsed(session: Session, args: Arguments) -> int | None:
        try:
            return handler(session, args)
        except RehearsalOver:
            return 0

    return rehearsed


def _require_free(host: Host, config: DomainConfig) -> None:
    name = config.c_info.name
    for domain in host.list_domains():
        if domain.name == name:
            raise DomainExists(
                f"a domain named {name!r} exists already (domain {domain.domid})",
                "choose another name, or destroy that one first",
            )


class _Held(io.TextIOWrapper):
    """Standard output that is kept back, though it looks as the real one does."""

    def __init__(self, real: TextIO) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", errors="surrogateescape", write_through=True)
        self.real = real

    def isatty(self) -> bool:
        return self.real.isatty()

    def release(self) -> None:
        """Let out what has been kept back."""
        self.seek(0)
        self.real.write(self.read())
        self.real.flush()
