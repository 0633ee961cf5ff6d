"""Which domains there are, and what they are called: list, vm-list, uptime, domid, domname (xl_info.c)."""

from __future__ import annotations

from xlpy.errors import DomainNotFound, NotSupported, UsageError, XlError
from xlpy.render.domain import domain_kind, name_kind, uptime_kind, vm_kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.model.domain import DomainInfo
    from xlpy.model.domain_config import DomainConfig


def list_domains(session: Session, args: Arguments) -> int | None:
    """``xl list``: all domains, or the named ones; xl takes one name only."""
    if session.xl and len(args.rest) > 1:
        from xlpy.cli.usage import too_many

        return too_many(session, "list", args.rest[1], 1)
    domains = _chosen(session, args)
    if args.flag("long"):
        _show_configs(session, domains, strict=bool(args.rest))
        return None
    nodes = session.host.host_info().nr_nodes if args.flag("numa") else None
    kind = domain_kind(
        verbose=args.flag("verbose"), context=args.flag("context"), cpupool=args.flag("cpupool"), nodes=nodes
    )
    session.show(kind, domains)
    return None


def _chosen(session: Session, args: Arguments) -> list[DomainInfo]:
    """The named domains, or all."""
    if not args.rest:
        running = list(session.host.list_domains())
        if args.knows("all") and args.flag("all"):
            from xlpy.cli.managed import stopped

            running += stopped(session, running)
        return running
    return [_named(session, reference) for reference in args.rest]


def _named(session: Session, reference: str) -> DomainInfo:
    try:
        return session.domain(reference)
    except DomainNotFound as error:
        if session.xl and reference.isdigit():
            raise DomainNotFound(f"Error: Domain '{reference}' does not exist.") from error
        raise


def _show_configs(session: Session, domains: list[DomainInfo], strict: bool) -> None:
    """``xl list -l``: libxl's JSON of each domain's configuration; what has none is left out unless ``strict``."""
    from xlpy.cli.xl_conf import wants_s_expressions

    if session.form == "csv":
        raise UsageError("a configuration does not fit into csv", "use -o json or -o yaml")
    configs: list[tuple[int, DomainConfig]] = []
    for domain in domains:
        try:
            configs.append((domain.domid, session.host.domain_config(domain.domid)))
        except (DomainNotFound, NotSupported):
            if strict:
                raise
    if not session.structured and wants_s_expressions(session):
        from xlpy.config.libxl_sxp import domain_sxp

        uuids = {domain.domid: domain.uuid for domain in domains}
        text = "".join([domain_sxp(config, domid, uuids[domid]) for domid, config in configs])
        session.show_documents("xlpy/domain-config/1", [], text)
        return
    from xlpy.config.libxl_json import domain_list_json

    text = domain_list_json(configs, retrieved=session.host.hello.engine == "libxl")
    rows: list[dict[str, object]] = []
    if session.structured:
        import json

        rows = json.loads(text)
    session.show_documents("xlpy/domain-config/1", rows, text + "\n")


def vm_list(session: Session, args: Arguments) -> None:
    """``xl vm-list``: uuid, domid and name of every domain; like xl's it has Domain-0, whatever xl's help says."""
    session.show(vm_kind(), session.host.list_domains())


def uptime(session: Session, args: Arguments) -> None:
    """``xl uptime``: how long domains have been up; Domain-0 is the host itself."""
    import time

    domains = _chosen(session, args)
    session.show(uptime_kind(time.time(), short=args.flag("s")), domains)


def domid(session: Session, args: Arguments) -> None:
    """``xl domid``: the number of a name. Digits are a name here, too; a uuid is taken if no name fits."""
    wanted = args.rest[0]
    domains = session.host.list_domains()
    for domain in domains:
        if domain.name == wanted:
            break
    else:
        for domain in domains:
            if domain.uuid == wanted.lower():
                break
        else:
            raise DomainNotFound(
                f"Can't get domid of domain name '{wanted}', maybe this domain does not exist."
            )
    session.show(name_kind("domid"), [domain])


def domname(session: Session, args: Arguments) -> None:
    """``xl domname``: the name of a number; as in xl, what follows the digits doesn't matter."""
    number = _leading_number(args.rest[0])
    if number is None:
        raise XlError("Invalid domain id." + ("\n" if session.xl else ""))
    for domain in session.host.list_domains():
        if domain.domid == number and domain.name is not None:
            session.show(name_kind("name"), [domain])
            return
    raise DomainNotFound(f"Can't get domain name of domain id '{number}', maybe this domain does not exist.")


def _leading_number(text: str) -> int | None:
    """The number at the start of the text, as strtol reads it; None if there is none."""
    text = text.lstrip()
    sign = text[:1] if text[:1] in ("+", "-") else ""
    digits = ""
    for character in text[len(sign) :]:
        if character not in "0123456789":
            break
        digits += character
    return int(sign + digits) if digits else None
