"""xlpy broker: the process that keeps connections to hosts behind SSH."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session


def status(session: Session, args: Arguments) -> int:
    """Show its connections; exit status 1 when there is no broker."""
    from xlpy.client.broker import broker_status
    from xlpy.render.broker import line_kind

    answer = broker_status()
    session.show(line_kind(), answer.lines if answer is not None else ())
    if answer is None:
        session.say("there is no broker; the first command that needs one starts it")
        return 1
    sys.stdout.flush()
    session.note(f"the broker is process {answer.pid}, of xlpy {answer.build}")
    return 0


def stop(session: Session, args: Arguments) -> int:
    """Let it end, now or when what is under way is over."""
    from xlpy.client.broker import broker_status, stop_broker

    if session.plan is not None:
        if broker_status() is not None:
            session.rehearses("end the broker and its connections", host=None)
        return 0
    answer = stop_broker(args.flag("force"))
    if answer is None:
        session.say("there is no broker")
        return 0
    clients = sum(line.clients for line in answer.lines)
    if clients and not args.flag("force"):
        commands = "a command is" if clients == 1 else f"{clients} commands are"
        session.say(f"it ends as soon as nobody uses it: {commands} under way (--force breaks them)")
    return 0
