"""``xl create`` and ``xl config-update`` (create_domain in xl_vmcontrol.c, main_config_update in xl_misc.c)."""

from __future__ import annotations

import os
import sys

from xlpy.cli.config_file import (
    named_config,
    read_config,
    refuse_what_has_no_effect,
    variables_of,
    with_absolute_paths,
)
from xlpy.cli.started import after_start, tell_start
from xlpy.cli.usage import too_many
from xlpy.errors import (
    ConfigError,
    ConnectError,
    Interrupted,
    ProtocolError,
    UsageError,
    XlError,
)

_UNREADABLE_STATUS = 253  # what xl's config-update leaves of libxl's -3; create has 3

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.model.domain_config import DomainConfig

FAILED_STATUS = 3  # libxl's ERROR_FAIL, which xl create turns into its exit status


def create(session: Session, args: Arguments) -> int | None:
    """``xl create``: parse the file, start the domain, attach what was asked for."""
    quiet = args.flag("quiet") or session.options.quiet
    path, overrides, surplus = named_config(args.rest, args)
    if surplus is not None:
        return too_many(session, "create", surplus, 2)
    ignore_masks = args.flag("ignore-global-affinity-masks")
    parsed = read_config(session, path, overrides, quiet, ignore_masks, variables_of(args))
    if args.flag("strict"):
        refuse_what_has_no_effect(parsed)
    if args.flag("dryrun") or session.options.dry_run:
        _show_config(session, parsed.config)
        return None
    if args.flag("d"):
        print_config(session, parsed.config, sys.stderr)
    config = with_absolute_paths(parsed.config, os.getcwd())
    console = args.flag("c")
    paused = args.flag("p")
    try:
        domid = session.host.create_domain(
            config,
            paused=paused or console,
            supervised=not args.flag("e"),
            config_text=parsed.source,
        )
    except (ConnectError, Interrupted, ProtocolError):
        raise
    except XlError as error:
        if error.exit_status == 1:
            error.exit_status = FAILED_STATUS
        raise
    tell_start(session, domid, config)
    after_start(session, args, domid, config, unpause=console and not paused)
    return None


def _show_config(session: Session, config: DomainConfig) -> None:
    """What ``-n`` prints: libxl's JSON, or with -o a document like that of ``list -l``. Raises UsageError."""
    from xlpy.model.json_text import loads

    text = _text(session, config, entry=False)
    if session.form == "csv":
        raise UsageError("a configuration does not fit into csv", "use -o json or -o yaml")
    rows = [{"domid": None, "config": loads(text)}] if session.structured else []
    session.show_documents("xlpy/domain-config/1", rows, text)


def _text(session: Session, config: DomainConfig, entry: bool) -> str:
    """The configuration in the form that xl.conf asks for: libxl's JSON or an s-expression. Raises NotSupported."""
    from xlpy.cli.xl_conf import wants_s_expressions

    if wants_s_expressions(session):
        from xlpy.config.libxl_sxp import domain_sxp

        return domain_sxp(config)
    from xlpy.config.libxl_json import domain_entry_json, domain_json

    return domain_entry_json(None, config) if entry else domain_json(config)


def config_update(session: Session, args: Arguments) -> int | None:
    """``xl config-update``: the configuration for the domain's next restart."""
    if session.xl:
        session.warn(
            "WARNING: xl now has better capability to manage domain configuration, "
            "avoid using this command when possible"
        )
    domid = session.domid(args.rest[0])
    path, overrides, surplus = named_config(args.rest[1:], args)
    if surplus is not None:
        return too_many(session, "config-update", surplus, 2)
    if path is None:
        raise UsageError("Config file not specified", exit_status=1)
    try:
        parsed = read_config(session, path, overrides, quiet=True, variables=variables_of(args))
    except ConfigError as error:
        if session.xl and isinstance(error.__cause__, OSError):
            error.exit_status = _UNREADABLE_STATUS
        raise
    if args.flag("d") or session.options.dry_run:
        print_config(session, parsed.config, sys.stdout, entry=True)
    if not session.options.dry_run:
        if session.plan is None:
            session.say(f"setting dom{domid} configuration")
        config = with_absolute_paths(parsed.config, os.getcwd())
        session.host.update_config(domid, config, parsed.source)
    return None


def print_config(session: Session, config: DomainConfig, out: TextIO, entry: bool = False) -> None:
    """Print a configuration as xl does; ``entry`` as ``xl config-update -d`` does, with an unset domid."""
    out.write(_text(session, config, entry))
