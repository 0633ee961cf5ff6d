"""``xl migrate`` (xl_migrate.c), and settling a migration that was cut off."""

from __future__ import annotations

from xlpy.cli.commands import require_command
from xlpy.cli.saverestore import replacement
from xlpy.cli.usage import require_arguments
from xlpy.client.migrate import migrate as migrate_domain
from xlpy.errors import InvalidState, NotSupported, UsageError
from xlpy.model.migration import MigrationLimits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session

_LETTERS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
# what xlpyd says of a domain that stands still because of a transfer
_STANDING_STILL = ("saved", "sent", "incoming")


def migrate(session: Session, args: Arguments) -> None:
    """``xl migrate``: move a running domain to another host."""
    if args.flag("resume") or args.flag("abort"):
        settle(session, args)
        return
    require_arguments(session, require_command("migrate"), len(args.rest), 2)
    if args.flag("s"):
        raise NotSupported(
            "this release reaches other hosts by itself and runs no SSH command",
            "leave -s out and name the host as unix:///path/to/xlpy.sock",
        )
    reference, address = args.rest[:2]
    domid = session.domid(reference)
    config, _ = replacement(session, args.value("C"), domid, keep_domid=args.flag("D"))
    if args.flag("debug"):
        session.options.verbose += 1
    target = session.other_host(address)
    with session.progress(f"migrate {reference}") as report:
        new_domid, result = migrate_domain(
            session.host,
            target,
            domid,
            limits=limits_of(args),
            paused=args.flag("p"),
            supervised=not args.flag("e"),
            config=config,
            progress=report,
        )
        if report is not None:
            report(result)
    if session.xl:
        session.say("Migration successful.")
    else:
        session.note(
            f"domain {reference} has domid {new_domid} at {address}; it stood still for {result.downtime_ms} ms"
        )


def settle(session: Session, args: Arguments) -> None:
    """Say what becomes of a domain that a broken transfer has left standing still on this host.

    Raises InvalidState for one that doesn't.
    """
    if args.flag("resume") and args.flag("abort"):
        raise UsageError("--resume and --abort exclude each other")
    domain = session.domain(args.rest[0])
    if domain.activity not in _STANDING_STILL:
        raise InvalidState(
            f"domain {args.rest[0]} doesn't stand still after a migration", "see: xlpy list, xlpy events"
        )
    if args.flag("abort"):
        session.host.destroy_domain(domain.domid)
    elif domain.activity == "incoming":
        raise InvalidState(
            f"domain {args.rest[0]} is still being received", "resume it on the host that it comes from"
        )
    else:
        session.host.resume_saved(domain.domid)


def limits_of(args: Arguments) -> MigrationLimits:
    """How hard the migration may try, from the command line. Raises UsageError."""
    given: dict[str, int] = {}
    for option, field in (("downtime", "downtime_ms"), ("max-downtime", "max_downtime_ms")):
        text = args.value(option)
        if text is not None:
            given[field] = _positive(text, option, "a number of milliseconds")
    bandwidth = args.value("bandwidth")
    if bandwidth is not None:
        letter = bandwidth[-1:].lower() if bandwidth[-1:].isalpha() else ""
        digits = bandwidth[: len(bandwidth) - len(letter)]
        if letter not in _LETTERS:
            digits = ""
        number = _positive(digits, "bandwidth", "bytes per second, with k, m or g if you like")
        given["bandwidth_bytes_per_s"] = number * _LETTERS[letter]
    limits = MigrationLimits(**given)
    if limits.downtime_ms > limits.max_downtime_ms:
        if "max_downtime_ms" in given:
            raise UsageError("--downtime is more than --max-downtime")
        limits = limits.replace(max_downtime_ms=limits.downtime_ms)
    return limits


def _positive(text: str, option: str, expected: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) == 0:
        raise UsageError(f"--{option} needs {expected}")
    return int(text)
