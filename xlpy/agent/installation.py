"""Where an xlpy that was installed from another machine has its files on this host."""

from __future__ import annotations

import os

from xlpy.errors import InvalidState, XlError, file_hint
from xlpy.model.record import Record
from xlpy.protocol.places import default_socket, default_state_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

UNIT = "xlpyd.service"


class Installation(Record):
    """Its places. ``modules`` has a directory for each version, and ``current``, a link to one of them.

    ``unit`` is None where no systemd runs, or for another user than root.
    """

    modules: str
    launcher: str
    unit: str | None
    socket: str
    state_dir: str

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


def installation_here(uid: int, environ: Mapping[str, str]) -> Installation:
    """The places for this user."""
    prefix = "/usr/local" if uid == 0 else environ.get("HOME", f"/tmp/xlpy-{uid}") + "/.local"
    with_systemd = uid == 0 and os.path.isdir("/run/systemd/system")
    return Installation(
        modules=f"{prefix}/lib/xlpy",
        launcher=f"{prefix}/bin/xlpyd",
        unit=f"/etc/systemd/system/{UNIT}" if with_systemd else None,
        socket=default_socket(uid, environ),
        state_dir=default_state_dir(uid, environ),
    )


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
