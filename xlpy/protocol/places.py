"""Where an xlpyd is found and keeps its records unless told otherwise."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SOCKET_NAME = "xlpy.sock"
BROKER_NAME = "broker.sock"


def default_socket(uid: int, environ: Mapping[str, str]) -> str:
    """The socket of this user's xlpyd; root's is the host's own."""
    if uid == 0:
        return f"/run/xlpy/{SOCKET_NAME}"
    runtime_dir = environ.get("XDG_RUNTIME_DIR", "")
    if runtime_dir.startswith("/"):
        return f"{runtime_dir}/xlpy/{SOCKET_NAME}"
    return f"/tmp/xlpy-{uid}/{SOCKET_NAME}"


def broker_socket(uid: int, environ: Mapping[str, str]) -> str | None:
    """The socket of this user's broker, which keeps connections to other hosts; XLPY_BROKER names another one.

    None if there shall be none (``XLPY_BROKER=no``).
    """
    named = environ.get("XLPY_BROKER", "")
    if named.startswith("/"):
        return named
    if named.lower() in ("no", "off", "0"):
        return None
    return default_socket(uid, environ)[: -len(SOCKET_NAME)] + BROKER_NAME


def default_state_dir(uid: int, environ: Mapping[str, str]) -> str:
    """Where this user's xlpyd keeps its database, log and core dumps."""
    if uid == 0:
        return "/var/lib/xlpy"
    state_home = environ.get("XDG_STATE_HOME", "")
    if not state_home.startswith("/"):
        state_home = environ.get("HOME", f"/tmp/xlpy-{uid}") + "/.local/state"
    return f"{state_home}/xlpy"
