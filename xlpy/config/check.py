"""What is wrong with a config file, all of it: what ``xlpy config check`` reports."""

from __future__ import annotations

from xlpy.config.diagnostic import SettingError
from xlpy.config.domain import check_domain_config, open_source
from xlpy.config.draft import HostFacts
from xlpy.config.settings import Settings
from xlpy.errors import ConfigError
from xlpy.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from xlpy.config.diagnostic import Diagnostic

_NODES = 64
_CPUS = 512  # more than Xen is usually built for
LARGE_HOST = HostFacts(
    nr_cpus=_CPUS,
    max_cpu_id=_CPUS - 1,
    nr_nodes=_NODES,
    node_of_cpu=tuple([cpu % _NODES for cpu in range(_CPUS)]),
)
"""A host larger than those there are, for a file that no particular host shall run."""

TOLERATED = frozenset(("deprecated",))
"""Warnings that stay warnings when strict: the setting has its effect."""


class Finding(Record):
    """One thing that is wrong. ``line`` and ``column`` are None for what concerns the whole file."""

    severity: str  # error warning
    code: str
    file: str
    line: int | None = None
    column: int | None = None
    message: str
    hint: str | None = None
    detail: str | None = None

    @property
    def where(self) -> str:
        """``file:line:column``, as far as it is known."""
        if self.line is None:
            return self.file
        return f"{self.file}:{self.line}:{self.column}"


def check_text(
    text: str | bytes,
    name: str,
    overrides: tuple[str, ...] = (),
    *,
    host: HostFacts = LARGE_HOST,
    variables: Mapping[str, str] | None = None,
    read_file: Callable[[str], bytes] | None = None,
    strict: bool = False,
) -> tuple[Finding, ...]:
    """All warnings and errors of a config text, in the order of the file.

    Where xl would stop at the first error this goes on. With ``strict`` a warning about something that has no
    effect is an error.
    """
    try:
        source = open_source(text, name, overrides, variables, read_file)
        settings = Settings(source)
    except ConfigError as error:
        parts = error.parts if isinstance(error, SettingError) else ()
        return tuple([_of_error(part, name) for part in parts or (error,)])
    diagnostics, errors = check_domain_config(settings, host)
    found = [_of_error(error, name) for error in errors]
    found += [_of_warning(diagnostic, strict) for diagnostic in diagnostics]
    return tuple(sorted(found, key=lambda finding: (finding.line or 0, finding.column or 0)))


def _of_error(error: ConfigError, name: str) -> Finding:
    code = error.finding if isinstance(error, SettingError) else "unreadable"
    return _finding("error", code, error.where or name, error)


def _of_warning(diagnostic: Diagnostic, strict: bool) -> Finding:
    severity = "error" if strict and diagnostic.code not in TOLERATED else "warning"
    return _finding(severity, diagnostic.code, diagnostic.where, diagnostic)


def _finding(severity: str, code: str, where: str, about: ConfigError | Diagnostic) -> Finding:
    file, line, column = where, None, None
    parts = where.rsplit(":", 2)
    if len(parts) == 3 and parts[1].isdigit() and parts[2].isdigit():
        file, line, column = parts[0], int(parts[1]), int(parts[2])
    return Finding(
        severity=severity,
        code=code,
        file=file,
        line=line,
        column=column,
        message=about.message,
        hint=about.hint,
        detail=about.detail,
    )
