"""Memory that domains share: ``xl sharing``."""

from __future__ import annotations

from xlpy.render.kind import Column, Kind, plain_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.model.domain import DomainInfo


def sharing_kind() -> Kind:
    """Rows are DomainInfo. xl's header is one column out of line with its rows."""
    return Kind(
        "sharing",
        (
            Column("name", "Name", lambda row: row.name, style=lambda row: "bold"),
            Column("domid", "ID", lambda row: row.domid, right=True),
            Column(
                "memory_kib",
                "Mem(MiB)",
                _memory_kib,
                text=lambda row: str(_memory_kib(row) // 1024),
                right=True,
            ),
            Column(
                "shared_memory_kib",
                "Shared(MiB)",
                lambda row: row.shared_memory_kib,
                text=lambda row: str(row.shared_memory_kib // 1024),
                right=True,
            ),
        ),
        plain_table("Name                                        ID   Mem Shared", _plain),
    )


def _memory_kib(domain: DomainInfo) -> int:
    return domain.current_memory_kib + domain.outstanding_memory_kib


def _plain(domain: DomainInfo) -> str:
    return (
        f"{domain.name or '(null)':<40} {domain.domid:5d} {_memory_kib(domain) // 1024:5d}  "
        f"{domain.shared_memory_kib // 1024:5d}"
    )
