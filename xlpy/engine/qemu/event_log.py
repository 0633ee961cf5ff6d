"""The file into which QEMU writes all its events, also those that happen while no xlpyd runs.

It belongs to a second monitor of QEMU, whose input is a file with the one command that starts it.
"""

from __future__ import annotations

import json
import os

from xlpy.engine.console_log import punch_hole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from xlpy.engine.qemu.files import DomainFiles

_KEPT_BYTES = 1 << 18


def prepare_event_log(files: DomainFiles) -> None:
    """Make the two files, before QEMU starts."""
    for suffix, content in ((".in", '{"execute": "qmp_capabilities"}\n'), (".out", "")):
        with open(files.events + suffix, "x", encoding="ascii") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(content)


def read_events(files: DomainFiles) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and data of each event since the domain started, as far as kept, oldest first; none if the file is gone."""
    try:
        with open(files.events + ".out", "rb") as file:
            lines = file.read().lstrip(b"\0").split(b"\n")
    except OSError:
        return
    for line in lines:
        try:
            message = json.loads(line)
        except ValueError:
            continue  # cut off by the end of QEMU, or by a hole
        if "event" in message:
            yield message["event"], message.get("data", {})


def trim_event_log(files: DomainFiles) -> None:
    """Give back the space of old events; what ended a domain is among the last."""
    try:
        with open(files.events + ".out", "r+b") as file:
            length = (os.fstat(file.fileno()).st_size - _KEPT_BYTES) // 4096 * 4096
            if length > 0:
                punch_hole(file.fileno(), length)
    except OSError:
        pass
