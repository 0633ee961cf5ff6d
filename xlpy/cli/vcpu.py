"""Vcpus of domains: vcpu-list, vcpu-pin, vcpu-set (xl_vcpu.c)."""

from __future__ import annotations

from xlpy.cli.failure import worded_as_xl
from xlpy.errors import UsageError, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.model.domain import VcpuInfo

Cpus = tuple[int, ...]


def vcpu_list(session: Session, args: Arguments) -> None:
    """The vcpus of the named domains, or of all."""
    from xlpy.render.vcpu import vcpu_kind

    host = session.host
    domains = [session.domain(name) for name in args.rest] or host.list_domains()
    rows: list[tuple[str | None, VcpuInfo]] = []
    for domain in domains:
        rows += [(domain.name, vcpu) for vcpu in host.list_vcpus(domain.domid)]
    session.show(vcpu_kind(host.host_info().max_cpu_id + 1), rows)


def vcpu_pin(session: Session, args: Arguments) -> None:
    """Say where a vcpu, or all, may run (libxl_set_vcpuaffinity)."""
    reference, vcpu, hard_text, *more = args.rest
    domid = session.domid(reference)
    force = args.flag("force")
    vcpuid = _vcpuid(vcpu, force)
    hard = _cpus(session, hard_text)
    soft = _cpus(session, more[0]) if more else None
    if session.options.dry_run:
        _print_cpumaps(session, hard, soft)
        return
    hard = _existing(session, hard)
    words = "Could not set affinity." if vcpuid is None else f"Could not set affinity for vcpu `{vcpuid}'."
    with worded_as_xl(session, words):
        session.host.set_vcpu_affinity(domid, vcpuid, hard=hard, soft=soft, force=force)


def vcpu_set(session: Session, args: Arguments) -> None:
    """Set how many vcpus a domain has online (libxl_set_vcpuonline)."""
    reference, text = args.rest[:2]
    domain = session.domain(reference)
    if not (text.isascii() and text.isdigit()):
        raise XlError("Error: Invalid argument.", f"a number of vcpus, not {text!r}")
    count = int(text)
    if count < 1:
        raise UsageError("a domain needs at least one vcpu", exit_status=1)
    if not args.flag("ignore-host"):
        pcpus = session.host.host_info().nr_cpus
        if count > domain.vcpu_online and count > pcpus:
            raise XlError(
                f"You are overcommmitting! You have {pcpus} physical CPUs and want {count} vCPUs! "
                "Aborting, use --ignore-host to continue"
            )
    session.host.set_vcpus_online(domain.domid, count)


def _vcpuid(text: str, force: bool) -> int | None:
    """The vcpu's number; None is all of them."""
    if text == "all":
        if force:
            raise XlError("Error: --force and 'all' as VCPU not allowed.")
        return None
    if not (text.isascii() and text.isdigit()):
        raise XlError(f"Error: Invalid argument {text} as VCPU.")
    return int(text)


def _cpus(session: Session, text: str) -> Cpus | None:
    """The pcpus of a list; None, which changes nothing, is ``-``. Raises XlError."""
    if text == "-":
        return None
    from xlpy.config.cpus import nodes_of, parse_cpu_list
    from xlpy.config.diagnostic import SpecError
    from xlpy.config.draft import HostFacts

    host = session.host
    facts = HostFacts.of(host.host_info(), host.cpu_topology() if "node" in text else ())
    try:
        return parse_cpu_list(text, facts.cpu_bits, nodes_of(facts) if "node" in text else ())
    except SpecError as error:
        if session.xl:
            term = text[error.offset : error.offset + error.length]
            raise XlError(f"Invalid pcpu range: {term}.") from error
        raise XlError(error.message, error.hint) from error


def _existing(session: Session, cpus: Cpus | None) -> Cpus | None:
    """The pcpus that the host has. Raises XlError in xl's words when none is left."""
    if cpus is None:
        return None
    count = session.host.host_info().max_cpu_id + 1
    left = tuple(cpu for cpu in cpus if cpu < count)
    if not left:
        raise XlError("vcpu hard affinity map is empty", f"the host's pcpus are 0-{count - 1}")
    return left


def _print_cpumaps(session: Session, hard: Cpus | None, soft: Cpus | None) -> None:
    """What ``xl -N vcpu-pin`` prints."""
    from xlpy.render.cpumap import format_cpumap

    count = session.host.host_info().max_cpu_id + 1
    text = "-" if hard is None else format_cpumap(hard, count)
    if soft is not None:
        text += f" {format_cpumap(soft, count)}"
    print(f"cpumap: {text}")
