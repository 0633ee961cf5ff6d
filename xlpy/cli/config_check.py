"""``xlpy config check``: all that is wrong with configuration files."""

from __future__ import annotations

from xlpy.cli.config_file import read_file, variables_of
from xlpy.config.check import LARGE_HOST, check_text
from xlpy.config.draft import HostFacts
from xlpy.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.config.check import Finding
    from xlpy.render.kind import Kind, Row


def check(session: Session, args: Arguments) -> int:
    """Report every error and warning of every file; 1 if there are any.

    ``cpus=`` and ``vnuma=`` are held against a host only if one is named by ``--host``.
    """
    variables = variables_of(args)
    host = _host_facts(session)
    findings: list[Finding] = []
    for path in args.rest:
        try:
            data = read_file(path)
        except ConfigError as error:
            findings.append(_unreadable(path, error))
            continue
        findings += check_text(
            data,
            path,
            host=host,
            variables=variables,
            read_file=read_file,
            strict=args.flag("strict"),
        )
    if findings or session.structured:
        _show(session, findings)
    return 1 if findings else 0


def _host_facts(session: Session) -> HostFacts:
    if not session.options.hosts:
        return LARGE_HOST
    return HostFacts.of(session.host.host_info(), session.host.cpu_topology())


def _unreadable(path: str, error: ConfigError) -> Finding:
    from xlpy.config.check import Finding

    return Finding(severity="error", code="unreadable", file=path, message=error.message, hint=error.hint)


def _show(session: Session, findings: list[Finding]) -> None:
    """For people as compilers show it, whether on a terminal or not, unless columns are asked for."""
    wishes = session.wishes
    if wishes.form == "table" and session.options.output is None:
        wishes.form = "plain"
    import sys

    from xlpy.render.output import show

    show(finding_kind(), findings, wishes, sys.stdout)


def finding_kind() -> Kind:
    """What is wrong with a config file, one thing a row."""
    from xlpy.render.kind import Column, Kind

    return Kind(
        "config-finding",
        (
            Column("file", "File", lambda row: row.file),
            Column("line", "Line", lambda row: row.line, right=True),
            Column("column", "Col", lambda row: row.column, right=True),
            Column("severity", "Severity", lambda row: row.severity),
            Column("code", "Code", lambda row: row.code),
            Column("message", "Message", lambda row: row.message),
            Column("hint", "Hint", lambda row: row.hint),
            Column("detail", "Detail", lambda row: row.detail, shown=False),
        ),
        _plain,
    )


def _plain(rows: Sequence[Row], headers: bool) -> Iterator[str]:
    """``file:line:column: severity: message [code]``, the line with a caret, the hint."""
    for row in rows:
        yield f"{row.where}: {row.severity}: {row.message} [{row.code}]"
        yield from [f"  {line}" for line in (row.detail or "").splitlines()]
        if row.hint:
            yield f"  ({row.hint})"
