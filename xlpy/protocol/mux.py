"""Many streams over one channel of bytes, without I/O: each stream two-way, with half-closes and credit of its own.

    OPEN    near → far   a stream that is a connection to xlpyd
    CARRY   near → far   a stream that is a descriptor, passed along with the next bytes of an open one
    DATA    both ways    bytes of a stream, no more than the other side gave credit for
    CREDIT  both ways    so many bytes more may come
    END     both ways    no more bytes in this direction; a reason says that it was cut off
    STOP    both ways    whoever reads there has gone: send no more, but END
    PING    both ways    answered with PONG

A frame is a header of ten bytes (kind, flags, stream, length) and its payload. Credit bounds what either side has to
keep: a stream whose reader is slow stops its own sender, and no other.
"""

from __future__ import annotations

import struct

from xlpy.errors import ProtocolError
from xlpy.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

OPEN, CARRY, DATA, CREDIT, END, STOP, PING, PONG = range(1, 9)

_HEADER = struct.Struct("!BBII")
_NUMBER = struct.Struct("!I")
DATA_LIMIT_BYTES = 128 << 10  # of one frame: others wait for no more than that
CONTROL_LIMIT_BYTES = 4096
STREAM_LIMIT = 1024  # open at once
# What may be under way on a stream. A transfer gets as much as an SSH channel of paramiko's has under way itself.
CONNECTION_WINDOW_BYTES = 256 << 10
CARRIED_WINDOW_BYTES = 2 << 20
_SMALL_BYTES = 16 << 10  # a piece that is kept longer is copied out of a buffer that is much larger

_ORDERED = 1  # flag of CARRY
_CONTROL_LENGTHS = {OPEN: 0, CARRY: 4, CREDIT: 4, STOP: 0, PING: 0, PONG: 0}


class Opened(Record):
    """The near side opened a connection."""

    stream: int


class Carried(Record):
    """The near side passes a descriptor along with the next bytes of ``on``.

    ``ordered``: what is written to it has to arrive before what is said on ``on`` later.
    """

    stream: int
    on: int
    ordered: bool


class Arrived(Record):
    """Bytes of a stream; say ``consumed`` when they are dealt with."""

    stream: int
    data: memoryview


class Credited(Record):
    """More may be sent on the stream."""

    stream: int


class Ended(Record):
    """No more bytes will arrive; ``reason`` is empty unless the stream was cut off."""

    stream: int
    reason: bytes


class Stopped(Record):
    """Nobody reads what is sent on the stream any more; ``end`` it."""

    stream: int


if TYPE_CHECKING:
    Event = Union[Opened, Carried, Arrived, Credited, Ended, Stopped]


class _Stream:
    """What both sides may still do on a stream."""

    __slots__ = ("credit", "granted", "receiving", "sending", "stopped", "unreturned", "window")

    def __init__(self, window: int) -> None:
        self.window = window
        self.credit = window  # so many bytes we may send
        self.granted = window  # so many bytes may arrive
        self.unreturned = 0  # were consumed, and are not granted anew yet
        self.sending = True
        self.receiving = True
        self.stopped = False  # we read no more


class Mux:
    """One end of the channel; ``is_near`` tells which. ``receive`` raises ProtocolError for what makes no sense:
    then the channel is of no use any more.
    """

    def __init__(self, is_near: bool) -> None:
        self._is_near = is_near
        self._streams: dict[int, _Stream] = {}
        self._last_id = 0
        self._output: list[bytes | memoryview] = []
        self.output_bytes = 0
        self._partial = b""  # the beginning of a frame, its header at least in part
        self._data_left = 0  # bytes to come of the DATA frame that is being received
        self._data_stream = 0

    # -- what we send

    def open(self) -> int:
        """A new stream to xlpyd, on the near side. Raises ProtocolError when there are too many."""
        stream = self._add(CONNECTION_WINDOW_BYTES)
        self._put(OPEN, stream)
        return stream

    def carry(self, on: int, ordered: bool) -> int:
        """A new stream for a descriptor that came with the next bytes of ``on``. Raises ProtocolError likewise."""
        stream = self._add(CARRIED_WINDOW_BYTES)
        self._put(CARRY, on, _NUMBER.pack(stream), _ORDERED if ordered else 0)
        return stream

    def sendable(self, stream: int) -> int:
        """How many bytes may be sent on the stream in one piece now."""
        state = self._streams.get(stream)
        return min(state.credit, DATA_LIMIT_BYTES) if state is not None and state.sending else 0

    def send(self, stream: int, data: bytes | memoryview) -> None:
        """Send bytes, at least one and no more than ``sendable``."""
        state = self._streams[stream]
        if not 0 < len(data) <= self.sendable(stream):
            raise ValueError(f"{len(data)} bytes cannot be sent")
        state.credit -= len(data)
        self._put(DATA, stream, data)

    def end(self, stream: int, reason: bytes = b"") -> None:
        """Send no more; ``reason`` tells the other side that it isn't complete. Ending twice is fine."""
        state = self._streams.get(stream)
        if state is not None and state.sending:
            state.sending = False
            self._put(END, stream, reason[:CONTROL_LIMIT_BYTES])
            self._forget_if_over(stream, state)

    def stop(self, stream: int) -> None:
        """Read no more: what still arrives is dropped. Stopping twice is fine."""
        state = self._streams.get(stream)
        if state is not None and state.receiving and not state.stopped:
            state.stopped = True
            self._put(STOP, stream)

    def consumed(self, stream: int, count: int) -> None:
        """So many bytes that arrived need no room any more."""
        state = self._streams.get(stream)
        if state is None or not state.receiving or state.stopped:
            return
        state.unreturned += count
        if state.unreturned >= state.window // 4:
            state.granted += state.unreturned
            self._put(CREDIT, stream, _NUMBER.pack(state.unreturned))
            state.unreturned = 0

    def ping(self) -> None:
        """Ask for a sign of life."""
        self._put(PING, 0)

    def take_output(self) -> list[bytes | memoryview]:
        """What has to be sent on the channel, in this order."""
        output, self._output = self._output, []
        self.output_bytes = 0
        return output

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return len(self._streams)

    # -- what we receive

    def receive(self, data: bytes) -> list[Event]:
        """What these bytes bring. Raises ProtocolError. Pieces of data refer to ``data`` itself."""
        events: list[Event] = []
        if self._partial:
            data = self._partial + data
            self._partial = b""
        view = memoryview(data)
        place = 0
        while place < len(data):
            if self._data_left:
                piece = view[place : place + self._data_left]
                self._data_left -= len(piece)
                place += len(piece)
                if not self._streams[self._data_stream].stopped:
                    events.append(Arrived(stream=self._data_stream, data=_kept(piece)))
                continue
            frame_bytes = self._frame_bytes(view, place)
            if frame_bytes > len(data) - place:
                self._partial = bytes(view[place:])
                break
            self._take_frame(view, place, events)
            place += frame_bytes
        return events

    @property
    def mid_frame(self) -> bool:
        """Whether the bytes so far end in the middle of a frame."""
        return bool(self._partial) or self._data_left > 0

    def _frame_bytes(self, view: memoryview, place: int) -> int:
        """The length of the frame that begins here, of DATA the header alone."""
        if len(view) - place < _HEADER.size:
            return _HEADER.size
        kind: int
        stream: int
        length: int
        kind, _, stream, length = _HEADER.unpack_from(view, place)
        if kind == DATA:
            return _HEADER.size
        if _CONTROL_LENGTHS.get(kind, length) != length or not OPEN <= kind <= PONG:
            raise ProtocolError(f"a frame without sense: kind {kind}, stream {stream}, {length} bytes")
        if length > CONTROL_LIMIT_BYTES:
            raise ProtocolError(f"a frame of kind {kind} with {length} bytes")
        return _HEADER.size + length

    def _take_frame(self, view: memoryview, place: int, events: list[Event]) -> None:
        kind, flags, stream, length = _HEADER.unpack_from(view, place)
        payload = view[place + _HEADER.size : place + _HEADER.size + length]
        if kind == DATA:
            self._begin_data(stream, length)
        elif kind == CREDIT:
            self._take_credit(stream, _NUMBER.unpack(payload)[0], events)
        elif kind == END:
            state = self._receiving(stream, "END")
            state.receiving = False
            events.append(Ended(stream=stream, reason=bytes(payload)))
            self._forget_if_over(stream, state)
        elif kind == STOP:
            if self._known(stream) is not None:
                events.append(Stopped(stream=stream))
        elif kind == PING:
            self._put(PONG, 0)
        elif kind == OPEN:
            self._add_theirs(stream, CONNECTION_WINDOW_BYTES)
            events.append(Opened(stream=stream))
        elif kind == CARRY:
            self._receiving(stream, "CARRY")
            carried = _NUMBER.unpack(payload)[0]
            self._add_theirs(carried, CARRIED_WINDOW_BYTES)
            events.append(Carried(stream=carried, on=stream, ordered=bool(flags & _ORDERED)))

    def _begin_data(self, stream: int, length: int) -> None:
        state = self._receiving(stream, "DATA")
        if not 0 < length <= min(state.granted, DATA_LIMIT_BYTES):
            raise ProtocolError(f"{length} bytes on stream {stream}, which has credit for {state.granted}")
        state.granted -= length
        self._data_stream = stream
        self._data_left = length

    def _take_credit(self, stream: int, count: int, events: list[Event]) -> None:
        state = self._known(stream)
        if state is None:
            return
        if not 0 < count <= state.window - state.credit:
            raise ProtocolError(f"a credit of {count} bytes for stream {stream}")
        state.credit += count
        events.append(Credited(stream=stream))

    def _receiving(self, stream: int, what: str) -> _Stream:
        """The stream, on which something may still arrive."""
        state = self._streams.get(stream)
        if state is None or not state.receiving:
            raise ProtocolError(f"{what} on stream {stream}, which isn't open")
        return state

    def _known(self, stream: int) -> _Stream | None:
        """The stream, or None when it is over: then this crossed its end."""
        state = self._streams.get(stream)
        if state is None and not 0 < stream <= self._last_id:
            raise ProtocolError(f"stream {stream} was never opened")
        return state

    # -- the table of streams

    def _add(self, window: int) -> int:
        if not self._is_near:
            raise ValueError("streams are opened by the near side")
        if len(self._streams) >= STREAM_LIMIT:
            raise ProtocolError(f"there are {STREAM_LIMIT} streams on this channel already")
        self._last_id += 1
        self._streams[self._last_id] = _Stream(window)
        return self._last_id

    def _add_theirs(self, stream: int, window: int) -> None:
        if self._is_near or stream != self._last_id + 1 or len(self._streams) >= STREAM_LIMIT:
            raise ProtocolError(f"stream {stream} cannot be opened")
        self._last_id = stream
        self._streams[stream] = _Stream(window)

    def _forget_if_over(self, stream: int, state: _Stream) -> None:
        if not state.sending and not state.receiving:
            del self._streams[stream]

    def _put(self, kind: int, stream: int, payload: bytes | memoryview = b"", flags: int = 0) -> None:
        header = _HEADER.pack(kind, flags, stream, len(payload))
        if kind == DATA:
            self._output += (header, payload)
        else:
            self._output.append(header + payload)
        self.output_bytes += len(header) + len(payload)


def _kept(piece: memoryview) -> memoryview:
    """The piece, without the large buffer that it may be a small part of."""
    if len(piece) < _SMALL_BYTES and len(piece.obj) > 2 * _SMALL_BYTES:  # type: ignore[arg-type]  # bytes
        return memoryview(bytes(piece))
    return piece
