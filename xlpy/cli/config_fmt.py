"""``xlpy config fmt``: configuration files in their canonical layout."""

from __future__ import annotations

import os
import sys

from xlpy.cli.config_file import read_file
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
            print(path)
            status = 1
        elif wanted != text:
            _replace(path, _encoded(wanted))
            session.note(f"formatted {path}")
    return status


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _replace(path: str, data: bytes) -> None:
    """Put new contents in the place of a file, all or nothing, with the same owner and mode. Raises ConfigError."""
    real = os.path.realpath(path)
    partial = f"{real}.{os.getpid()}.partial"
    try:
        state = os.stat(real)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with open(descriptor, "wb") as file:
                file.write(data)
                os.fchmod(descriptor, state.st_mode & 0o7777)
                if (state.st_uid, state.st_gid) != (os.geteuid(), os.getegid()):
                    os.fchown(descriptor, state.st_uid, state.st_gid)
            os.replace(partial, real)
        except BaseException:
            os.unlink(partial)
            raise
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from error
