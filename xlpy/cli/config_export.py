"""``xlpy config export``: a domain's configuration as a file."""

from __future__ import annotations

import os
import sys

from xlpy.cli.usage import too_many
from xlpy.errors import XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.model.domain_config import DomainConfig


def export(session: Session, args: Arguments) -> int | None:
    """Write the file from which xl and xlpy make the domain as it is now, devices that came later included.

    Raises ConfigError for a domain that no file can describe, and XlError rather than overwrite without ``--force``.
    """
    from xlpy.config.writer import config_text

    if len(args.rest) > 2:
        return too_many(session, "config export", args.rest[2], 2)
    reference, *paths = args.rest
    text = config_text(session.host.domain_config(session.domain(reference).domid))
    data = text.encode("utf-8", "surrogateescape")
    path = paths[0] if paths else "-"
    if path == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        _require_place(path, overwrite=args.flag("force"))
        if not session.rehearses(f"write the configuration of {reference} to {path}"):
            _put(path, data)
            session.note(f"wrote {path}")
    return None


def text_of(config: DomainConfig) -> str | None:
    """The file that describes a domain, or None if no file can."""
    from xlpy.config.writer import config_text
    from xlpy.errors import ConfigError

    try:
        return config_text(config)
    except ConfigError:
        return None


def _require_place(path: str, overwrite: bool) -> None:
    if os.path.lexists(path) and not overwrite:
        raise XlError(f"{path} is there already", "--force writes over it")


def _put(path: str, data: bytes) -> None:
    from xlpy.cli.whole_file import create_file, replace_file

    if os.path.lexists(path):
        replace_file(path, data)
    else:
        create_file(path, data)
