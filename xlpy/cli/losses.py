"""What commands lose, in sentences for the question before them and for plans.

To have a command ask: ``loses=True`` in its row, and a function here that gives the sentence for its arguments, or None
when nothing is lost with these.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session

    Loss = Callable[[Session, Arguments], str | None]

_DEADLY_SYSRQS = {"b": "reboots", "c": "crashes", "o": "powers off"}
_UNWRITTEN = "what has not been written to disks yet is lost"


def _destroy(session: Session, args: Arguments) -> str:
    if not session.plural and len(args.rest) == 1 and "@" not in args.rest[0]:
        session.domain(args.rest[0])  # nobody shall be asked about one that isn't there
    return f"{_list(args.rest)} will be destroyed, and {_UNWRITTEN}"


def _trigger(session: Session, args: Arguments) -> str | None:
    if args.rest[1] != "reset":
        return None
    return f"{args.rest[0]} will be reset without being asked, and {_UNWRITTEN}"


def _sysrq(session: Session, args: Arguments) -> str | None:
    what = _DEADLY_SYSRQS.get(args.rest[1])
    return None if what is None else f"this {what} {args.rest[0]} at once, and {_UNWRITTEN}"


def _block_detach(session: Session, args: Arguments) -> str | None:
    if not args.flag("force"):
        return None
    return f"{args.rest[0]} is not asked, and what it has not written to {args.rest[1]} yet is lost"


def _file(place: int) -> Loss:
    """A command that writes the file of this argument."""

    def loss(session: Session, args: Arguments) -> str | None:
        return _overwritten(args.rest[place])

    return loss


def _config_export(session: Session, args: Arguments) -> str | None:
    return _overwritten(args.rest[1]) if len(args.rest) > 1 and args.flag("force") else None


def _overwritten(path: str) -> str | None:
    if not os.path.isfile(path) or not os.path.getsize(path):
        return None
    return f"{path} will be overwritten, and what is in it now is lost"


def _undefine(session: Session, args: Arguments) -> str:
    for name in args.rest:
        session.host.domain_definition(name)
    count = sum(len(session.host.definition_versions(name)) for name in args.rest)
    return f"{_list(args.rest)} will be forgotten with {count} version{'s' if count > 1 else ''}"


def _cpupool_destroy(session: Session, args: Arguments) -> str:
    pool = session.cpupool(args.rest[0])
    return f"cpupool {pool.name} will be destroyed, and the settings of its scheduler are lost"


def _migrate(session: Session, args: Arguments) -> str | None:
    if not (args.flag("resume") and args.flag("force")):
        return None
    return "if the target runs the domain after all, there will be two of it, and its disks are lost"


def _host_uninstall(session: Session, args: Arguments) -> str:
    return f"xlpyd will be removed from {_list(args.rest)} with its managed domains and its events"


def _host_restart(session: Session, args: Arguments) -> str | None:
    if not args.flag("force"):
        return None
    return f"what {_list(args.rest)} is moving or saving will be broken off"


def _broker_stop(session: Session, args: Arguments) -> str | None:
    from xlpy.client.broker import broker_status

    answer = broker_status() if args.flag("force") else None
    clients = 0 if answer is None else sum(line.clients for line in answer.lines)
    return f"{clients} command{'s' if clients > 1 else ''} under way will be broken off" if clients else None


def _lab_down(session: Session, args: Arguments) -> str | None:
    from xlpy.cli.lab import named_hosts

    names = named_hosts(session, args.rest)
    return (
        f"{_list(names)} will be ended, and what is on {'their' if len(names) > 1 else 'its'} disks is lost"
        if names
        else None
    )


def _lab_reset(session: Session, args: Arguments) -> str:
    return f"{args.rest[0]} will be put back, and what was done there since is lost"


def _list(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


LOSSES: dict[str, Loss] = {
    "destroy": _destroy,
    "trigger": _trigger,
    "sysrq": _sysrq,
    "block-detach": _block_detach,
    "save": _file(1),
    "dump-core": _file(1),
    "config export": _config_export,
    "undefine": _undefine,
    "cpupool-destroy": _cpupool_destroy,
    "migrate": _migrate,
    "host uninstall": _host_uninstall,
    "host restart": _host_restart,
    "broker stop": _broker_stop,
    "lab down": _lab_down,
    "lab reset": _lab_reset,
}
