"""Memory of domains: mem-set, mem-max, sharing, claims (xl_mem.c)."""

from __future__ import annotations

from xlpy.cli.failure import worded_as_xl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session


def mem_set(session: Session, args: Arguments) -> None:
    """Balloon a domain to a size (libxl_set_memory_target)."""
    from xlpy.config.size import parse_memory_size

    reference, text = args.rest[:2]
    domid = session.domid(reference)
    memory_kib = parse_memory_size(text)
    with worded_as_xl(session, f"cannot set domid {domid} dynamic max memory to : {text}"):
        session.host.set_memory_target(domid, memory_kib)


def mem_max(session: Session, args: Arguments) -> None:
    """Set what a domain may balloon to at most (libxl_domain_setmaxmem)."""
    from xlpy.config.size import parse_memory_size

    reference, text = args.rest[:2]
    domid = session.domid(reference)
    memory_kib = parse_memory_size(text)
    with worded_as_xl(session, f"cannot set domid {domid} static max memory to : {text}"):
        session.host.set_max_memory(domid, memory_kib)


def sharing(session: Session, args: Arguments) -> None:
    """Memory that domains share, of one domain or of all."""
    from xlpy.render.memory import sharing_kind

    rows = [session.domain(name) for name in args.rest] or session.host.list_domains()
    session.show(sharing_kind(), rows)


def claims(session: Session, args: Arguments) -> None:
    """Memory that domains have claimed and not yet got."""
    from xlpy.render.memory import claims_kind

    session.show(claims_kind(), session.host.list_domains())
