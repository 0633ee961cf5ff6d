"""Names of files."""

from __future__ import annotations

import os

from xlpy.cli.completion.candidate import Candidate


def files(word: str, ending: str = "") -> list[Candidate]:
    """The files and directories whose names begin like this; of files those with this ending, if there are any."""
    front, slash, beginning = word.rpartition("/")
    front += slash
    found = []
    try:
        with os.scandir(os.path.expanduser(front) or ".") as entries:
            for entry in entries:
                if entry.name.startswith(beginning) and (beginning or not entry.name.startswith(".")):
                    found.append((entry.name, entry.is_dir()))
    except OSError:
        return []
    found.sort()
    wanted = [row for row in found if row[1] or row[0].endswith(ending)]
    if ending and not any(not is_dir for _, is_dir in wanted):
        wanted = found
    return [
        Candidate(f"{front}{name}/", partial=True) if is_dir else Candidate(front + name) for name, is_dir in wanted
    ]  # fmt: skip
