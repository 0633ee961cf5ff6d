"""Changing cpupools: destroy, rename, cpu-add, cpu-remove, migrate, numa-split (xl_cpupool.c)."""

from __future__ import annotations

import select

from xlpy.cli.failure import worded_as_xl
from xlpy.cli.vcpu import parse_cpus
from xlpy.errors import DomainNotFound, InvalidState, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session

_VCPU_ATTEMPTS = 20
_VCPU_PAUSE_S = 0.5


def cpupool_destroy(session: Session, args: Arguments) -> None:
    """Dissolve an empty pool (libxl_cpupool_destroy)."""
    pool = session.cpupool(args.rest[0])
    with worded_as_xl(session, f"Can't destroy cpupool '{args.rest[0]}'"):
        session.host.destroy_cpupool(pool.poolid)


def cpupool_rename(session: Session, args: Arguments) -> None:
    """Give a pool another name (libxl_cpupool_rename)."""
    pool = session.cpupool(args.rest[0])
    with worded_as_xl(session, f"Can't rename cpupool '{args.rest[0]}'"):
        session.host.rename_cpupool(pool.poolid, args.rest[1])


def cpupool_cpu_add(session: Session, args: Arguments) -> None:
    """Put free pcpus into a pool (libxl_cpupool_cpuadd_cpumap). xl calls it a success whatever comes of it."""
    cpus = parse_cpus(session, args.rest[1])
    pool = session.cpupool(args.rest[0])
    with worded_as_xl(session, f"some cpus may not have been added to {args.rest[0]}"):
        session.host.add_cpupool_cpus(pool.poolid, cpus)


def cpupool_cpu_remove(session: Session, args: Arguments) -> None:
    """Take pcpus out of a pool (libxl_cpupool_cpuremove_cpumap)."""
    cpus = parse_cpus(session, args.rest[1])
    name = args.rest[0]
    pool = session.cpupool(name)
    problem = (
        f"Some cpus may not have or only partially been removed from '{name}'.\n"
        f"If a cpu can't be added to another cpupool, add it to '{name}' again and retry."
    )
    with worded_as_xl(session, problem):
        session.host.remove_cpupool_cpus(pool.poolid, cpus)


def cpupool_migrate(session: Session, args: Arguments) -> None:
    """Let a domain run in another pool (libxl_cpupool_movedomain)."""
    reference, name = args.rest[:2]
    try:
        domid = session.domain(reference).domid
    except DomainNotFound as error:
        raise DomainNotFound(f"unknown domain '{reference}'") from error
    session.host.move_domain_to_cpupool(domid, session.cpupool(name).poolid)


def cpupool_numa_split(session: Session, args: Arguments) -> None:
    """One pool per NUMA node, named after it; Domain-0 keeps no more vcpus than the first node has pcpus."""
    pools = session.host.list_cpupools()
    if len(pools) > 1:
        raise InvalidState(
            "splitting not possible, already cpupools in use", "destroy the others: xlpy cpupool-destroy"
        )
    nodes: dict[int, list[int]] = {}
    for place in session.host.cpu_topology():
        nodes.setdefault(place.node, []).append(place.cpu)
    first, *others = nodes
    pool = pools[0]
    missing = tuple(cpu for cpu in nodes[first] if cpu not in pool.cpus)
    if missing:
        session.host.add_cpupool_cpus(pool.poolid, missing)
    session.host.rename_cpupool(pool.poolid, f"Pool-node{first}")
    if session.host.domain_info(0).vcpu_online > len(nodes[first]):
        session.host.set_vcpus_online(0, len(nodes[first]))
        if session.plan is None:
            _wait_for_vcpus(session, len(nodes[first]))
    for node in others:
        session.host.remove_cpupool_cpus(pool.poolid, tuple(nodes[node]))
        name = f"Pool-node{node}"
        if not session.rehearses(f"create cpupool {name} with the pcpus of node {node}"):
            session.host.create_cpupool(name, pool.scheduler, tuple(nodes[node]))


def _wait_for_vcpus(session: Session, count: int) -> None:
    """Domain-0's kernel gives up its vcpus in its own time; nobody tells when."""
    for _ in range(_VCPU_ATTEMPTS):
        if session.host.domain_info(0).vcpu_online <= count:
            return
        select.select([], [], [], _VCPU_PAUSE_S)
    raise XlError("failed to offline vcpus", f"Domain-0 keeps them; try: xlpy vcpu-set 0 {count}")
