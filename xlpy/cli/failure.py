"""How errors are shown, in one place.

    xlpy: web.cfg:12:8: disk: unknown format 'qcow3'
      (formats: raw, qcow, qcow2, vhd)

As xl the message stands alone, as scripts know it; a hint is added for a person only.
"""

from __future__ import annotations

import os
import sys

from xlpy.errors import DomainNotFound, XlError, lacking_package

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from xlpy.cli.session import Session


def report(error: XlError, session: Session) -> int:
    """Print the error on stderr and return the exit status it asks for."""
    if session.options.debug:
        _print_traceback(error)
    lines = [_headline(error, session)]
    if error.detail:
        lines += [f"  {line}" for line in error.detail.splitlines()]
    if error.hint and (not session.xl or sys.stderr.isatty()):
        lines.append(f"  ({error.hint})")
    session.warn("\n".join(lines))
    return error.exit_status


def report_for(host: str, error: XlError, session: Session) -> None:
    """Print one host's error on one line, for it is one of many; its detail is for ``-v``."""
    if session.options.debug:
        _print_traceback(error)
    hint = f" ({error.hint})" if error.hint else ""
    text = str(error) if str(error).startswith(f"{host}: ") else f"{host}: {error}"
    lines = [f"{session.program}: {text}{hint}"]
    if error.detail and session.options.verbose:
        lines += [f"  {line}" for line in error.detail.splitlines()]
    session.warn("\n".join(lines))


def unforeseen(error: BaseException) -> XlError:
    """What is said of an exception that nobody has foreseen: xlpy itself is at fault, if nothing is missing here."""
    lacking = lacking_package(error)
    if lacking is not None:
        return lacking
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    found = XlError(
        f"this is a bug in xlpy ({what})", "run it again with --debug and report what it prints, please"
    )
    found.__cause__ = error  # for --debug
    return found


def report_bug(error: Exception, session: Session) -> int:
    """Say what has to be said of an exception that nobody has foreseen."""
    return report(unforeseen(error), session)


def reworded(error: XlError, session: Session, xl_words: str) -> XlError:
    """The error in the words that xl's scripts know, when called as xl; what really happened becomes its detail."""
    if not session.xl:
        return error
    detail = f"{error}\n{error.detail}" if error.detail else str(error)
    return type(error)(xl_words, error.hint, detail=detail, exit_status=error.exit_status)


class worded_as_xl:
    """Around an operation: its failure is ``reworded``."""

    def __init__(self, session: Session, xl_words: str) -> None:
        self._session = session
        self._xl_words = xl_words

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, XlError) and self._session.xl:
            raise reworded(error, self._session, self._xl_words) from error


def mute_stdout() -> None:
    """After the reader of a pipe has gone: let what is still buffered vanish instead of failing at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _headline(error: XlError, session: Session) -> str:
    if not session.xl:
        return f"{session.program}: {error}"
    if isinstance(error, DomainNotFound) and error.message.endswith("is an invalid domain identifier"):
        return f"{error} (rc=-6)"  # libxl's ERROR_INVAL, printed by find_domain in xl_utils.c
    return str(error)


def _print_traceback(error: BaseException) -> None:
    import traceback

    traceback.print_exception(error)
