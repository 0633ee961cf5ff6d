"""Schedulers and their pools of pcpus: ``xl sched-credit``, ``xl sched-credit2`` and ``xl cpupool-list``."""

from __future__ import annotations

from xlpy.render.cpumap import format_cpumap
from xlpy.render.kind import Column, Kind, plain_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xlpy.model.domain import DomainInfo, SchedParams
    from xlpy.model.host import Cpupool
    from xlpy.model.sched import PoolSchedParams, RtdsParams

    Row = tuple[DomainInfo, SchedParams]
    PoolRow = tuple[Cpupool, PoolSchedParams]
    RtdsRow = tuple[DomainInfo, RtdsParams]

_HEADER = f"{'Name':<33} {'ID':>4} {'Weight':>6} {'Cap':>4}"


def sched_kind(pools: Sequence[PoolRow] | None = None) -> Kind:
    """Rows are (DomainInfo, SchedParams). With pools, xl's form has a line and a table for each of them."""

    def plain(rows: Sequence[Row], headers: bool) -> Iterator[str]:
        for pool, params in pools or ():
            yield plain_pool((pool, params))
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
    """Rows are (Cpupool, PoolSchedParams): ``-s`` of the scheduler commands."""
    return Kind(
        "sched-pool",
        (
            Column("name", "Cpupool", lambda row: row[0].name),
            Column("poolid", "ID", lambda row: row[0].poolid, right=True),
            Column("scheduler", "Scheduler", lambda row: row[0].scheduler),
            Column("tslice_ms", "Time slice (ms)", lambda row: row[1].tslice_ms, right=True),
            Column("ratelimit_us", "Rate limit (us)", lambda row: row[1].ratelimit_us, right=True),
            Column(
                "migration_delay_us",
                "Migration delay (us)",
                lambda row: row[1].migration_delay_us,
                right=True,
            ),
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
        ),
        plain_table(f"{'Name':<19}CPU list", plain_cpus)
        if cpus
        else plain_table(f"{'Name':<19}CPUs   Sched     Active   Domain count", plain),
    )


def rtds_kind(vcpus: bool, pools: Sequence[Cpupool] | None = None) -> Kind:
    """Rows are (DomainInfo, RtdsParams), of vcpus or of domains; with pools xl has a line and a table for each."""

    def plain(rows: Sequence[RtdsRow], headers: bool) -> Iterator[str]:
        for pool in pools or ():
            yield f"Cpupool {pool.name}: sched=RTDS"
            yield from table([row for row in rows if row[0].cpupool == pool.poolid], headers)

    def line(row: RtdsRow) -> str:
        domain, params = row
        number = f" {params.vcpuid:4d}" if vcpus else ""
        extra = "yes" if params.extratime else "no"
        return (
            f"{domain.name or '(null)':<33} {domain.domid:4d}{number} "
            f"{params.period_us:9d} {params.budget_us:9d} {extra:>10}"
        )

    vcpu_title = f" {'VCPU':>4}" if vcpus else ""
    table = plain_table(
        f"{'Name':<33} {'ID':>4}{vcpu_title} {'Period':>9} {'Budget':>9} {'Extratime':>10}", line
    )
    return Kind(
        "sched-rtds",
        (
            Column("name", "Name", lambda row: row[0].name, style=lambda row: "bold"),
            Column("domid", "ID", lambda row: row[0].domid, right=True),
            Column("vcpuid", "VCPU", lambda row: row[1].vcpuid, right=True, shown=vcpus),
            Column("cpupool", "Cpupool", lambda row: row[0].cpupool_name),
            Column("period_us", "Period (us)", lambda row: row[1].period_us, right=True),
            Column("budget_us", "Budget (us)", lambda row: row[1].budget_us, right=True),
            Column("extratime", "Extra time", lambda row: row[1].extratime),
        ),
        table if pools is None else plain,
    )


def plain_pool(row: PoolRow) -> str:
    """The line above a pool's domains (sched_credit_pool_output, sched_credit2_pool_output)."""
    pool, params = row
    if params.scheduler == "credit":
        return (
            f"Cpupool {pool.name}: tslice={params.tslice_ms or 0}ms ratelimit={params.ratelimit_us or 0}us "
            f"migration-delay={params.migration_delay_us or 0}us"
        )
    if params.ratelimit_us is None:
        return f"Cpupool {pool.name}: [sched params unavailable]"
    return f"Cpupool {pool.name}: ratelimit={params.ratelimit_us}us"


def _plain_row(row: Row) -> str:
    domain, params = row
    return f"{domain.name or '(null)':<33} {domain.domid:4d} {params.weight:6d} {params.cap:4d}"


def _cap(row: Row) -> str:
    return f"{row[1].cap}%" if row[1].cap else "none"


def _cpus(pool: Cpupool) -> str:
    return format_cpumap(pool.cpus, max(pool.cpus, default=0) + 2)
