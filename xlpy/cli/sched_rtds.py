"""The real-time scheduler: sched-rtds (xl_sched.c)."""

from __future__ import annotations

from xlpy.cli.failure import worded_as_xl
from xlpy.cli.numbers import whole_number
from xlpy.cli.sched import header_as_xl, require_scheduler
from xlpy.errors import XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.model.domain import DomainInfo
    from xlpy.model.sched import RtdsParams


def sched_rtds(session: Session, args: Arguments) -> None:
    """Show or set period, budget and extra time of domains' vcpus.

    ``-v``, ``-p``, ``-b`` and ``-e`` may be given several times: the first of each belong together, and so on.
    """
    reference = args.value("domain")
    vcpus, every = _vcpus(args.values("vcpuid"))
    any_change = any(args.values(name) for name in ("period", "budget", "extratime"))
    if reference is not None and any_change and not (vcpus or every):
        raise XlError("Must specify VCPU.", "-v NUMBER, or -v all")
    changes = _changes(args)
    pool_name = args.value("cpupool")
    if pool_name is not None and (reference or vcpus or every or changes):
        raise XlError("Specifying a cpupool is not allowed with other options.")
    if reference is None and (changes or vcpus):
        raise XlError("Missing parameters.", "name the domain: -d DOMAIN")
    if vcpus and every:
        raise XlError("Incorrect VCPU IDs.", "either numbers or all")
    if reference is None:
        _show_all(session, pool_name, every)
        return
    if changes:
        _set(session, require_scheduler(session, reference, "rtds")[0], changes, vcpus)
        return
    from xlpy.render.sched import rtds_kind

    with header_as_xl(session, rtds_kind(vcpus=bool(vcpus or every))):
        domain, _ = require_scheduler(session, reference, "rtds")
    if vcpus or every:
        _show_vcpus(session, domain, vcpus)
    else:
        session.show(rtds_kind(vcpus=False), [(domain, session.host.rtds_params(domain.domid)[0])])


def _show_all(session: Session, pool_name: str | None, vcpus: bool) -> None:
    """All domains of the pools that have this scheduler, or all their vcpus."""
    from xlpy.render.sched import rtds_kind

    host = session.host
    pools = [session.cpupool(pool_name)] if pool_name is not None else list(host.list_cpupools())
    pools = [pool for pool in pools if pool.scheduler == "rtds"]
    poolids = {pool.poolid for pool in pools}
    rows: list[tuple[DomainInfo, RtdsParams]] = []
    for domain in host.list_domains():
        if domain.cpupool in poolids:
            chosen = _all_vcpus(session, domain) if vcpus else None
            rows += [(domain, params) for params in host.rtds_params(domain.domid, chosen)]
    session.show(rtds_kind(vcpus, pools), rows)


def _show_vcpus(session: Session, domain: DomainInfo, vcpus: tuple[int, ...]) -> None:
    from xlpy.render.sched import rtds_kind

    found = session.host.rtds_params(domain.domid, vcpus or _all_vcpus(session, domain))
    session.show(rtds_kind(vcpus=True), [(domain, params) for params in found])


def _set(
    session: Session, domain: DomainInfo, changes: list[tuple[int, int, bool]], vcpus: tuple[int, ...]
) -> None:
    """Set what was given for these vcpus, or for all with the first of it."""
    from xlpy.model.sched import RtdsParams

    if len(changes) < len(vcpus):
        raise XlError("Incorrect number of period, budget and extratime", "give all three for each -v")
    rows = [
        RtdsParams(vcpuid=vcpuid, period_us=period, budget_us=budget, extratime=extra)
        for vcpuid, (period, budget, extra) in zip(vcpus or (None,), changes, strict=False)
    ]
    with worded_as_xl(session, f"libxl_vcpu_sched_params_set{'' if vcpus else '_all'} failed."):
        session.host.set_rtds_params(domain.domid, tuple(rows))


def _vcpus(texts: list[str]) -> tuple[tuple[int, ...], bool]:
    """The vcpus of ``-v``, and whether it asks for all."""
    numbers = [whole_number(text, "vcpu") for text in texts if text != "all"]
    return tuple(numbers), "all" in texts


def _changes(args: Arguments) -> list[tuple[int, int, bool]]:
    """Period, budget and extra time as they belong together."""
    periods = [whole_number(text, "period in microseconds") for text in args.values("period")]
    budgets = [whole_number(text, "budget in microseconds") for text in args.values("budget")]
    extras = args.values("extratime")
    if any(extra not in ("0", "1") for extra in extras):
        raise XlError("Invalid extratime.", "1 for yes, 0 for no")
    if not len(periods) == len(budgets) == len(extras):
        raise XlError("Incorrect number of period, budget and extratime", "give all three for each -v")
    return [
        (period, budget, extra == "1") for period, budget, extra in zip(periods, budgets, extras, strict=True)
    ]


def _all_vcpus(session: Session, domain: DomainInfo) -> tuple[int, ...]:
    return tuple(vcpu.vcpuid for vcpu in session.host.list_vcpus(domain.domid))
