"""The history of a console on its way: what is packed comes out, and what is no history is refused."""

from __future__ import annotations

import base64
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlpy.errors import ProtocolError
from xlpy.model.codec import record_from_wire, to_wire
from xlpy.model.console_history import HISTORY_BYTES, ConsoleHistory, packed_history, unpacked_history


@given(st.binary(max_size=4096), st.integers(0, 1 << 40))
def test_comes_out_as_it_went_in(data: bytes, position: int) -> None:
    history = packed_history("pv", 0, position, data)
    arrived = record_from_wire(ConsoleHistory, to_wire(history))
    assert unpacked_history(arrived) == data
    assert arrived.end == position + len(data)


@pytest.mark.parametrize(
    "changes",
    [
        {"packed": "no base64!"},
        {"packed": base64.b64encode(b"not zlib").decode()},
        {"length": 4},
        {"length": 6},
        {"length": HISTORY_BYTES + 1},
        {"length": -1},
        {"position": -1},
    ],
)
def test_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ProtocolError):
        unpacked_history(packed_history("pv", 0, 0, b"hello").replace(**changes))


def test_bomb_is_not_unpacked() -> None:
    bomb = base64.b64encode(zlib.compress(bytes(64 << 20))).decode()
    with pytest.raises(ProtocolError, match="not as long"):
        unpacked_history(ConsoleHistory(kind="pv", number=0, position=0, length=HISTORY_BYTES, packed=bomb))
