"""As much of a VNC viewer as it takes to see that a display is served (RFC 6143)."""

from __future__ import annotations

import socket
import struct

_VERSION = b"RFB 003.008\n"
_NO_SECURITY, _VNC_AUTHENTICATION = 1, 2


class Refused(Exception):
    """The server doesn't let this viewer in."""


def look(server: socket.socket, password: str | None = None) -> tuple[tuple[int, int], bytes]:
    """Log in and return the display's size and name. Raises Refused."""
    assert _read(server, 12) == _VERSION
    server.sendall(_VERSION)
    kinds = _read(server, _read(server, 1)[0])
    kind = _NO_SECURITY if password is None else _VNC_AUTHENTICATION
    assert kind in kinds, f"the server offers security types {list(kinds)}"
    server.sendall(bytes([kind]))
    if password is not None:
        server.sendall(_response(_read(server, 16), password))
    (failed,) = struct.unpack("!I", _read(server, 4))
    if failed:
        (length,) = struct.unpack("!I", _read(server, 4))
        raise Refused(_read(server, length).decode())
    server.sendall(b"\x01")  # shared
    width, height, _pixel_format, length = struct.unpack("!HH16sI", _read(server, 24))
    return (width, height), _read(server, length)


def _response(challenge: bytes, password: str) -> bytes:
    """The challenge under DES, the password being the key with the bits of every byte turned round."""
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
    from cryptography.hazmat.primitives.ciphers import Cipher, modes

    key = password.encode()[:8].ljust(8, b"\0")
    mirrored = bytes(int(f"{byte:08b}"[::-1], 2) for byte in key)
    encryptor = Cipher(TripleDES(mirrored * 3), modes.ECB()).encryptor()
    return encryptor.update(challenge) + encryptor.finalize()


def _read(server: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        part = server.recv(length - len(data))
        if not part:
            raise Refused("the server hung up")
        data += part
    return data
