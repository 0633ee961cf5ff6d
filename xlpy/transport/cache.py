"""Files that are only there to save time: in the user's cache directory, and nowhere when that can't be written."""

from __future__ import annotations

import fnmatch
import os
import tempfile


def read_cached(name: str) -> bytes | None:
    """What was kept under this name, if it is there and belongs to us."""
    try:
        with open(f"{_directory()}/{name}", "rb") as file:
            found = os.fstat(file.fileno())
            if found.st_uid != os.getuid() or found.st_mode & 0o022:
                return None
            return file.read() or None
    except OSError:
        return None


def keep_cached(name: str, data: bytes, outdated: str) -> bytes:
    """Keep it for the next time, in the place of others whose names match ``outdated``; returns the data itself."""
    directory = _directory()
    try:
        os.makedirs(directory, 0o700, exist_ok=True)
        descriptor, unborn = tempfile.mkstemp(dir=directory, prefix=".new-")
        with open(descriptor, "wb") as file:
            file.write(data)
        os.replace(unborn, f"{directory}/{name}")
        for other in os.listdir(directory):
            if other != name and fnmatch.fnmatch(other, outdated):
                os.unlink(f"{directory}/{other}")
    except OSError:
        pass  # then it is made anew each time
    return data


def _directory() -> str:
    home = os.environ.get("XDG_CACHE_HOME", "")
    if not home.startswith("/"):
        home = os.path.expanduser("~/.cache")
    return f"{home}/xlpy"
