"""What create, restore and start do with a domain once it is there. Restore needs nothing of what reads config files."""

from __future__ import annotations

from xlpy.errors import NotSupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.model.domain_config import DomainConfig


def tell_start(session: Session, domid: int, config: DomainConfig) -> None:
    """With -v: the domid, and what the engine does in another way than it was asked."""
    session.note(f"domain {config.c_info.name} has domid {domid}")
    notice = session.host.hello.notice
    if notice is not None and not session.xl and (session.options.verbose or session.host_names):
        session.say(f"{session.program}: {session.host.address}: {notice}")
    if not session.options.verbose:
        return
    try:
        notes = session.host.domain_notes(domid)
    except NotSupported:
        return  # an older xlpyd keeps them to itself
    for note in notes:
        session.note(f"  {note}")


def after_start(session: Session, args: Arguments, domid: int, config: DomainConfig, unpause: bool) -> None:
    """What create and restore do with a domain once it is there: viewer, console, foreground.

    ``unpause`` lets it run as soon as the console is attached, so that nothing it says is missed.
    """
    if args.flag("vncviewer") or args.flag("vncviewer-autopass"):
        from xlpy.cli.vnc import start_viewer

        start_viewer(session, domid, autopass=args.flag("vncviewer-autopass"))
    if args.flag("c"):
        from xlpy.cli.console import relay
        from xlpy.client.console import ConsoleView

        with ConsoleView(session.host, domid) as view:
            if unpause:
                session.host.unpause_domain(domid)
            relay(session, view)
    if args.flag("F") and not args.flag("e"):
        from xlpy.cli.foreground import stay

        stay(session, domid, config)
