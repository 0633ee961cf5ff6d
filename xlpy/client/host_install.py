"""Installing xlpy's shipped half on a host for good, removing it, restarting xlpyd: errands of an agent sent there for that."""

from __future__ import annotations

from xlpy.errors import ConnectError, Interrupted, InvalidState, ProtocolError, UsageError, XlError
from xlpy.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xlpy.client.host import Host
    from xlpy.inventory.entry import HostEntry

_ERRAND_TIMEOUT_S = 180.0
_NAMES_SHOWN = 5
_AT_REST = ("saved", "sent")  # the next xlpyd goes on with these as this one would


class Installed(Record):
    """What was installed. ``before`` is the version that was there, ``service`` whether systemd runs it."""

    version: str
    program: str
    before: str | None = None
    service: bool = False
    was_running: bool = False


class Removed(Record):
    """What was removed. ``kept`` is where the records of domains that run on are."""

    program: str
    was_there: bool = False
    kept: str | None = None


class Restarted(Record):
    """What was started anew. ``was_running`` says whether one was ended for it, ``installed`` whether it is an installed one."""

    socket: str
    was_running: bool = False
    installed: bool = False


def install(entry: HostEntry) -> Installed:
    """Install, or upgrade; xlpyd is restarted there, and the domains run on. Raises XlError."""
    return Installed(**_run(entry, "install"))


def uninstall(entry: HostEntry, host: Host, force: bool = False) -> Removed:
    """Remove every trace. Raises InvalidState while domains are there, unless it is forced: then they run on, and their
    records move to xlpyd's runtime directory, where the next shipped xlpyd finds them.
    """
    domains = _domains(host, force)
    if domains and not force:
        number = "1 domain" if len(domains) == 1 else f"{len(domains)} domains"
        names = ", ".join(domains[:_NAMES_SHOWN]) + (" …" if domains[_NAMES_SHOWN:] else "")
        raise InvalidState(
            f"xlpyd on {entry.name} has {number}: {names}",
            "migrate or destroy them first; with --force they run on without it",
        )
    return Removed(**_run(entry, "uninstall", keep_records=domains is None or bool(domains)))


def restart(entry: HostEntry, host: Host, force: bool = False) -> Restarted:
    """Have an xlpyd started anew there: of this version, unless one is installed. Raises InvalidState while one moves or
    saves a domain, unless it is forced: then it is taken back.
    """
    busy = [] if force else _busy(host)
    if busy:
        raise InvalidState(
            f"xlpyd on {entry.name} is at work: {', '.join(busy)}",
            "wait for it; with --force it is broken off",
        )
    return Restarted(**_run(entry, "restart"))


def _busy(host: Host) -> list[str]:
    """What is done with domains there; an xlpyd that doesn't answer or speaks another protocol says nothing."""
    try:
        return [
            f"{domain.name or domain.domid} ({domain.activity})"
            for domain in host.list_domains()
            if domain.activity is not None and domain.activity not in _AT_REST
        ]
    except (ConnectError, Interrupted, ProtocolError):
        return []
    finally:
        host.close()


def _domains(host: Host, force: bool) -> list[str] | None:
    """The names of the domains there; None when nobody can say, which only force gets over. Raises XlError."""
    try:
        return [domain.name or str(domain.domid) for domain in host.list_domains() if domain.domid]
    except XlError:
        if not force:
            raise
        return None
    finally:
        host.close()


def _run(entry: HostEntry, errand: str, **arguments: bool) -> dict[str, Any]:
    if entry.is_local or entry.unix_path is not None:
        raise UsageError(
            f"{entry.name} is this machine, where xlpy is installed and started as any other program",
            "with pip or a package; systemd/xlpyd.service is the service for it",
        )
    from xlpy.transport.boot_line import remote_command, run_errand
    from xlpy.transport.ssh import open_link

    link = open_link(entry, remote_command(entry.python, entry.sudo))
    try:
        return run_errand(
            link,
            errand,
            python=entry.python,
            sudo=entry.sudo,
            socket=entry.socket,
            state_dir=entry.state_dir,
            timeout_s=max(_ERRAND_TIMEOUT_S, entry.answer_timeout_s or 0),
            **arguments,
        )
    finally:
        link.close()
