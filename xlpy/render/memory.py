"""Memory that domains share or have claimed: ``xl sharing`` and ``xl claims``."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.model.domain import DomainInfo

PLAIN_SHARING_HEADER = "Name                                        ID   Mem Shared\n"


def plain_sharing(domain: DomainInfo) -> str:
    """One line of ``xl sharing``, in MiB; xl's header is one column out of line with it."""
    memory_kib = domain.current_memory_kib + domain.outstanding_memory_kib
    return (
        f"{domain.name or '(null)':<40} {domain.domid:5d} {memory_kib // 1024:5d}  "
        f"{domain.shared_memory_kib // 1024:5d}\n"
    )
