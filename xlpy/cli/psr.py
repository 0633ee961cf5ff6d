"""Platform shared resources: psr-hwinfo, psr-cmt-attach, -detach, -show, psr-cat-set, -show, psr-mba-set, -show (xl_psr.c)."""

from __future__ import annotations

from xlpy.cli.usage import too_many
from xlpy.errors import NotSupported, UsageError, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.model.domain import DomainInfo
    from xlpy.model.hypervisor import PsrHardware

COUNTS = ("cache-occupancy", "total-mem-bandwidth", "local-mem-bandwidth")
"""What psr-cmt-show can count."""
_FAILED = 253
"""What xl exits with where it returns libxl's ERROR_FAIL."""
_SOCKETS = 1024
"""More than any host has; keeps a range from growing without end."""


def psr_hwinfo(session: Session, args: Arguments) -> int:
    """What the sockets can monitor and allocate. As in xl the last feature asked for decides the exit status."""
    from xlpy.render.hypervisor import psr_hardware_kind

    wanted = [name for name in ("cmt", "cat", "mba") if args.flag(name)] or ["cmt", "cat", "mba"]
    features = [*(("l3", "l2") if "cat" in wanted else ()), *(("mba",) if "mba" in wanted else ())]
    monitoring = [session.host.psr_monitoring()] if "cmt" in wanted else []
    hardware = session.host.psr_hardware() if features else ()
    rows = [row for feature in features for row in hardware if row.feature == feature]
    session.show(psr_hardware_kind(), [*monitoring, *rows])
    missing = bool(features) and all(row.feature != features[-1] for row in rows)
    return _FAILED if session.xl and missing else 0


def psr_cmt_attach(session: Session, args: Arguments) -> None:
    """Watch a domain's use of cache and memory bandwidth (libxl_psr_cmt_attach)."""
    session.host.attach_psr_monitoring(session.domid(args.rest[0]))


def psr_cmt_detach(session: Session, args: Arguments) -> None:
    """Stop watching (libxl_psr_cmt_detach)."""
    session.host.detach_psr_monitoring(session.domid(args.rest[0]))


def psr_cmt_show(session: Session, args: Arguments) -> int | None:
    """What watched domains use, socket by socket (libxl_psr_cmt_get_sample)."""
    from xlpy.render.hypervisor import psr_sample_kind

    kind, *references = args.rest
    if kind not in COUNTS:
        if session.xl:
            return too_many(session, "psr-cmt-show", kind, 2)
        raise UsageError(f"{kind!r} is nothing that can be counted", f"one of: {', '.join(COUNTS)}")
    if len(references) > 1:
        return too_many(session, "psr-cmt-show", references[1], 2)
    monitoring = session.host.psr_monitoring()
    if not monitoring.enabled:
        raise NotSupported("CMT is disabled in the system", exit_status=255 if session.xl else None)
    if kind not in monitoring.kinds:
        raise NotSupported(
            f"Monitor type '{kind}' is not supported in the system", exit_status=255 if session.xl else None
        )
    rows = [
        (domain, tuple(session.host.psr_sample(domain.domid, kind, socket) for socket in monitoring.sockets))
        for domain in _domains(session, references)
        if domain.domid in monitoring.domids
    ]
    session.show(psr_sample_kind(monitoring, kind), rows)
    return None


def psr_cat_set(session: Session, args: Arguments) -> int | None:
    """Give a domain a share of a cache (libxl_psr_cat_set_cbm)."""
    level = _level(args)
    code, data = args.flag("code"), args.flag("data")
    if code and data and level == "3":
        raise XlError("Cannot handle -c and -d at the same time")
    if len(args.rest) > 2:
        return too_many(session, "psr-cat-set", args.rest[2], 2)
    kind = "l2_cbm" if level == "2" else f"l3_cbm{'_code' if code else '_data' if data else ''}"
    _set(session, args, kind, "CBM")
    return None


def psr_cat_show(session: Session, args: Arguments) -> int | None:
    """Domains' shares of a cache."""
    level = _level(args)
    return _show(session, args, "psr-cat-show", f"l{level}")


def psr_mba_set(session: Session, args: Arguments) -> int | None:
    """Throttle a domain's memory bandwidth (libxl_psr_set_val)."""
    if len(args.rest) > 2:
        return too_many(session, "psr-mba-set", args.rest[2], 1)
    _set(session, args, "mba_thrtl", "THRTL")
    return None


def psr_mba_show(session: Session, args: Arguments) -> int | None:
    """How domains' memory bandwidth is throttled."""
    return _show(session, args, "psr-mba-show", "mba")


def _level(args: Arguments) -> str:
    """Which cache is meant. Raises XlError."""
    level = args.value("level") or "3"
    if level not in ("2", "3"):
        raise XlError(f"Input lvl {level} is wrong", "2 or 3")
    return level


def _show(session: Session, args: Arguments, command: str, feature: str) -> int | None:
    from xlpy.render.hypervisor import psr_share_kind

    if len(args.rest) > 1:
        return too_many(session, command, args.rest[1], 2)
    hardware = [row for row in session.host.psr_hardware() if row.feature == feature]
    if not hardware:
        raise NotSupported(
            "Failed to get info",
            "the host's processors, or its hypervisor's command line (psr=), don't have this feature",
            exit_status=_FAILED if session.xl else None,
        )
    domains = _domains(session, args.rest)
    shares = {domain.domid: _shares(session, domain, hardware[0]) for domain in domains}
    rows = [(row, domain, shares[domain.domid].get(row.socket, ())) for row in hardware for domain in domains]
    session.show(psr_share_kind(), rows)
    return None


def _shares(session: Session, domain: DomainInfo, hardware: PsrHardware) -> dict[int, tuple[int | None, ...]]:
    """The domain's values by socket."""
    if hardware.feature == "mba":
        kinds = ["mba_thrtl"]
    elif hardware.feature == "l3" and hardware.cdp_enabled:
        kinds = ["l3_cbm_code", "l3_cbm_data"]
    else:
        kinds = [f"{hardware.feature}_cbm"]
    found: dict[int, tuple[int | None, ...]] = {}
    for kind in kinds:
        for value in session.host.psr_values(domain.domid, kind):
            found[value.socket] = (*found.get(value.socket, ()), value.value)
    return found


def _set(session: Session, args: Arguments, kind: str, what: str) -> None:
    reference, text = args.rest[:2]
    domid = session.domid(reference)
    try:
        value = int(text, 0)
    except ValueError:
        raise UsageError(f"{text!r} is no {what}", "a number, such as 0xff") from None
    if not 0 <= value < 1 << 64:
        raise UsageError(f"{text!r} is no {what}", "a number from 0 to 2**64-1")
    session.host.set_psr_value(domid, kind, value, _sockets(args.values("socket")))


def _sockets(texts: Iterable[str]) -> tuple[int, ...] | None:
    """The sockets of ``-s 0,2-3``; None is all of them."""
    found: set[int] = set()
    for part in (part.strip() for text in texts for part in text.split(",")):
        first, dash, last = part.partition("-")
        bounds = [first, last if dash else first]
        if not all(bound.isascii() and bound.isdigit() and int(bound) < _SOCKETS for bound in bounds):
            raise UsageError(f"{part!r} is no socket, nor a range of them", "e.g. -s 0 or -s 0-1,3")
        found.update(range(int(bounds[0]), int(bounds[1]) + 1))
    return tuple(sorted(found)) if found else None


def _domains(session: Session, references: list[str]) -> list[DomainInfo]:
    return [session.domain(references[0])] if references else list(session.host.list_domains())
