"""xl's commands that this release lacks.

They are known by name, so that a script hears which command is missing rather than that there is no such command;
usage, summary and number of arguments are xl's (xl_cmdtable.c).
"""

from __future__ import annotations

from xlpy.cli.command import Command


def _row(name: str, needs: int, mode: str, usage: str, summary: str) -> Command:
    """``mode`` is ``r`` for a command that only looks, ``m`` for one that modifies, ``n`` if it has a dry run."""
    return Command(name, None, usage, summary, needs=needs, modifies=mode != "r", dry_run=mode == "n")


ROWS = (
)  # fmt: skip
