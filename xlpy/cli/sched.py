"""Scheduler parameters: sched-credit2 and sched-credit (xl_sched.c)."""

from __future__ import annotations

from xlpy.cli.failure import worded_as_xl
from xlpy.cli.numbers import LARGEST, number_of
from xlpy.errors import DomainNotFound, InvalidState, UsageError, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.model.domain import DomainInfo, SchedParams
    from xlpy.render.kind import Kind

_FIRST_POOL = "0"
_CREDIT_PARAMS = ("tslice_ms", "ratelimit_us", "migration_delay_us")


def sched_credit2(session: Session, args: Arguments) -> None:
    """Show or set weight and cap of domains under credit2, and the rate limit of a pool."""
    pool_name = args.value("cpupool")
    weight, cap = _number(session, args, "weight"), _number(session, args, "cap")
    domain = args.value("domain")
    if pool_name is not None and (domain or weight is not None or cap is not None):
        raise XlError("Specifying a cpupool is not allowed with other options.")
    if args.flag("schedparam"):
        _pool_params(session, args, "credit2", ("ratelimit_us",))
        return
    if args.flag("ratelimit_us"):
        raise XlError("Must specify schedparam to set schedule parameter values.")
    _domains(session, "credit2", domain, pool_name, weight, cap)


def sched_credit(session: Session, args: Arguments) -> None:
    """Show or set weight and cap of domains under credit, and what a pool's scheduler can be told."""
    pool_name = args.value("cpupool")
    weight, cap = _number(session, args, "weight"), _number(session, args, "cap")
    domain = args.value("domain")
    wants_pool = pool_name is not None or args.flag("schedparam")
    if wants_pool and (domain or weight is not None or cap is not None):
        raise XlError("Specifying a cpupool or schedparam is not allowed with domain options.")
    if args.flag("schedparam"):
        _pool_params(session, args, "credit", _CREDIT_PARAMS)
        return
    if any(args.flag(name) for name in _CREDIT_PARAMS):
        raise XlError("Must specify schedparam to set schedule parameter values.")
    _domains(session, "credit", domain, pool_name, weight, cap)


def _domains(
    session: Session,
    scheduler: str,
    reference: str | None,
    pool_name: str | None,
    weight: int | None,
    cap: int | None,
) -> None:
    """One domain's parameters shown or set, or the table of all domains under this scheduler."""
    if reference is None:
        if weight is not None or cap is not None:
            raise XlError("Must specify a domain.")
        _show_all(session, scheduler, pool_name)
        return
    if weight is None and cap is None:
        from xlpy.render.sched import sched_kind

        with header_as_xl(session, sched_kind()):
            row = require_scheduler(session, reference, scheduler)
        session.show(sched_kind(), [row])
        return
    failed = "libxl_domain_sched_params_set failed."
    domain, _ = require_scheduler(session, reference, scheduler, failed)
    with worded_as_xl(session, failed):
        session.host.set_sched_params(domain.domid, weight=weight, cap=cap)


def require_scheduler(
    session: Session, reference: str, scheduler: str, xl_words: str | None = None
) -> tuple[DomainInfo, SchedParams]:
    """The domain and its parameters. Raises InvalidState when it is under another scheduler: as xl in these words."""
    domid = session.domid(reference)
    with worded_as_xl(session, "libxl_domain_sched_params_get failed."):
        domain = session.host.domain_info(domid)
        params = session.host.sched_params(domid)
    if params.scheduler != scheduler:
        raise InvalidState(
            xl_words or f"libxl_domain_sched_params_get returned {params.scheduler} not {scheduler}."
            if session.xl
            else f"{reference} is scheduled by {params.scheduler}, not by {scheduler}"
        )
    return domain, params


class header_as_xl:
    """Around finding out what to show: called as xl, the headings stand above whatever goes wrong."""

    def __init__(self, session: Session, kind: Kind) -> None:
        self._session = session
        self._kind = kind

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        named = not (isinstance(error, DomainNotFound) and str(error).endswith("invalid domain identifier"))
        if isinstance(error, XlError) and self._session.xl and named:
            self._session.show(self._kind, ())


def _show_all(session: Session, scheduler: str, pool_name: str | None) -> None:
    """All domains of the pools that have this scheduler; without such a pool xl's form is empty."""
    from xlpy.render.sched import sched_kind

    host = session.host
    pools = [session.cpupool(pool_name)] if pool_name is not None else list(host.list_cpupools())
    pools = [pool for pool in pools if pool.scheduler == scheduler]
    poolids = {pool.poolid for pool in pools}
    rows = [
        (domain, host.sched_params(domain.domid))
        for domain in host.list_domains()
        if domain.cpupool in poolids
    ]
    session.show(sched_kind([(pool, host.pool_sched_params(pool.poolid)) for pool in pools]), rows)


def _pool_params(session: Session, args: Arguments, scheduler: str, names: tuple[str, ...]) -> None:
    """Show what a pool's scheduler can be told, or change it if any of these options is given."""
    given = {
        name: value
        for name in names
        if (value := number_of(args, name, name.replace("_", " "), -LARGEST)) is not None
    }
    pool = session.cpupool(args.value("cpupool") or _FIRST_POOL)
    if pool.scheduler != scheduler and (given or not session.xl):
        raise InvalidState(f"cpupool {pool.name} is scheduled by {pool.scheduler}, not by {scheduler}")
    if given:
        from xlpy.model.sched import PoolSchedParams

        with worded_as_xl(session, f"libxl_sched_{scheduler}_params_set failed."):
            session.host.set_pool_sched_params(pool.poolid, PoolSchedParams(scheduler=scheduler, **given))
        return
    if pool.scheduler != scheduler:  # called as xl, which asks all the same
        print(f"Cpupool {pool.name}: [sched params unavailable]")
        session.warn(f"libxl_sched_{scheduler}_params_get failed.")
        return
    from xlpy.render.sched import pool_params_kind

    session.show(pool_params_kind(), [(pool, session.host.pool_sched_params(pool.poolid))])


def _number(session: Session, args: Arguments, name: str) -> int | None:
    """The option's value, which may be below 0: the engine says what is out of its range.

    xl takes 0 for what is no number, and fails with that as a weight; here so does whatever is no number.
    """
    try:
        return number_of(args, name, name, -LARGEST)
    except UsageError as error:
        if not session.xl:
            raise
        raise XlError("libxl_domain_sched_params_set failed.", detail=str(error)) from error
