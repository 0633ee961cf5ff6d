"""``xlpy edit``: a managed domain's file in the user's editor."""

from __future__ import annotations

import os
import tempfile

from xlpy.cli.config_file import read_config, with_absolute_paths
from xlpy.cli.consent import ask, at_terminal
from xlpy.errors import ConfigError, MissingProgram, XlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.cli.options import Arguments
    from xlpy.cli.session import Session
    from xlpy.config.domain import ParsedConfig

_ENCODING = ("utf-8", "surrogateescape")


def edit(session: Session, args: Arguments) -> None:
    """Change the file, check it, and make it the newest version. What is wrong may be mended in the editor again.

    Raises InvalidState when somebody else changed it meanwhile. An edited file that comes to nothing is kept.
    """
    from xlpy.cli.managed import text_of_version

    name = args.rest[0]
    before = session.host.domain_definition(name)
    text = text_of_version(session, name)
    if session.rehearses(f"open {name} in an editor, and make what it is then version {before.version + 1}"):
        return
    handle, path = tempfile.mkstemp(prefix=f"xlpy-{os.path.basename(name)}-", suffix=".cfg")
    with os.fdopen(handle, "wb") as file:
        file.write(text.encode(*_ENCODING))
    directory = before.directory or os.getcwd()
    try:
        parsed = _edited(session, path, directory, text, name)
        if parsed is None:
            session.say(f"{name} was not changed")
            os.unlink(path)
            return
        config = with_absolute_paths(parsed.config, directory)
        defined = session.host.define_domain(config, parsed.source, directory, before.version)
    except XlError as error:
        raise type(error)(
            f"{error.message} -- your text is in {path}", error.hint, detail=error.detail, where=error.where
        ) from error
    os.unlink(path)
    session.say(f"{name} is at version {defined.version}; it counts from its next start on")


def _edited(session: Session, path: str, directory: str, before: str, name: str) -> ParsedConfig | None:
    """What the editor leaves behind once it can be used; None if nothing was changed. Raises ConfigError."""
    while True:
        _run_editor(path)
        with open(path, "rb") as file:
            data = file.read()
        if data.decode(*_ENCODING) == before:
            return None
        try:
            parsed = read_config(session, path, data=data)
            if parsed.config.c_info.name != name:
                raise ConfigError(
                    f"the name is {parsed.config.c_info.name!r} now",
                    f"for another domain: xlpy define {path}",
                )
            return parsed
        except ConfigError as error:
            from xlpy.cli.failure import report

            if not at_terminal():
                raise
            report(error, session)
            if not ask("Edit it again?"):
                raise


def _run_editor(path: str) -> None:
    """$VISUAL or $EDITOR, which may have arguments of their own, else vi. Raises MissingProgram, XlError."""
    import shlex
    import subprocess

    command = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    try:
        status = subprocess.run([*command, path], check=False).returncode
    except OSError as error:
        raise MissingProgram(
            f"the editor {command[0]!r} cannot be started: {error.strerror}", "say which one in $EDITOR"
        ) from error
    if status:
        raise XlError(f"the editor ended with status {status}; nothing was changed")
