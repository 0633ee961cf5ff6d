"""``xl remus`` (main_remus in xl_migrate.c)."""

from __future__ import annotations

from xlpy.cli.numbers import number_of
from xlpy.errors import NotSupported
from xlpy.model.remus import RemusOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session

_USUAL_INTERVAL_MS = 200


def remus(session: Session, args: Arguments) -> int | None:
    """``xl remus``: keep a copy of a running domain on another host, until the domain is destroyed or the copy fails."""
    from xlpy.client.remus import replicate, replicate_to_nowhere

    if args.flag("c") or args.flag("p"):
        raise NotSupported(
            "COLO needs QEMU and kernels on both hosts that are made for it, which xlpy does not drive",
            "leave -c and -p out: Remus keeps a copy with less",
        )
    reference, host = args.rest[:2]
    domid = session.domid(reference)
    options = _options(args)
    if session.plan is not None:
        where = "nowhere, as a test" if options.blackhole else host
        session.rehearses(
            f"send every change of {reference} to {where}, until one side ends",
            session.host.domain_info(domid),
        )
        return None
    if options.blackhole:
        replicate_to_nowhere(session.host, domid, options)
    else:
        from xlpy.cli.migrate_xl import rune_of
        from xlpy.client.xl_peer import XlPeer

        rune = rune_of(
            session, args.value("s"), host, f"xl migrate-receive -r{' -e' if args.flag('e') else ''}"
        )
        with XlPeer(rune, host, aloud=session.xl or bool(session.options.verbose)) as peer:
            replicate(session.host, domid, peer, options)
    session.say("Remus: Primary domain has been destroyed.")
    return None


def _options(args: Arguments) -> RemusOptions:
    return RemusOptions(
        interval_ms=number_of(args, "i", "number of milliseconds", least=1) or _USUAL_INTERVAL_MS,
        unsafe=args.flag("F"),
        blackhole=args.flag("b"),
        compression=not args.flag("u"),
        netbuf=not args.flag("n"),
        netbuf_script=args.value("N"),
        diskbuf=not args.flag("d"),
    )
