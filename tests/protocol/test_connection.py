"""The conversation without I/O: any cut of the bytes gives the same messages, and whoever breaks the rules is refused."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlpy.errors import ProtocolError
from xlpy.model.record import Record
from xlpy.protocol import connection as connection_module
from xlpy.protocol.connection import Connection
from xlpy.protocol.messages import (
    PROTOCOL_VERSION,
    Failure,
    Hello,
    ProgressReport,
    Reply,
    Request,
    encode_message,
)

if TYPE_CHECKING:
    from xlpy.protocol.messages import Message

HELLO = Hello(protocol=PROTOCOL_VERSION, version="1", engine="fake")

names = st.text(max_size=20) | st.just("caf\udce9")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | names,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(names, children, max_size=4),
    max_leaves=4,
)
arguments = st.dictionaries(names, json_values, max_size=4)


@st.composite
def exchanges(draw: st.DrawFn, number: int) -> tuple[list[Message], list[Message]]:
    """What the client and the agent send for one request."""
    request = Request(
        id=number, operation=draw(names), arguments=draw(arguments), progress=draw(st.booleans())
    )
    reports = draw(st.lists(st.builds(ProgressReport, id=st.just(number), value=json_values), max_size=3))
    end = draw(
        st.builds(Reply, id=st.just(number), value=json_values)
        | st.builds(Failure, id=st.just(number), error=arguments)
    )
    return [request], [*reports, end]


@st.composite
def conversations(draw: st.DrawFn) -> list[tuple[list[Message], list[Message]]]:
    return [draw(exchanges(number)) for number in range(1, draw(st.integers(1, 3)) + 1)]


def in_pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(places)]


@settings(max_examples=50, deadline=None)
@given(conversation=conversations(), cuts=st.lists(st.integers(0, 10_000), max_size=20))
def test_messages_are_the_same_however_the_bytes_are_cut(
    conversation: list[tuple[list[Message], list[Message]]], cuts: list[int]
) -> None:
    agent, client = Connection(is_agent=True), Connection(is_agent=False)
    assert client.receive(agent.send(HELLO)) == [HELLO]
    for asked, answered in conversation:
        sent = b"".join(client.send(message) for message in asked)
        assert [message for piece in in_pieces(sent, cuts) for message in agent.receive(piece)] == asked
        sent = b"".join(agent.send(message) for message in answered)
        assert [message for piece in in_pieces(sent, cuts) for message in client.receive(piece)] == answered
    assert not agent.mid_message
    assert not client.mid_message


@given(data=st.binary(max_size=300))
def test_nothing_but_protocol_errors_comes_out_of_noise(data: bytes) -> None:
    client = Connection(is_agent=False)
    try:
        client.receive(data)
        client.receive(b"\n")
    except ProtocolError:
        pass


@given(value=json_values)
def test_nothing_but_protocol_errors_comes_out_of_json(value: object) -> None:
    client = Connection(is_agent=False)
    with pytest.raises(ProtocolError):
        client.receive(json.dumps(value).encode() + b"\n")


def greeted(is_agent: bool) -> Connection:
    connection = Connection(is_agent=is_agent)
    if is_agent:
        connection.send(HELLO)
    else:
        connection.receive(encode_message(HELLO))
    return connection


@pytest.mark.parametrize(
    ("is_agent", "message"),
    [
        (True, Reply(id=1)),
        (True, HELLO),
        (False, Request(id=1, operation="x")),
        (False, Reply(id=1)),
        (False, ProgressReport(id=1, value=None)),
        (False, HELLO),
    ],
    ids=lambda value: type(value).__name__,
)
def test_message_out_of_turn(is_agent: bool, message: Message) -> None:
    with pytest.raises(ProtocolError):
        greeted(is_agent).receive(encode_message(message))


def test_request_before_the_hello() -> None:
    client = Connection(is_agent=False)
    client.send(Request(id=1, operation="x"))
    with pytest.raises(ProtocolError, match="while asked"):
        client.send(Request(id=2, operation="x"))
    assert client.receive(encode_message(HELLO) + encode_message(Reply(id=1))) == [HELLO, Reply(id=1)]
    client.send(Request(id=2, operation="x"))


def test_refusal_in_place_of_the_hello() -> None:
    client = Connection(is_agent=False)
    client.send(Request(id=1, operation="x"))
    assert client.receive(encode_message(Failure(id=0, error={}))) == [Failure(id=0, error={})]
    with pytest.raises(ProtocolError, match="while refused"):
        client.receive(encode_message(Reply(id=1)))


def test_one_request_at_a_time() -> None:
    client = greeted(is_agent=False)
    client.send(Request(id=1, operation="x"))
    with pytest.raises(ProtocolError, match="while busy"):
        client.send(Request(id=2, operation="x"))


def test_answer_to_another_request() -> None:
    client = greeted(is_agent=False)
    client.send(Request(id=2, operation="x"))
    with pytest.raises(ProtocolError, match="answer to request 1"):
        client.receive(encode_message(Reply(id=1)))


def test_endless_line_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "LINE_LIMIT_BYTES", 1000)
    client = Connection(is_agent=False)
    client.receive(b"x" * 1000)
    with pytest.raises(ProtocolError, match="more than 1000"):
        client.receive(b"x")


def test_config_of_eight_megabytes_is_refused_before_it_is_sent() -> None:
    with pytest.raises(ProtocolError, match="too large"):
        encode_message(Request(id=1, operation="x", arguments={"text": "x" * (8 << 20)}))


def test_failure_in_place_of_the_hello_is_the_last_word() -> None:
    agent, client = Connection(is_agent=True), Connection(is_agent=False)
    refusal = Failure(id=0, error={"code": "connect", "message": "nobody is there"})
    assert client.receive(agent.send(refusal)) == [refusal]
    with pytest.raises(ProtocolError, match="while refused"):
        client.send(Request(id=1, operation="x"))
    with pytest.raises(ProtocolError, match="while refused"):
        agent.send(HELLO)


def test_unknown_fields_are_ignored_and_unknown_messages_are_not() -> None:
    client = Connection(is_agent=False)
    (hello,) = client.receive(b'{"message":"hello","protocol":1,"version":"9","engine":"e","new":[1]}\n')
    assert hello == Hello(protocol=1, version="9", engine="e")
    with pytest.raises(ProtocolError, match="unknown kind"):
        client.receive(b'{"message":"gossip"}\n')


def test_messages_are_records() -> None:
    assert all(issubclass(cls, Record) for cls in (Hello, Request, Reply, Failure, ProgressReport))
