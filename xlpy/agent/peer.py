"""Asking another xlpyd what became of a domain that was sent to it."""

from __future__ import annotations

import os
import socket
import struct

from xlpy.engine.base import OPERATIONS, WIRE_CLASSES
from xlpy.errors import ConnectError, NotSupported, PermissionRefused, ProtocolError, error_from_wire
from xlpy.protocol.connection import Connection
from xlpy.protocol.messages import PROTOCOL_VERSION, Failure, Hello, Reply, Request
from xlpy.protocol.signature import Signature

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.model.migration import Peer
    from xlpy.protocol.messages import Message

ANSWER_TIMEOUT_S = 10.0
OUTCOMES = ("accepted", "pending", "absent")


def ask_outcome(asked: Peer, transfer_id: str) -> str:
    """``accepted``, ``pending`` or ``absent``, as the xlpyd at the peer's ``unix:///path`` says.

    Raises ConnectError and its like when there is no answer, or another xlpyd than the peer; NotSupported for an address
    that can't be reached from here.
    """
    address = asked.address or ""
    path = address[len("unix://") :] if address.startswith("unix://") else address
    if not path.startswith("/"):
        raise NotSupported(
            f"this host cannot ask {asked.name} by itself", "settle the migration with xlpy migrate"
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(ANSWER_TIMEOUT_S)
        try:
            _connect(peer, path)
            return _converse(peer, address, asked.instance, transfer_id)
        except OSError as error:
            raise ConnectError(f"{address} does not answer: {error}") from error


def _connect(peer: socket.socket, path: str) -> None:
    directory_fd = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        peer.connect(f"/proc/self/fd/{directory_fd}/{os.path.basename(path)}")
    finally:
        os.close(directory_fd)
    credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    uid = struct.unpack("3i", credentials)[1]
    if uid not in (0, os.getuid()):
        raise PermissionRefused(f"whoever listens at {path} runs as uid {uid}, and is not to be believed")


def _converse(peer: socket.socket, address: str, instance: str, transfer_id: str) -> str:
    connection = Connection(is_agent=False)
    signature = Signature(OPERATIONS["restored_outcome"], WIRE_CLASSES)
    hello = _next_message(peer, connection, address)
    if not isinstance(hello, Hello) or hello.protocol != PROTOCOL_VERSION:
        raise ProtocolError(f"{address} speaks another protocol")
    if hello.instance != instance:
        raise ConnectError(f"another xlpyd answers at {address} than the one that the domain was sent to")
    request = Request(
        id=1, operation=signature.name, arguments=signature.encode_arguments({"transfer_id": transfer_id})
    )
    peer.sendall(connection.send(request))
    answer = _next_message(peer, connection, address)
    if isinstance(answer, Failure):
        raise error_from_wire(answer.error)
    outcome = signature.decode_result(answer.value) if isinstance(answer, Reply) else None
    if outcome not in OUTCOMES:
        raise ProtocolError(f"{address} answered {outcome!r}")
    return str(outcome)


def _next_message(peer: socket.socket, connection: Connection, address: str) -> Message:
    while True:
        data = peer.recv(65536)
        if not data:
            raise ConnectError(f"{address} hung up")
        messages = connection.receive(data)
        if messages:
            return messages[0]
