"""``xlpy config fmt``: configuration files in their canonical layout."""

from __future__ import annotations

import sys

from xlpy.cli.config_file import read_file
from xlpy.cli.whole_file import replace_file
from xlpy.config.domain import decode_text
from xlpy.config.layout import formatted
from xlpy.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session


def fmt(session: Session, args: Arguments) -> int:
    """Rewrite files that aren't in their canonical layout; with ``--check`` only name them.

    A file that doesn't parse is reported and left alone, and the others are formatted all the same.
    """
    status = 0
    wrong: list[str] = []
    for path in args.rest:
        try:
            text = decode_text(read_file(path))
            wanted = formatted(text, path)
        except ConfigError as error:
            from xlpy.cli.failure import report

            report(error, session)
            status = 1
            continue
        if path == "-" and not args.flag("check"):
            sys.stdout.flush()
            sys.stdout.buffer.write(_encoded(wanted))
            sys.stdout.buffer.flush()
        elif wanted != text and args.flag("check"):
            wrong.append(path)
            status = 1
        elif wanted != text and not session.rehearses(f"bring {path} into its canonical layout", host=None):
            replace_file(path, _encoded(wanted))
            session.note(f"formatted {path}")
    if args.flag("check"):
        from xlpy.render.text import file_kind

        session.show(file_kind(), wrong)
    return status


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
