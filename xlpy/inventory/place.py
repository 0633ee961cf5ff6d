"""Where the inventory is."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def inventory_path(environ: Mapping[str, str]) -> str:
    """XLPY_INVENTORY, or hosts.yaml in the user's configuration directory."""
    named = environ.get("XLPY_INVENTORY")
    if named:
        return os.path.abspath(os.path.expanduser(named))
    home = environ.get("XDG_CONFIG_HOME", "")
    if not home.startswith("/"):
        home = os.path.expanduser("~/.config")
    return f"{home}/xlpy/hosts.yaml"


def must_exist(environ: Mapping[str, str]) -> bool:
    """Whether the inventory was named: the usual one may be missing, and has no hosts then."""
    return bool(environ.get("XLPY_INVENTORY"))
