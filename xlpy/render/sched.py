"""Schedulers and their pools of pcpus: ``xl sched-credit``, ``xl sched-credit2`` and ``xl cpupool-list``."""

from __future__ import annotations

from xlpy.render.cpumap import format_cpumap
from xlpy.render.kind import Column, Kind, plain_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xlpy.model.domain import DomainInfo, SchedParams
    from xlpy.model.host import Cpupool

    Row = tuple[DomainInfo, SchedParams]

_HEADER = f"{'Name':<33} {'ID':>4} {'Weight':>6} {'Cap':>4}"


def sched_kind(pools: Sequence[Cpupool] | None = None) -> Kind:
    """Rows are (DomainInfo, SchedParams). With pools, xl's form has a line and a table for each of them."""

    def plain(rows: Sequence[Row], headers: bool) -> Iterator[str]:
        for pool in pools or ():
            yield plain_pool(pool)
            yield from table([row for row in rows if row[0].cpupool == pool.poolid], headers)

    table = plain_table(_HEADER, _plain_row)
    return Kind(
        "sched",
        (
            Column("name", "Name", lambda row: row[0].name, style=lambda row: "bold"),
            Column("domid", "ID", lambda row: row[0].domid, right=True),
            Column("cpupool", "Cpupool", lambda row: row[0].cpupool_name),
            Column("scheduler", "Scheduler", lambda row: row[1].scheduler),
            Column("weight", "Weight", lambda row: row[1].weight, right=True),
            Column("cap", "Cap", lambda row: row[1].cap, text=_cap, right=True),
        ),
        table if pools is None else plain,
    )


def pool_params_kind() -> Kind:
    """Rows are Cpupool: ``-s`` of the scheduler commands."""
    return Kind(
        "sched-pool",
        (
            Column("name", "Cpupool", lambda row: row.name),
            Column("poolid", "ID", lambda row: row.poolid, right=True),
            Column("scheduler", "Scheduler", lambda row: row.scheduler),
            Column("ratelimit_us", "Rate limit (us)", lambda row: row.ratelimit_us, right=True),
        ),
        plain_table(None, plain_pool),
    )


def cpupool_kind(cpus: bool = False) -> Kind:
    """Rows are Cpupool. ``cpus`` gives xl's other form, which names the pcpus one by one, never as ranges."""

    def plain_cpus(pool: Cpupool) -> str:
        return f"{pool.name:<19}{','.join(map(str, pool.cpus))}"

    def plain(pool: Cpupool) -> str:
        return f"{pool.name:<19}{len(pool.cpus):3d} {pool.scheduler:>9}       y       {pool.domain_count:4d}"

    return Kind(
        "cpupool",
        (
            Column("name", "Name", lambda row: row.name),
            Column("poolid", "ID", lambda row: row.poolid, right=True),
            Column("cpus", "CPUs", lambda row: list(row.cpus), text=_cpus),
            Column("scheduler", "Sched", lambda row: row.scheduler),
            Column("domain_count", "Domains", lambda row: row.domain_count, right=True),
            Column("ratelimit_us", "Rate limit (us)", lambda row: row.ratelimit_us, right=True, shown=False),
        ),
        plain_table(f"{'Name':<19}CPU list", plain_cpus)
        if cpus
        else plain_table(f"{'Name':<19}CPUs   Sched     Active   Domain count", plain),
    )


def plain_pool(pool: Cpupool) -> str:
    """The line above a pool's domains (sched_credit2_pool_output)."""
    return f"Cpupool {pool.name}: ratelimit={pool.ratelimit_us}us"


def _plain_row(row: Row) -> str:
    domain, params = row
    return f"{domain.name or '(null)':<33} {domain.domid:4d} {params.weight:6d} {params.cap:4d}"


def _cap(row: Row) -> str:
    return f"{row[1].cap}%" if row[1].cap else "none"


def _cpus(pool: Cpupool) -> str:
    return format_cpumap(pool.cpus, max(pool.cpus, default=0) + 2)
