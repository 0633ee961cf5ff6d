"""What schedulers can be told beyond a domain's weight and cap."""

from __future__ import annotations

from xlpy.model.record import Record


class PoolSchedParams(Record):
    """Parameters of a cpupool's scheduler (libxl_sched_credit_params); None is one that it doesn't have."""

    scheduler: str = "credit2"
    tslice_ms: int | None = None
    ratelimit_us: int | None = None
    migration_delay_us: int | None = None


class RtdsParams(Record):
    """The real-time scheduler's parameters of one vcpu; ``vcpuid`` None stands for all, or for those to come."""

    vcpuid: int | None = None
    period_us: int = 10000
    budget_us: int = 4000
    extratime: bool = False
