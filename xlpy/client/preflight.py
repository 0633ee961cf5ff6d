"""A look at both hosts before a migration: everything that would make it fail, at once, and before anything is changed."""

from __future__ import annotations

from xlpy.errors import ERRORS_BY_CODE, InvalidState, UsageError
from xlpy.model.migration import Finding
from xlpy.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlpy.client.host import Host
    from xlpy.errors import XlError
    from xlpy.model.domain_config import DomainConfig
    from xlpy.model.migration import SavedDomain


class HostFinding(Record):
    """A finding, and the host it was found on."""

    host: str
    finding: Finding


def look(
    source: Host,
    target: Host,
    domid: int,
    *,
    config: DomainConfig | None = None,
    copy_disks: bool = False,
) -> tuple[HostFinding, ...]:
    """What both hosts have to say about moving this domain. ``config`` goes along instead of its own.

    Raises ConnectError and its like for a host that doesn't answer, DomainNotFound.
    """
    require_two_hosts(source, target)
    if source.hello.engine != target.hello.engine:
        return (HostFinding(host=target.address, finding=_other_engine(source, target)),)
    outgoing = source.check_outgoing(domid, copy_disks)
    found = [HostFinding(host=source.address, finding=finding) for finding in outgoing]
    saved = describe(source, domid, config).replace(consoles=())
    incoming = target.check_incoming(saved, copy_disks)
    found += [HostFinding(host=target.address, finding=finding) for finding in incoming]
    return tuple(found)


def _other_engine(source: Host, target: Host) -> Finding:
    return Finding(
        severity="error",
        code="not-supported",
        text=f"this host runs domains with {target.hello.engine}, the source with {source.hello.engine}",
        hint="a guest moves between hosts of one kind; shut it down, and create it there from its configuration",
    )


def require_two_hosts(source: Host, target: Host) -> None:
    """Raises UsageError where both are one."""
    if source.hello.instance == target.hello.instance:
        raise UsageError("source and target of the migration are the same host", "name another host")


def describe(
    source: Host, domid: int, config: DomainConfig | None, config_text: str | None = None
) -> SavedDomain:
    """What goes ahead of the domain's state, with this configuration (and its text) in place of its own."""
    saved = source.describe_domain(domid)
    if config is None:
        return saved
    return saved.replace(config=config, config_text=config_text or saved.config_text)


def refusal(found: Sequence[HostFinding], where: str) -> XlError | None:
    """The error that these findings amount to, None if they are warnings only. ``where`` says where the domain stays.

    A lone one is the error that it would have ended in; several are listed in the detail.
    """
    errors = [item for item in found if item.finding.severity == "error"]
    if not errors:
        return None
    if len(errors) == 1:
        host, finding = errors[0].host, errors[0].finding
        kind = ERRORS_BY_CODE.get(finding.code, InvalidState)
        return kind(f"the migration cannot work, {where}: at {host}: {finding.text}", finding.hint)
    lines = []
    for item in errors:
        hint = f" ({item.finding.hint})" if item.finding.hint else ""
        lines.append(f"{item.host}: {item.finding.text}{hint}")
    return InvalidState(
        f"the migration cannot work for {len(errors)} reasons, {where}",
        "'xlpy migrate --check' shows them as a table",
        detail="\n".join(lines),
    )
