"""Streams over one channel: nothing is lost or reordered, nobody sends more than there is credit for, nonsense is refused."""

from __future__ import annotations

import struct
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlpy.errors import ProtocolError
from xlpy.protocol.mux import (
    CARRIED_WINDOW_BYTES,
    CARRY,
    CONNECTION_WINDOW_BYTES,
    CREDIT,
    DATA,
    DATA_LIMIT_BYTES,
    END,
    OPEN,
    PING,
    PONG,
    STOP,
    STREAM_LIMIT,
    Arrived,
    Carried,
    Credited,
    Ended,
    Mux,
    Opened,
    Stopped,
)

HEADER = struct.Struct("!BBII")


def frame(kind: int, stream: int = 0, payload: bytes = b"", flags: int = 0) -> bytes:
    return HEADER.pack(kind, flags, stream, len(payload)) + payload


def output(mux: Mux) -> bytes:
    return b"".join(mux.take_output())


def in_pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(places)]


@dataclass
class Side:
    """One end, what was sent on its streams and what came out there."""

    mux: Mux
    sent: dict[int, bytes] = field(default_factory=lambda: defaultdict(bytes))
    got: dict[int, bytes] = field(default_factory=lambda: defaultdict(bytes))
    ended: dict[int, bytes] = field(default_factory=dict)
    unconsumed: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    stopped: set[int] = field(default_factory=set)
    streams: list[int] = field(default_factory=list)

    def take(self, data: bytes) -> None:
        for event in self.mux.receive(data):
            if isinstance(event, Arrived):
                assert event.stream not in self.ended
                self.got[event.stream] += event.data
                self.unconsumed[event.stream] += len(event.data)
            elif isinstance(event, Ended):
                assert event.stream not in self.ended
                self.ended[event.stream] = event.reason
            elif isinstance(event, (Opened, Carried)):
                self.streams.append(event.stream)
            elif isinstance(event, Stopped):
                self.mux.end(event.stream)
            else:
                assert isinstance(event, Credited)


actions = st.lists(
    st.tuples(
        st.sampled_from(["open", "carry", "send", "send", "send", "consume", "end", "stop", "move", "move"]),
        st.booleans(),  # whose
        st.integers(0, 1000),  # which stream
        st.integers(1, DATA_LIMIT_BYTES + 5),  # how much
        st.lists(st.integers(0, 1 << 20), max_size=6),  # where it is cut
    ),
    max_size=40,
)


def act(side: Side, other: Side, what: str, which: int, count: int, cuts: list[int]) -> None:
    if what == "move":
        for piece in in_pieces(output(side.mux), cuts):
            other.take(piece)
        return
    stream = side.streams[which % len(side.streams)] if side.streams else None
    if what == "open":
        stream = side.mux.open()
        side.streams.append(stream)
    elif stream is None:
        return
    elif what == "carry" and stream not in side.ended and side.mux.sendable(stream):
        side.streams.append(side.mux.carry(stream, ordered=count % 2 == 0))
    elif what == "send":
        data = bytes([which % 256]) * min(count, side.mux.sendable(stream))
        if data:
            side.mux.send(stream, data)
            side.sent[stream] += data
    elif what == "consume":
        side.mux.consumed(stream, side.unconsumed.pop(stream, 0))
    elif what == "end":
        side.mux.end(stream, b"why" * (count % 2))
    elif what == "stop":
        side.mux.stop(stream)
        side.stopped.add(stream)


@settings(max_examples=150, deadline=None)
@given(actions)
def test_what_is_sent_arrives_in_order_and_within_the_window(
    script: list[tuple[str, bool, int, int, list[int]]],
) -> None:
    near, far = Side(Mux(is_near=True)), Side(Mux(is_near=False))
    for what, is_near, which, count, cuts in script:
        side, other = (near, far) if is_near else (far, near)
        if what in ("open", "carry"):
            side, other = near, far
        act(side, other, what, which, count, cuts)
        for one in (near, far):
            assert all(count <= CARRIED_WINDOW_BYTES for count in one.unconsumed.values())
    for _ in range(3):  # answers to answers
        for side, other in ((near, far), (far, near)):
            other.take(output(side.mux))
    assert not near.mux.mid_frame
    assert not far.mux.mid_frame
    assert near.streams == far.streams
    for side, other in ((near, far), (far, near)):
        for stream, sent in side.sent.items():
            got = other.got[stream]
            assert got == sent if stream not in other.stopped else sent.startswith(got)
    for stream in near.streams:  # both directions can be ended at any time, and then nothing is left
        near.mux.end(stream)
        far.mux.end(stream)
    far.take(output(near.mux))
    near.take(output(far.mux))
    assert near.mux.streams == far.mux.streams == 0


def pair() -> tuple[Mux, Mux, int]:
    near, far = Mux(is_near=True), Mux(is_near=False)
    stream = near.open()
    assert far.receive(output(near)) == [Opened(stream=stream)]
    return near, far, stream


def test_credit_runs_out_and_comes_back() -> None:
    near, far, stream = pair()
    sent = 0
    while near.sendable(stream):
        near.send(stream, b"x" * near.sendable(stream))
        sent += DATA_LIMIT_BYTES
    assert sent == CONNECTION_WINDOW_BYTES
    with pytest.raises(ValueError, match="cannot be sent"):
        near.send(stream, b"x")
    far.receive(output(near))
    far.consumed(stream, 1)
    assert output(far) == b""  # not for every byte
    far.consumed(stream, CONNECTION_WINDOW_BYTES // 4)
    assert near.receive(output(far)) == [Credited(stream=stream)]
    assert near.sendable(stream) == CONNECTION_WINDOW_BYTES // 4 + 1


def test_more_than_the_credit_is_refused() -> None:
    _, far, stream = pair()
    data = frame(DATA, stream, b"x" * DATA_LIMIT_BYTES)
    for _ in range(CONNECTION_WINDOW_BYTES // DATA_LIMIT_BYTES):
        far.receive(data)
    with pytest.raises(ProtocolError, match="credit"):
        far.receive(data[:11])


def test_data_comes_out_before_its_frame_is_complete_and_isnt_copied() -> None:
    _, far, stream = pair()
    whole = frame(DATA, stream, b"x" * DATA_LIMIT_BYTES)
    (arrived,) = far.receive(whole[: 10 + 50_000])
    assert isinstance(arrived, Arrived)
    assert len(arrived.data) == 50_000
    assert arrived.data.obj is not None
    assert far.mid_frame
    (rest,) = far.receive(whole[10 + 50_000 :])
    assert isinstance(rest, Arrived)
    assert len(rest.data) == DATA_LIMIT_BYTES - 50_000


def test_small_piece_doesnt_keep_a_large_buffer() -> None:
    near, far, stream = pair()
    near.send(stream, b"small")
    near.send(stream, b"x" * DATA_LIMIT_BYTES)
    data = output(near)
    small, large = far.receive(data)
    assert isinstance(small, Arrived)
    assert isinstance(large, Arrived)
    assert small.data.obj == b"small"
    assert large.data.obj is data


def test_stop_lets_the_sender_end() -> None:
    near, far, stream = pair()
    near.send(stream, b"unwanted")
    far.stop(stream)
    assert far.receive(output(near)) == []
    assert near.receive(output(far)) == [Stopped(stream=stream)]
    near.end(stream)
    assert far.receive(output(near)) == [Ended(stream=stream, reason=b"")]
    far.end(stream)
    assert near.receive(output(far)) == [Ended(stream=stream, reason=b"")]
    # what crossed the end is no offence
    assert near.receive(frame(CREDIT, stream, struct.pack("!I", 5))) == []
    assert near.receive(frame(STOP, stream)) == []


def test_ping_is_answered() -> None:
    near, far, _ = pair()
    near.ping()
    assert far.receive(output(near)) == []
    assert output(far) == frame(PONG)
    assert near.receive(frame(PONG)) == []


def test_reason_of_an_end() -> None:
    near, far, stream = pair()
    far.end(stream, b"nobody is there")
    assert near.receive(output(far)) == [Ended(stream=stream, reason=b"nobody is there")]


@pytest.mark.parametrize(
    "nonsense",
    [
        frame(0),
        frame(9),
        frame(OPEN, 1),
        frame(OPEN, 3),
        frame(OPEN, 2, b"x"),
        frame(DATA, 2, b"x"),
        frame(DATA, 1, b""),
        frame(DATA, 1, b"x" * (DATA_LIMIT_BYTES + 1)),
        frame(END, 2),
        frame(END, 1) * 2,
        frame(END, 1) + frame(DATA, 1, b"x"),
        frame(END, 1, b"x" * 4097),
        frame(STOP, 2),
        frame(STOP, 0),
        frame(CARRY, 2, struct.pack("!I", 2)),
        frame(CARRY, 1, struct.pack("!I", 1)),
        frame(CARRY, 1, b"12"),
        frame(CREDIT, 1, struct.pack("!I", 1)),
        frame(CREDIT, 1, struct.pack("!I", 0)),
        frame(CREDIT, 2, struct.pack("!I", 1)),
        frame(PING, 0, b"x"),
        b"Last login: Mon Nov 16 ",
    ],
)
def test_nonsense_is_refused(nonsense: bytes) -> None:
    _, far, stream = pair()
    assert stream == 1
    with pytest.raises(ProtocolError):
        far.receive(nonsense)


@given(st.binary(max_size=300))
def test_nothing_but_protocol_errors_comes_out_of_noise(data: bytes) -> None:
    _, far, _ = pair()
    try:
        far.receive(data)
    except ProtocolError:
        pass


def test_near_side_opens_and_the_far_side_doesnt() -> None:
    near, far, stream = pair()
    with pytest.raises(ValueError, match="near side"):
        far.open()
    with pytest.raises(ProtocolError, match="cannot be opened"):
        near.receive(frame(OPEN, stream + 1))


def test_number_of_streams_is_limited() -> None:
    near, far, _ = pair()
    for _ in range(STREAM_LIMIT - 1):
        near.open()
    with pytest.raises(ProtocolError, match="streams on this channel"):
        near.open()
    far.receive(output(near))
    with pytest.raises(ProtocolError, match="cannot be opened"):
        far.receive(frame(OPEN, STREAM_LIMIT + 1))
