"""Managed domains: ``xlpy autostart`` and ``xlpy config log``."""

from __future__ import annotations

import time

from xlpy.render.kind import Column, Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.model.definition import DefinedDomain, DefinitionVersion


def definition_kind() -> Kind:
    """Rows are DefinedDomain."""
    return Kind(
        "definition",
        (
            Column("name", "Name", lambda row: row.name, style=lambda row: "bold"),
            Column("uuid", "UUID", lambda row: row.uuid, shown=False),
            Column("version", "Version", lambda row: row.version, right=True),
            Column("changed_s", "Changed", lambda row: row.changed_s, text=_changed),
            Column("type", "Type", lambda row: row.domain_type.value, shown=False),
            Column("max_memory_kib", "Mem", lambda row: row.max_memory_kib, text=_mib, right=True),
            Column("max_vcpus", "VCPUs", lambda row: row.max_vcpus, right=True),
            Column("autostart_order", "Autostart", lambda row: row.autostart_order, right=True),
            Column("autostart_delay_s", "Delay(s)", lambda row: row.autostart_delay_s, right=True),
        ),
    )


def version_kind() -> Kind:
    """Rows are DefinitionVersion."""
    return Kind(
        "definition-version",
        (
            Column("version", "Version", lambda row: row.version, right=True),
            Column("changed_s", "Changed", lambda row: row.changed_s, text=_changed),
            Column("who", "By", lambda row: row.who),
            Column("text_bytes", "Bytes", lambda row: row.text_bytes, right=True),
        ),
    )


def _changed(row: DefinedDomain | DefinitionVersion) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row.changed_s))


def _mib(row: DefinedDomain) -> str:
    return str(row.max_memory_kib // 1024)
