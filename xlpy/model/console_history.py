"""What a console has said, as it goes along with a domain: into a save file, or to another host."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64

from xlpy.errors import ProtocolError
from xlpy.model.record import Record

# of all of a domain's consoles together
HISTORY_BYTES = 256 << 10


class ConsoleHistory(Record):
    """A piece of what one console has said. ``kind`` and ``number`` name it as in ``Engine.open_console``.

    ``position`` is that of its first byte, counted from the domain's start; ``packed`` are ``length`` bytes, compressed
    (zlib) and in base64.
    """

    kind: str | None
    number: int
    position: int
    length: int
    packed: str

    @property
    def end(self) -> int:
        """The position after its last byte."""
        return self.position + self.length


def packed_history(kind: str | None, number: int, position: int, data: bytes) -> ConsoleHistory:
    """These bytes as a history."""
    import zlib

    packed = b2a_base64(zlib.compress(data, 1), newline=False).decode("ascii")
    return ConsoleHistory(kind=kind, number=number, position=position, length=len(data), packed=packed)


def unpacked_history(history: ConsoleHistory) -> bytes:
    """The bytes of a history. Raises ProtocolError for one that isn't what it says, or too long."""
    import zlib

    if not 0 <= history.length <= HISTORY_BYTES or history.position < 0:
        raise ProtocolError("a console's history is longer than it may be")
    try:
        # not more memory than it says, whatever it holds
        data = zlib.decompressobj().decompress(a2b_base64(history.packed), history.length + 1)
    except (ValueError, zlib.error) as error:
        raise ProtocolError("a console's history cannot be read", detail=str(error)) from error
    if len(data) != history.length:
        raise ProtocolError("a console's history is not as long as it says")
    return data
