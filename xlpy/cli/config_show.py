"""``xlpy config show``: what a configuration file comes to, and where each value is from."""

from __future__ import annotations

import sys

from xlpy.cli.config_file import named_config, read_config, variables_of
from xlpy.cli.usage import too_many

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.render.kind import Kind, Row

_COMMENT_COLUMN = 40


def show(session: Session, args: Arguments) -> int | None:
    """Print every setting that has a value, the file's, derived ones and libxl's defaults.

    ``--plain`` prints the text itself, without what only extended files can have.
    """
    path, overrides, surplus = named_config(args.rest, args)
    if surplus is not None:
        return too_many(session, "config show", surplus, 2)
    variables = variables_of(args)
    parsed = read_config(session, path, overrides, quiet=args.flag("plain"), variables=variables)
    if args.flag("plain"):
        sys.stdout.flush()
        sys.stdout.buffer.write(parsed.source.encode("utf-8", "surrogateescape"))
        sys.stdout.buffer.flush()
        return None
    from xlpy.config.effective import effective_settings

    session.show(setting_kind(), effective_settings(parsed.config, parsed.settings))
    return None


def setting_kind() -> Kind:
    """A setting with its value and where that comes from."""
    from xlpy.render.kind import Column, Kind

    return Kind(
        "config-setting",
        (
            Column("name", "Setting", lambda row: row.name),
            Column("value", "Value", lambda row: row.value),
            Column("source", "Source", lambda row: row.source),
            Column("origin", "Origin", lambda row: row.origin),
        ),
        _plain,
    )


def _plain(rows: Sequence[Row], headers: bool) -> Iterator[str]:
    """A config file with the origin of each value in a comment."""
    for row in rows:
        *before, last = f"{row.name} = {row.value}".split("\n")
        yield from before
        origin = {"default": "default", "derived": "from "}.get(row.source, "")
        if row.source == "derived":
            origin += row.origin
        elif row.source == "file" or row.origin != "libxl":
            origin = row.origin
        yield f"{last:{_COMMENT_COLUMN}}  # {origin}"
