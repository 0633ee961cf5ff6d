"""Whether this user's processes and runtime directory end with the last login, as systemd-logind has it.

It removes /run/user/UID then, and with KillUserProcesses=yes it kills what is left; unless the user lingers (loginctl(1)).
"""

from __future__ import annotations

import glob
import os
import pwd
import re

_LOGIND = "/etc/systemd/logind.conf"
_KILLS = re.compile(r"^\s*KillUserProcesses\s*=\s*(yes|true|on|1)\s*$", re.MULTILINE | re.IGNORECASE)


def notice_of_logout(uid: int, run_dir: str, root: str = "") -> str | None:
    """What somebody who makes domains here has to know about logging out; None if nothing happens then."""
    if uid == 0 or not os.path.exists(f"{root}/run/systemd/users/{uid}"):
        return None  # root's are the host's own, or nobody minds sessions here
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = str(uid)
    if os.path.exists(f"{root}/var/lib/systemd/linger/{user}"):
        return None
    if os.path.realpath(run_dir).startswith(f"/run/user/{uid}/"):
        why = f"/run/user/{uid} is removed then"
    elif _kills_processes(root):
        why = "KillUserProcesses=yes"
    else:
        return None
    return f"domains here are lost when {user}'s last login ends ({why}); to prevent it: loginctl enable-linger {user}"


def _kills_processes(root: str) -> bool:
    for path in [root + _LOGIND, *sorted(glob.glob(f"{root}{_LOGIND}.d/*.conf"))]:
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                if _KILLS.search(file.read()):
                    return True
        except OSError:
            pass  # it isn't there
    return False
