"""Whether this user's processes end with the last login: systemd-logind does that where KillUserProcesses=yes.

Lingering doesn't help what was started from a login (logind.conf(5)).
"""

from __future__ import annotations

import os
import pwd
import threading

_ASK = ("loginctl", "show-user")  # of nobody in particular: logind's own settings
_TIMEOUT_S = 10.0
_PATIENCE_S = 0.2  # of those who want to know it at once


class Logout:
    """What logging out means to the domains of this user. ``ask`` comes first, in a thread of its own."""

    def __init__(self, uid: int, root: str = "") -> None:
        self._uid = uid
        self._minded = uid != 0 and os.path.isdir(f"{root}/run/systemd/users")
        self._kills = False
        self._asked = threading.Event()

    def ask(self) -> None:
        """Learn logind's settings, which takes a moment."""
        try:
            self._kills = self._minded and _kills_processes(self._user())
        finally:
            self._asked.set()

    def notice(self) -> str | None:
        """What somebody who makes domains here has to know; None if nothing happens to them."""
        if not self._minded or not self._asked.wait(_PATIENCE_S) or not self._kills:
            return None
        user = self._user()
        return (
            f"domains here are killed when the last login of {user} ends (KillUserProcesses=yes in logind.conf);"
            f" KillExcludeUsers=root {user} prevents it"
        )

    def _user(self) -> str:
        try:
            return pwd.getpwuid(self._uid).pw_name
        except KeyError:
            return str(self._uid)


def _kills_processes(user: str) -> bool:
    import subprocess

    try:
        done = subprocess.run(
            _ASK, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return False
    settings = dict(line.partition("=")[::2] for line in done.stdout.splitlines())
    return (
        settings.get("KillUserProcesses") == "yes"
        and user not in settings.get("KillExcludeUsers", "").split()
    )
