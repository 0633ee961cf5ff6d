"""The machine: info, dmesg, cpupool-list (xl_info.c, xl_misc.c, xl_cpupool.c)."""

from __future__ import annotations

from xlpy.errors import XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session

XENSTORE_LINE = "xenstore_features"


def info(session: Session, args: Arguments) -> None:
    """Facts of the machine; with a name, only the values of the lines that begin with it."""
    from xlpy.render.host import Numa, field_kind, host_kind, matching_lines

    host = session.host.host_info()
    if args.flag("xenstore") and XENSTORE_LINE not in host.extra:
        session.warn("this host has no xenstore whose features could be shown")
    if not args.flag("xenstore") and XENSTORE_LINE in host.extra:
        host = host.replace(
            extra={name: value for name, value in host.extra.items() if name != XENSTORE_LINE}
        )
    if args.flag("numa"):
        numa = Numa(session.host.cpu_topology(), session.host.numa_info())
        session.show(host_kind(numa), [host])
    elif args.rest:
        lines = matching_lines(host, args.rest[0])
        session.show(field_kind(lines), [dict(lines)])
    else:
        session.show(host_kind(), [host])


def dmesg(session: Session, args: Arguments) -> None:
    """The hypervisor's own messages (libxl_xen_console_read_line)."""
    from xlpy.render.host import message_kind

    text = session.host.console_ring(clear=args.flag("clear"))
    session.show(message_kind(), text.splitlines())


def cpupool_list(session: Session, args: Arguments) -> None:
    """The pools of pcpus, or the one of this name."""
    from xlpy.render.sched import cpupool_kind

    pools = session.host.list_cpupools()
    if args.rest:
        name = args.rest[0]
        pools = tuple(pool for pool in pools if pool.name == name)
        if not pools:
            raise XlError(f"Pool '{name}' does not exist")
    session.show(cpupool_kind(cpus=args.flag("cpus")), pools)
