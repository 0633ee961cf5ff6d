"""Memory that domains share or have claimed: ``xl sharing`` and ``xl claims``."""

from __future__ import annotations

from xlpy.render.domain import domain_kind
from xlpy.render.kind import Column, Kind, plain_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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


def claims_kind() -> Kind:
    """Rows are DomainInfo: those of ``xl list``, and what each has claimed beyond what it has."""
    listed = domain_kind()
    assert listed.plain is not None
    list_lines = listed.plain

    def plain(rows: Sequence[DomainInfo], headers: bool) -> Iterator[str]:
        header, *lines = list_lines(rows, True)
        if headers:
            yield f"{header}  Claimed"
        for row, line in zip(rows, lines, strict=True):
            yield f"{line} {row.outstanding_memory_kib // 1024:5d}"

    claimed = Column(
        "outstanding_memory_kib",
        "Claimed(MiB)",
        lambda row: row.outstanding_memory_kib,
        text=lambda row: str(row.outstanding_memory_kib // 1024),
        right=True,
    )
    return Kind("claims", (*listed.columns, claimed), plain)


def _memory_kib(domain: DomainInfo) -> int:
    return domain.current_memory_kib + domain.outstanding_memory_kib


def _plain(domain: DomainInfo) -> str:
    return (
        f"{domain.name or '(null)':<40} {domain.domid:5d} {_memory_kib(domain) // 1024:5d}  "
        f"{domain.shared_memory_kib // 1024:5d}"
    )
