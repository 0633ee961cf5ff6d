"""Managed domains: define, undefine, start, autostart, config log, config restore. xl has none."""

from __future__ import annotations

import os

from xlpy.cli.config_file import named_config, read_config, variables_of, with_absolute_paths
from xlpy.cli.numbers import seconds, whole_number
from xlpy.cli.usage import too_many
from xlpy.errors import DomainNotFound, InvalidState, NotSupported, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.model.domain import DomainInfo

_LONGEST_DELAY_S = 86400.0
_HIGHEST_ORDER = 1_000_000


def define(session: Session, args: Arguments) -> int | None:
    """Remember the domain of a config file; it is not started. Known already, it gets a new version."""
    path, overrides, surplus = named_config(args.rest, args)
    if surplus is not None:
        return too_many(session, "define", surplus, 2)
    parsed = read_config(session, path, overrides, variables=variables_of(args))
    directory = os.getcwd()
    config = with_absolute_paths(parsed.config, directory)
    defined = session.host.define_domain(config, None if overrides else parsed.source, directory)
    session.note(f"{defined.name} is defined, version {defined.version}")
    return None


def undefine(session: Session, args: Arguments) -> None:
    """Forget managed domains, all or none of those that are named; those that run go on."""
    for name in args.rest:
        session.host.domain_definition(name)
    for name in args.rest:
        session.host.undefine_domain(name)


def start(session: Session, args: Arguments) -> int | None:
    """Start a managed domain with its newest configuration."""
    from xlpy.cli.started import after_start, tell_start

    name = args.rest[0]
    if len(args.rest) > 1:
        return too_many(session, "start", args.rest[1], 2)
    definition = session.host.domain_definition(name)
    running = _running(session, name)
    if running is not None:
        raise InvalidState(f"{name} is running already (domain {running.domid})")
    console, paused = args.flag("c"), args.flag("p")
    domid = session.host.create_domain(
        definition.config,
        paused=paused or console,
        supervised=not args.flag("e"),
        config_text=definition.config_text,
    )
    tell_start(session, domid, definition.config)
    after_start(session, args, domid, definition.config, unpause=console and not paused)
    return None


def autostart(session: Session, args: Arguments) -> None:
    """Start managed domains when the host has started, or not any more; without a name, show which ones do."""
    from xlpy.render.definition import definition_kind

    if not args.rest:
        session.show(definition_kind(), session.host.list_definitions())
        return
    if args.flag("off"):
        if args.flag("order") or args.flag("delay"):
            raise UsageError("--off excludes --order and --delay")
        order = None
    else:
        order = whole_number(args.value("order") or "0", "order", most=_HIGHEST_ORDER)
    delay_s = seconds(
        args.value("delay") or "0", "delay", zero=True, most=_LONGEST_DELAY_S, hint="seconds, at most a day"
    )
    for name in args.rest:
        session.host.set_autostart(name, order, delay_s)


def log(session: Session, args: Arguments) -> None:
    """The configurations that a managed domain has had, or the text of one of them."""
    name, *numbers = args.rest
    if not numbers:
        from xlpy.render.definition import version_kind

        session.show(version_kind(), session.host.definition_versions(name))
        return
    version = whole_number(numbers[0], "version", most=_HIGHEST_ORDER)
    from xlpy.render.text import definition_text_kind

    text = text_of_version(session, name, version)
    session.show_text(definition_text_kind(), (name, version, text), text)


def restore(session: Session, args: Arguments) -> None:
    """Make an older configuration the newest again; what was in between stays in the log."""
    name, number = args.rest[:2]
    older = session.host.domain_definition(name, whole_number(number, "version", most=_HIGHEST_ORDER))
    newest = session.host.domain_definition(name)
    defined = session.host.define_domain(older.config, older.config_text, older.directory, newest.version)
    session.note(f"{name} is at version {defined.version}, which is version {older.version} again")


def text_of_version(session: Session, name: str, version: int | None = None) -> str:
    """The file of a managed domain: as it was given, else made from what is known. Raises ConfigError."""
    definition = session.host.domain_definition(name, version)
    if definition.config_text is not None:
        return definition.config_text
    from xlpy.config.writer import config_text

    return config_text(definition.config)


def stopped(session: Session, running: Sequence[DomainInfo]) -> list[DomainInfo]:
    """The managed domains that don't run, as rows of ``list --all``."""
    from xlpy.model.domain import DomainInfo
    from xlpy.render.domain import NOT_RUNNING

    names = {domain.name for domain in running}
    try:
        definitions = session.host.list_definitions()
    except NotSupported:
        return []  # an older xlpyd remembers none
    return [
        DomainInfo(
            domid=NOT_RUNNING,
            uuid=defined.uuid,
            name=defined.name,
            domain_type=defined.domain_type,
            current_memory_kib=defined.max_memory_kib,
            max_memory_kib=defined.max_memory_kib,
            vcpu_online=defined.max_vcpus,
            cpupool_name="-",
        )
        for defined in definitions
        if defined.name not in names
    ]


def _running(session: Session, name: str) -> DomainInfo | None:
    try:
        found = session.host.find_domain(name)
    except DomainNotFound:
        return None
    return found if found.name == name else None
