"""The same question to many hosts at once, over one connection to the broker: no thread and no connection for each.

A host that can't be asked so is left as it is, for the usual way.
"""

from __future__ import annotations

import select
import time

from xlpy.client.broker import open_inquiry
from xlpy.client.many import no_answer
from xlpy.errors import XlError, error_from_wire
from xlpy.protocol.messages import (
    PROTOCOL_VERSION,
    Failure,
    Reply,
    Request,
    build_message,
    decode_line,
    encode_message,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlpy.client.many import Part

_AT_ONCE = 128
_NOBODYS_REQUEST = 0  # the id of a Failure that the host itself hasn't said
_REQUEST_ID = 1


def ask_ahead(parts: Sequence[Part], operation: str) -> list[Part]:
    """Ask the hosts behind SSH for ``operation``, which needs no arguments and changes nothing.

    Returns the parts that are settled: those whose host knows its answer now (``Host.expect``), and those with an error.
    """
    far = [part for part in parts if part.entry.is_far]
    if len(far) < 2:
        return []
    settled: list[Part] = []
    for start in range(0, len(far), _AT_ONCE):
        asked = far[start : start + _AT_ONCE]
        try:
            settled += _Survey(asked, operation).run()
        except XlError:
            break  # the usual way says what is wrong with the broker
    return settled


class _Survey:
    """One connection to the broker, and who has answered on it."""

    def __init__(self, parts: Sequence[Part], operation: str) -> None:
        self._parts = parts
        self._operation = operation
        self._left = dict(enumerate(parts))
        self._settled: list[Part] = []
        self._received = b""

    def run(self) -> list[Part]:
        """Ask, and wait until each has answered or is out of time. Raises ConnectError, Interrupted."""
        request = Request(id=_REQUEST_ID, operation=self._operation, protocol=PROTOCOL_VERSION)
        began = time.monotonic()
        channel = open_inquiry(
            [part.entry.name for part in self._parts], encode_message(request)[:-1].decode("ascii")
        )
        poller = select.poll()
        poller.register(channel, select.POLLIN)
        try:
            while self._left:
                if not poller.poll(self._patience_ms(began)):
                    self._give_up_late_ones(began)
                elif not self._take(channel.receive()):
                    break
        finally:
            channel.close()
        return self._settled

    def _take(self, data: bytes) -> bool:
        """Lines of answers; False when no more will come, or none that makes sense."""
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            number, _, said = line.partition(b" ")
            if not number.isdigit() or (part := self._left.pop(int(number), None)) is None:
                return False  # a broker that is about to be replaced
            if said:
                self._settle(part, said)
        return bool(data)

    def _settle(self, part: Part, said: bytes) -> None:
        """Have the answer, or the error that kept the host from answering."""
        message = build_message(*decode_line(said))
        if isinstance(message, Failure) and message.id == _NOBODYS_REQUEST:
            part.error = error_from_wire(message.error)
        elif isinstance(message, (Reply, Failure)):
            part.host.expect(self._operation, message)
        else:
            return
        self._settled.append(part)

    def _patience_ms(self, began: float) -> float | None:
        limits = [part.limit_s for part in self._left.values() if part.limit_s is not None]
        return max(0.0, began + min(limits) - time.monotonic()) * 1000 + 1 if limits else None

    def _give_up_late_ones(self, began: float) -> None:
        now = time.monotonic()
        for number, part in list(self._left.items()):
            if part.limit_s is not None and now >= began + part.limit_s:
                part.error, part.lost = no_answer(part), True
                del self._left[number]
                self._settled.append(part)
