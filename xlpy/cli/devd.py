"""``xl devd``: the daemon of a driver domain (xl_misc.c, main_devd)."""

from __future__ import annotations

import os
import sys

from xlpy.cli.usage import too_many
from xlpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session


def devd(session: Session, args: Arguments) -> int:
    """Handle the events of the devices that this domain serves to others (libxl_device_events_handler).

    In the background it returns when the daemon is at work; with ``-F`` not before that ends.
    """
    from xlpy.client.own_program import own_program

    if args.rest and not session.xl:
        return too_many(session, "devd", args.rest[0], 1)
    if session.options.hosts:
        raise UsageError("devd works in the domain that it is started in", "log in to the driver domain")
    if session.rehearses("run the daemon that serves this domain's devices to others"):
        return 0
    words = ["--foreground"] if args.flag("F") else []
    pidfile = args.value("pidfile")
    if pidfile is not None and not args.flag("F"):
        words += ["--pidfile", os.path.abspath(pidfile)]
    command = own_program("xlpy.agent.devd", *words)
    sys.stdout.flush()
    if args.flag("F"):
        os.execv(command[0], command)
    return os.waitstatus_to_exitcode(os.waitpid(os.posix_spawn(command[0], command, os.environ), 0)[1])
