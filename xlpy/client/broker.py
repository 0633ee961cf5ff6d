"""Hosts behind SSH, over the broker's connections; or over connections of our own, where there shall be no broker.

What this imports is light as long as there is a broker: SSH, YAML and threads are all on its side.
"""

from __future__ import annotations

import os

from xlpy.errors import ConnectError, Interrupted, XlError, error_from_wire
from xlpy.inventory.place import inventory_path, must_exist
from xlpy.protocol.places import broker_socket
from xlpy.transport.broker_message import (
    ASK,
    HOST,
    RESOLVE,
    STATUS,
    STOP,
    WHY,
    Answer,
    Wish,
    build,
    decode,
    encode,
)
from xlpy.transport.unix import NobodyListens, UnixChannel, connect_unix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from xlpy.inventory.entry import HostEntry
    from xlpy.transport.switchboard import Switchboard

_ATTEMPTS = 3  # a broker of another version may have to go first, or one that is just ending


def resolve_names(names: Sequence[str]) -> list[HostEntry]:
    """The hosts that these names mean (``inventory.choose``). Raises UsageError, ConfigError, ConnectError."""
    path = broker_socket(os.getuid(), os.environ)
    wish = _wish(
        RESOLVE, names=tuple(names), inventory=inventory_path(os.environ), named=must_exist(os.environ)
    )
    if path is None:
        return _own_switchboard().resolve(wish)
    return list(_ask(path, wish).entries)


def open_host(entry: HostEntry, accept: str | None = None) -> UnixChannel:
    """A channel to the xlpyd of a host behind SSH. Returns at once; what keeps it from working comes as a Failure.

    ``accept`` is the fingerprint of a host key that nobody knows yet and the user agrees to. Raises ConnectError when
    there can be no broker.
    """
    wish = _wish(HOST, entry=entry, accept=accept)
    path = broker_socket(os.getuid(), os.environ)
    if path is None:
        import socket

        ours, theirs = socket.socketpair()
        _own_switchboard().put_through(theirs, wish)
        return _HostChannel(UnixChannel(ours, entry.name), entry.name, None)
    channel = _HostChannel(_connect(path), entry.name, path)
    channel.send(encode(wish))
    return channel


def open_inquiry(names: Sequence[str], request: str) -> UnixChannel:
    """A channel on which come the answers of these hosts to the line of a request, as ``transport.inquiry`` sends them.

    The request must be one that changes nothing. Raises ConnectError when there can be no broker.
    """
    wish = _wish(
        ASK,
        names=tuple(names),
        inventory=inventory_path(os.environ),
        named=must_exist(os.environ),
        request=request,
    )
    path = broker_socket(os.getuid(), os.environ)
    if path is None:
        import socket

        ours, theirs = socket.socketpair()
        _own_switchboard().ask(theirs, wish)
        return UnixChannel(ours, "the hosts")
    channel = _connect(path)
    channel.send(encode(wish))
    return channel


def broker_status() -> Answer | None:
    """What the broker does; None if there is none."""
    return _ask_running(_wish(STATUS))


def stop_broker(force: bool = False) -> Answer | None:
    """Let the broker end when what is under way is over, or at once; None if there was none.

    The answer says what was under way.
    """
    return _ask_running(_wish(STOP, force=force))


class _HostChannel(UnixChannel):
    """A channel to a host, which can say why it broke."""

    shared = True

    def __init__(self, channel: UnixChannel, name: str, broker_path: str | None) -> None:
        super().__init__(channel._socket, name)
        self._name = name
        self._broker_path = broker_path

    def why_ended(self) -> XlError | None:
        if self._broker_path is None:
            return _own_switchboard().why_ended(self._name)
        try:
            answer = _converse(connect_unix(self._broker_path), _wish(WHY, names=(self._name,)))
        except XlError:
            return ConnectError("the broker has ended", "the next command starts another one")
        return None if answer.error is None else error_from_wire(answer.error)


_switchboard: Switchboard | None = None


def _own_switchboard() -> Switchboard:
    """The one for this process, where there is no broker."""
    global _switchboard
    if _switchboard is None:
        from xlpy.transport.switchboard import Switchboard

        _switchboard = Switchboard()
    return _switchboard


def _wish(want: str, **fields: Any) -> Wish:
    return Wish(
        want=want,
        build=build(),
        home=os.environ.get("HOME", ""),
        agent_socket=os.environ.get("SSH_AUTH_SOCK") or None,
        **fields,
    )


def _ask(path: str, wish: Wish) -> Answer:
    """What the broker answers; it is started if need be. Raises ConnectError, and what it says went wrong."""
    for _ in range(_ATTEMPTS):
        try:
            answer = _converse(_connect(path), wish)
        except Interrupted:
            continue  # it was about to end
        if answer.error is not None:
            raise error_from_wire(answer.error)
        if not answer.replaced:
            return answer
    raise ConnectError(
        f"the broker at {path} does not answer", "xlpy broker stop ends it; --no-broker does without"
    )


def _ask_running(wish: Wish) -> Answer | None:
    path = broker_socket(os.getuid(), os.environ)
    if path is None:
        return None
    try:
        return _converse(connect_unix(path), wish)
    except (NobodyListens, Interrupted):  # there is none, or it has just ended
        return None


def _connect(path: str) -> UnixChannel:
    try:
        return connect_unix(path)
    except NobodyListens:
        from xlpy.client.autostart import start_broker

        start_broker(path)
        return connect_unix(path)


def _converse(channel: UnixChannel, wish: Wish) -> Answer:
    """Say a line, hear a line. Raises Interrupted when the broker hangs up."""
    try:
        channel.send(encode(wish))
        line = b""
        while not line.endswith(b"\n"):
            data = channel.receive()
            if not data:
                raise Interrupted("the broker hung up")
            line += data
    finally:
        channel.close()
    return decode(Answer, line)
