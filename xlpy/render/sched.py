"""The scheduler's parameters: ``xl sched-credit`` and ``xl sched-credit2``."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.model.domain import SchedParams
    from xlpy.model.host import Cpupool

PLAIN_HEADER = f"{'Name':<33} {'ID':>4} {'Weight':>6} {'Cap':>4}\n"


def plain_pool(pool: Cpupool) -> str:
    """The line above a pool's domains."""
    return f"Cpupool {pool.name}: ratelimit={pool.ratelimit_us}us\n"


def plain_row(name: str | None, domid: int, params: SchedParams) -> str:
    """Weight and cap of one domain."""
    return f"{name or '(null)':<33} {domid:4d} {params.weight:6d} {params.cap:4d}\n"
