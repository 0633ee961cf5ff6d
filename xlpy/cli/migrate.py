"""``xl migrate`` (xl_migrate.c), and the look before it."""

from __future__ import annotations

from xlpy.cli.commands import require_command
from xlpy.cli.numbers import number_of, whole_number
from xlpy.cli.saverestore import replacement
from xlpy.cli.usage import require_arguments
from xlpy.errors import MissingProgram, UsageError
from xlpy.model.migration import MigrationLimits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.client.direct import DirectWay
    from xlpy.client.migrate import Migration
    from xlpy.client.preflight import HostFinding

_LETTERS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def migrate(session: Session, args: Arguments) -> int | None:
    """``xl migrate``: move a running domain to another host."""
    for option in ("resume", "abort", "list"):
        if args.flag(option):
            from xlpy.cli import migrate_settle

            return migrate_settle.settle(session, args)
    require_arguments(session, require_command("migrate"), len(args.rest), 2)
    if args.flag("debug"):
        session.options.verbose += 1
    if session.plan is not None and not args.flag("check"):
        _rehearse(session, args)
        return None
    if _speaks_xl(session, args):
        from xlpy.cli.migrate_xl import to_xl

        return to_xl(session, args)
    return _move(session, args)


def _move(session: Session, args: Arguments) -> int | None:
    reference, address = _words(args)
    with session.progress(f"migrate {reference}") as report:
        migration = _prepared(session, args, report)
        if args.flag("check"):
            return _show_findings(session, migration.check())
        try:
            findings = migration.prepare()
        except MissingProgram as error:
            if not _may_take_xl(migration, args):
                raise
            return _fall_back(session, args, error)
        for item in findings:
            if not session.xl:
                session.say(f"{session.program}: {item.host}: {item.finding.text}")
        new_domid, result = migration.run()
        if report is not None:
            report(result)
    if session.xl:
        session.say("Migration successful.")
        return None
    # libxl doesn't tell for how long
    stood = f", and it stood still for {result.downtime_ms} ms" if result.downtime_ms else ""
    session.note(
        f"domain {reference} has domid {new_domid} at {address}; {result.transferred_bytes >> 20} MiB were sent in"
        f" {result.elapsed_ms / 1000:.1f} s{stood}"
    )
    if args.flag("with-disks"):
        session.note(
            f"its disks were copied; the files at {migration.source.address} are left as they were last"
        )
    return None


def _speaks_xl(session: Session, args: Arguments) -> bool:
    """Whether the other side is xl: it was said, or ``-s`` says all that leads there, as it does for xl."""
    if args.flag("xl"):
        return True
    return args.flag("s") and not args.flag("target") and (session.xl or args.value("s") == "")


def _may_take_xl(migration: Migration, args: Arguments) -> bool:
    """Whether an xl could do on the other host, where no xlpy can run."""
    from xlpy.cli.migrate_xl import NOT_WITH_XL

    asked = any(args.flag(option) for option in (*NOT_WITH_XL, "s"))
    return not asked and migration.source.hello.engine == "libxl"


def _fall_back(session: Session, args: Arguments, error: MissingProgram) -> int | None:
    from xlpy.cli.migrate_xl import to_xl

    session.say(f"{session.program}: {error.message}; trying its xl")
    return to_xl(session, args)


def _rehearse(session: Session, args: Arguments) -> None:
    """Note what would be done, after a look at what would be in its way. Raises InvalidState for that."""
    reference, address = _words(args)
    domain = session.domain(reference)
    if not _speaks_xl(session, args):
        for item in _prepared(session, args, None).prepare():
            session.say(f"{session.program}: {item.host}: {item.finding.text}")
    disks = " with its disks" if args.flag("with-disks") else ""
    paused = ", and leave it paused there" if args.flag("p") else ""
    session.rehearses(f"move {reference}{disks} to {address}{paused}", domain)


def _prepared(session: Session, args: Arguments, report: object) -> Migration:
    from xlpy.client.migrate import Migration

    reference, address = _words(args)
    domid = session.domid(reference)
    config, text = replacement(session, args.value("C"), domid, keep_domid=args.flag("D"))
    return Migration(
        session.host,
        session.other_host(address),
        domid,
        limits=limits_of(args),
        paused=args.flag("p"),
        supervised=not (args.flag("e") or args.flag("F")),
        config=config,
        config_text=text,
        with_disks=args.flag("with-disks"),
        direct=_direct(args, address),
        progress=report,  # type: ignore[arg-type]  # a Reporter gives a report or None
    )


def _words(args: Arguments) -> tuple[str, str]:
    """The domain, and the host to move it to. With an empty ``-s`` the host's place is taken by a command."""
    reference, host = args.rest[:2]
    target = args.value("target")
    if args.value("s") == "" and target is not None:
        return reference, target
    if target is not None:
        raise UsageError("--target goes with an empty -s", "name the host in its usual place")
    return reference, host


def _direct(args: Arguments, address: str) -> DirectWay | None:
    """How the source's host shall reach the target's; None to have the state go through us."""
    if not (args.flag("direct") or args.flag("direct-address") or args.flag("s")):
        return None
    if args.flag("with-disks"):
        raise UsageError("disks go through this client", "leave --direct out")
    from xlpy.client.direct import way_by, way_to
    from xlpy.client.resolve import resolve

    entries = resolve([address])
    if len(entries) != 1:
        raise UsageError(f"{address}: these are {len(entries)} hosts", "name one")
    if args.value("s") == "":
        return way_by(args.rest[1], entries[0])
    return way_to(entries[0], args.value("direct-address"), args.value("s"))


def _show_findings(session: Session, found: Iterable[HostFinding]) -> int:
    """``migrate --check``: all findings, and whether there is an error among them."""
    from xlpy.render.migration import finding_kind

    rows = [(item.host, item.finding) for item in found]
    session.show(finding_kind(), rows)
    if not rows:
        session.note("nothing is in the way of this migration")
    return int(any(finding.severity == "error" for _, finding in rows))


def limits_of(args: Arguments) -> MigrationLimits:
    """How hard the migration may try, from the command line. Raises UsageError."""
    given: dict[str, int] = {}
    for option, field in (("downtime", "downtime_ms"), ("max-downtime", "max_downtime_ms")):
        time_ms = number_of(args, option, f"{option} in milliseconds", least=1)
        if time_ms is not None:
            given[field] = time_ms
    bandwidth = args.value("bandwidth")
    if bandwidth is not None:
        given["bandwidth_bytes_per_s"] = _rate(bandwidth)
    limits = MigrationLimits(**given)
    if limits.downtime_ms > limits.max_downtime_ms:
        if "max_downtime_ms" in given:
            raise UsageError("--downtime is more than --max-downtime")
        limits = limits.replace(max_downtime_ms=limits.downtime_ms)
    return limits


def _rate(text: str) -> int:
    """``512``, ``10m``, ``10MiB/s``: bytes per second."""
    word = text.lower().removesuffix("/s").removesuffix("b").removesuffix("i")
    letter = word[-1:] if word[-1:].isalpha() else ""
    digits = word[: len(word) - len(letter)] if letter in _LETTERS else ""
    try:
        return whole_number(digits, "bandwidth", least=1) * _LETTERS.get(letter, 1)
    except UsageError:
        raise UsageError(
            f"{text!r} is no bandwidth", "bytes per second, with k, m or g if you like"
        ) from None
