"""``xlpy migrate`` to a host that has xl alone, by xl's own way: a command that ends in ``xl migrate-receive`` there."""

from __future__ import annotations

import shlex

from xlpy.cli.saverestore import replacement
from xlpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.inventory.entry import HostEntry

NOT_WITH_XL = ("with-disks", "direct", "direct-address", "check")


def to_xl(session: Session, args: Arguments) -> int | None:
    """Move a domain to an xl. What goes over goes through this process, as it does with ``xl migrate``."""
    from xlpy.cli.migrate import limits_of
    from xlpy.client.xl_peer import XlPeer
    from xlpy.client.xl_send import MigrationToXl

    for option in NOT_WITH_XL:
        if args.flag(option):
            raise UsageError(f"--{option} needs an xlpy on the other host, too", "leave --xl out")
    reference, host = args.rest[:2]
    domid = session.domid(reference)
    config, _ = replacement(session, args.value("C"), domid, keep_domid=args.flag("D"))
    wishes = (("e", args.flag("e") or args.flag("F")), ("d", args.flag("debug")), ("p", args.flag("p")))
    flags = "".join(f" -{letter}" for letter, wish in wishes if wish)
    rune = rune_of(session, args.value("s"), host, f"{_xl_words(session)} migrate-receive{flags}")
    aloud = session.xl or bool(session.options.verbose)
    with XlPeer(rune, host, aloud) as peer, session.progress(f"migrate {reference}") as report:
        result = MigrationToXl(
            session.host,
            domid,
            peer,
            limits=limits_of(args),
            config=config,
            progress=report,
            say=session.say if session.xl else session.note,
        ).run()
        if report is not None:
            report(result)
    if session.xl:
        session.say("Migration successful.")
    return None


def rune_of(session: Session, program: str | None, host: str, command: str) -> str:
    """The shell command that leads to xl on the other host: as xl makes it, or with what the inventory says of the host.

    With an empty ``program`` the host is that command.
    """
    if program == "":
        return host
    if program is not None:
        return f"exec {program} {host} {command}"
    entry = _entry(session, host)
    if entry is not None and entry.is_local:
        return f"exec {command}"
    from xlpy.client.direct import ssh_words
    from xlpy.inventory.entry import HostEntry

    entry = entry or HostEntry(name=host, address=host)
    if entry.unix_path is not None:
        raise UsageError(
            f"{host} is a socket of this machine", "name a host that ssh reaches, or leave --xl out"
        )
    return f"exec {shlex.join(ssh_words(entry))} {'sudo -n ' if entry.sudo else ''}{command}"


def _entry(session: Session, host: str) -> HostEntry | None:
    """What the inventory says of a host; None as xl, which leaves that to ssh. Raises UsageError, ConfigError."""
    if session.xl:
        return None
    from xlpy.client.resolve import resolve

    entries = resolve([host])
    if len(entries) != 1:
        raise UsageError(f"{host}: these are {len(entries)} hosts", "name one")
    return entries[0]


def _xl_words(session: Session) -> str:
    """xl with the global options that it hands on (main_migrate)."""
    options = session.options
    words = ["xl"]
    if options.progress_cr:
        words.append("-t")
    if options.timestamps:
        words.append("-T")
    if session.xl and options.verbose:
        words.append(f"-{'v' * options.verbose}")
    return " ".join(words)
