"""Vcpus of domains: vcpu-list, vcpu-pin, vcpu-set (xl_vcpu.c)."""

from __future__ import annotations

from xlpy.cli.failure import report, worded_as_xl
from xlpy.cli.xl_conf import read_xl_conf, within_masks
from xlpy.config.cpus import nodes_of, parse_cpu_list
from xlpy.config.diagnostic import SpecError
from xlpy.config.draft import HostFacts
from xlpy.errors import DomainNotFound, UsageError, XlError
from xlpy.render.cpumap import format_cpumap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.model.domain import DomainInfo, VcpuInfo

Cpus = tuple[int, ...]


def vcpu_list(session: Session, args: Arguments) -> None:
    """The vcpus of the named domains, or of all."""
    from xlpy.render.vcpu import vcpu_kind

    host = session.host
    rows: list[tuple[str | None, VcpuInfo]] = []
    kind = vcpu_kind(host.host_info().max_cpu_id + 1)
    try:
        for domain in _named(session, args.rest) if args.rest else host.list_domains():
            rows += [(domain.name, vcpu) for vcpu in host.list_vcpus(domain.domid)]
    except DomainNotFound:
        if session.xl:
            session.show(kind, rows)
        raise
    session.show(kind, rows)


def _named(session: Session, references: Sequence[str]) -> Iterator[DomainInfo]:
    """The domains of these names. A domid that isn't there is no error to xl: it has no rows."""
    for reference in references:
        try:
            yield session.domain(reference)
        except DomainNotFound as error:
            if not (session.xl and reference.isdigit()):
                raise
            report(error, session)


def vcpu_pin(session: Session, args: Arguments) -> None:
    """Say where a vcpu, or all, may run (libxl_set_vcpuaffinity)."""
    reference, vcpu, hard_text, *more = args.rest
    domain = session.domain(reference)
    force = args.flag("force")
    vcpuid = _vcpuid(vcpu, force)
    facts = _host_facts(session)
    hard = _cpus(session, hard_text, facts)
    soft = _cpus(session, more[0], facts) if more else None
    if session.options.dry_run:
        _print_cpumaps(hard, soft, facts)
        return
    if hard is not None:
        conf = read_xl_conf(session, args.flag("ignore-global-affinity-masks"))
        hard = within_masks(hard, conf, domain.domain_type, facts.cpu_bits, nodes_of(facts))
        hard = tuple(cpu for cpu in hard if cpu <= facts.max_cpu_id)
        if not hard:
            raise XlError("vcpu hard affinity map is empty", f"the host's pcpus are 0-{facts.max_cpu_id}")
    words = "Could not set affinity." if vcpuid is None else f"Could not set affinity for vcpu `{vcpuid}'."
    with worded_as_xl(session, words):
        session.host.set_vcpu_affinity(domain.domid, vcpuid, hard=hard, soft=soft, force=force)


def vcpu_set(session: Session, args: Arguments) -> None:
    """Set how many vcpus a domain has online (libxl_set_vcpuonline)."""
    reference, text = args.rest[:2]
    domain = session.domain(reference)
    if not (text.isascii() and text.isdigit()):
        raise XlError("Error: Invalid argument.", f"a number of vcpus, not {text!r}")
    count = int(text)
    words = f"libxl_set_vcpuonline failed domid={domain.domid} max_vcpus={count}, rc: -3"
    if count < 1:
        with worded_as_xl(session, words):
            raise UsageError("a domain needs at least one vcpu", exit_status=1)
    if not args.flag("ignore-host"):
        pcpus = session.host.host_info().nr_cpus
        if count > domain.vcpu_online and count > pcpus:
            raise XlError(
                f"You are overcommmitting! You have {pcpus} physical CPUs and want {count} vCPUs! "
                "Aborting, use --ignore-host to continue"
            )
    with worded_as_xl(session, words):
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


def _host_facts(session: Session) -> HostFacts:
    return HostFacts.of(session.host.host_info(), session.host.cpu_topology())


def _cpus(session: Session, text: str, facts: HostFacts) -> Cpus | None:
    """The pcpus of a list; None, which changes nothing, is ``-``. Raises XlError."""
    return None if text == "-" else parse_cpus(session, text, facts)


def parse_cpus(session: Session, text: str, facts: HostFacts | None = None) -> Cpus:
    """The pcpus of a list such as ``0-3,^1,node:0``. Raises XlError."""
    if facts is None:
        facts = _host_facts(session)
    try:
        return parse_cpu_list(text, facts.cpu_bits, nodes_of(facts))
    except SpecError as error:
        if session.xl:
            term = text[error.offset : error.offset + error.length]
            raise XlError(f"Invalid pcpu range: {term}.") from error
        raise XlError(error.message, error.hint) from error


def _print_cpumaps(hard: Cpus | None, soft: Cpus | None, facts: HostFacts) -> None:
    """What ``xl -N vcpu-pin`` prints."""
    count = facts.max_cpu_id + 1
    text = "-" if hard is None else format_cpumap(hard, count)
    if soft is not None:
        text += f" {format_cpumap(soft, count)}"
    print(f"cpumap: {text}")
