"""The logs of consoles, taken along by a domain that is saved or moved.

At the target the log is as long as at the source, with a hole for what is not taken along: a position in it means the same
byte on both hosts, and whoever has read up to one can go on there.
"""

from __future__ import annotations

import logging
import os

from xlpy.engine.console_log import ConsoleLog, punch_hole
from xlpy.errors import ProtocolError
from xlpy.model.console_history import HISTORY_BYTES, packed_history, unpacked_history

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from xlpy.model.console_history import ConsoleHistory

    Name = tuple["str | None", int]  # kind and number

log = logging.getLogger("xlpyd")

_BLOCK_BYTES = 4096


def read_histories(
    logs: Mapping[Name, str], after: tuple[ConsoleHistory, ...] = ()
) -> tuple[ConsoleHistory, ...]:
    """The last part of each of these logs, or what has come ``after`` such an answer: bounded in any case.

    A log that can't be read is left out, and so is one without news.
    """
    known = {(history.kind, history.number): history.end for history in after}
    found = []
    for (kind, number), path in logs.items():
        try:
            position, data = _last_part(path, HISTORY_BYTES // len(logs), known.get((kind, number)))
        except OSError:
            continue  # not there yet, or not any more
        if data:
            found.append(packed_history(kind, number, position, data))
    return tuple(found)


def _last_part(path: str, limit_bytes: int, after: int | None) -> tuple[int, bytes]:
    said = ConsoleLog(path)
    try:
        end = said.size()
        begin = said.first() if after is None else min(after, end)
        if end - begin > limit_bytes:
            # holes consist of blocks
            begin = -(-(end - limit_bytes) // _BLOCK_BYTES) * _BLOCK_BYTES
        data = bytearray()
        while begin + len(data) < end:
            piece = said.read(begin + len(data))
            if not piece:
                break
            data += piece
        return begin, bytes(data[: end - begin])
    finally:
        said.close()


def take_histories(logs: Mapping[Name, str], histories: Iterable[ConsoleHistory]) -> None:
    """Write what these consoles have said elsewhere, as far as that can be done: no domain stays behind for it.

    Histories of other consoles are left out: the domain's configuration is another one here.
    """
    for history in histories:
        path = logs.get((history.kind, history.number))
        if path is not None:
            try:
                write_history(path, history)
            except (OSError, ProtocolError) as error:
                log.warning("the history of a console is lost: %s", error)


def write_history(path: str, history: ConsoleHistory) -> None:
    """Add to a log what it doesn't have yet; nothing may be written to it meanwhile. Raises OSError, ProtocolError."""
    data = unpacked_history(history)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        end = os.fstat(file).st_size
        if history.position > end:
            end = _begin_at(file, history.position)
        if history.end > end:
            os.pwrite(file, data[end - history.position :], end)
    finally:
        os.close(file)


def _begin_at(file: int, position: int) -> int:
    os.ftruncate(file, position)
    punch_hole(file, position)
    return position
