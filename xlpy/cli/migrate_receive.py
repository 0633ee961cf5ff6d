"""``xl migrate-receive`` (xl_migrate.c): what an xl that migrates a domain starts on the other host."""

from __future__ import annotations

import os
import sys

from xlpy.cli.usage import too_many
from xlpy.errors import NotSupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.model.migration import SavedDomain

_COLO = ("colo", "coloft-script", "userspace-colo-proxy")


def migrate_receive(session: Session, args: Arguments) -> int | None:
    """Speak xl's protocol on standard input and output, and receive a domain by it."""
    if args.rest:
        return too_many(session, "migrate-receive", args.rest[0], 1)
    for option in _COLO:
        if args.flag(option):
            raise NotSupported(
                f"--{option}: a COLO pair needs both hosts' QEMU and kernels made for it, which xlpy does not drive",
                "use Remus, which keeps a copy with less: xlpy remus",
            )
    if session.rehearses("receive a domain from standard input"):
        return None
    from xlpy.client.xl_receive import Reception

    reception = Reception(
        session.host,
        sys.stdin.fileno(),
        sys.stdout.fileno(),
        sender=_sender(),
        paused=args.flag("p"),
        supervised=not args.flag("e"),
        failover=args.flag("r"),
        say=session.say,
        show=lambda saved: _print_config(session, saved) if args.flag("d") else None,
    )
    domid = reception.run()
    if args.flag("F") and not args.flag("e"):
        from xlpy.cli.foreground import stay

        stay(session, domid, session.host.domain_config(domid))
    return None


def _sender() -> str:
    """The host that the domain comes from, as far as that can be known: the one that has logged in."""
    words = os.environ.get("SSH_CONNECTION", "").split()
    return words[0] if words else "another xl"


def _print_config(session: Session, saved: SavedDomain) -> None:
    from xlpy.cli.create import print_config

    print_config(session, saved.config, sys.stderr)
