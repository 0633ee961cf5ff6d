"""Parcels: all of one, or an error; never a part of it."""

from __future__ import annotations

import io

import pytest

from xlpy.errors import ConnectError
from xlpy.protocol.introduction import read_parcel


def test_a_parcel_and_what_follows() -> None:
    channel = io.BytesIO(b"3\nabcrest")
    assert read_parcel(channel) == b"abc"
    assert channel.read() == b"rest"


@pytest.mark.parametrize("sent", [b"", b"3", b"3\n", b"3\nab"])
def test_a_client_that_goes_in_the_middle_of_one(sent: bytes) -> None:
    with pytest.raises(ConnectError, match="the client has gone"):
        read_parcel(io.BytesIO(sent))
