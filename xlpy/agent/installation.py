"""Where an xlpy that was installed from another machine has its files on this host."""

from __future__ import annotations

import os
import re

from xlpy.errors import InvalidState, UsageError, XlError, file_hint
from xlpy.model.record import Record
from xlpy.protocol.places import default_socket, default_state_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

UNIT = "xlpyd.service"
# what means the same to systemd, to shells and in a config file
_PLAIN_PATH = re.compile(r"(/[\w.@+-]+)+\Z", re.ASCII)


class Installation(Record):
    """Its places. ``modules`` has a directory for each version, and ``current``, a link to one of them.

    ``unit`` is None where no systemd runs, or for another user than root. ``arguments`` name to xlpyd what isn't in its
    usual place.
    """

    modules: str
    launcher: str
    unit: str | None
    socket: str
    state_dir: str
    arguments: tuple[str, ...] = ()

    @property
    def current(self) -> str:
        """The link to the version that the next xlpyd runs."""
        return f"{self.modules}/current"

    @property
    def version_dir(self) -> str | None:
        """The version that is installed, or None."""
        try:
            return os.readlink(self.current)
        except OSError:
            return None

    @property
    def run_dir(self) -> str:
        """xlpyd's runtime directory."""
        return os.path.dirname(self.socket)

    @property
    def shipped_state_dir(self) -> str:
        """Where an xlpyd that was not installed keeps its records (``agent.start``)."""
        return f"{self.run_dir}/state"


def installation_here(
    uid: int, environ: Mapping[str, str], wishes: Mapping[str, object] | None = None
) -> Installation:
    """The places for this user; the wishes ``socket`` and ``state_dir`` name others. Raises UsageError."""
    wishes = wishes or {}
    socket, socket_words = _placed(wishes.get("socket"), default_socket(uid, environ), "--socket")
    state_dir, state_words = _placed(wishes.get("state_dir"), default_state_dir(uid, environ), "--state-dir")
    prefix = "/usr/local" if uid == 0 else environ.get("HOME", f"/tmp/xlpy-{uid}") + "/.local"
    with_systemd = uid == 0 and os.path.isdir("/run/systemd/system")
    return Installation(
        modules=f"{prefix}/lib/xlpy",
        launcher=f"{prefix}/bin/xlpyd",
        unit=f"/etc/systemd/system/{UNIT}" if with_systemd else None,
        socket=socket,
        state_dir=state_dir,
        arguments=(*socket_words, *state_words),
    )


def _placed(wish: object, usual: str, option: str) -> tuple[str, tuple[str, ...]]:
    if not isinstance(wish, str) or wish == usual:
        return usual, ()
    if not _PLAIN_PATH.match(wish):
        raise UsageError(
            f"{wish!r} cannot be given to a service", f"a plain absolute path does as {option[2:]}"
        )
    return wish, (option, wish)


def require_ours(program: str | None, place: Installation) -> None:
    """Refuse where xlpyd came in another way. Raises InvalidState."""
    if program is not None and program != place.launcher:
        raise InvalidState(
            f"xlpyd is installed on {os.uname().nodename} already, as {program}",
            "upgrade or remove it the way it came, by its package or pip",
        )


def cannot(what: str, path: str, error: OSError) -> XlError:
    """The host's refusal of something that an installation needs."""
    hint = file_hint(path, error) if os.getuid() == 0 else "log in as root, or set 'sudo: true' for this host"
    return XlError(f"cannot {what} {path} on {os.uname().nodename}: {error.strerror or error}", hint)
