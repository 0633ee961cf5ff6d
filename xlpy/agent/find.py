"""Finding this host's xlpyd for somebody from another machine.

In this order: one that answers; an installed one that has to be started; one from the code that was shipped. The last
keeps its records in its runtime directory, so that nothing else is left on a host where xlpy isn't installed.
"""

from __future__ import annotations

import _socket
import os
import stat
import sys

from xlpy.errors import ConnectError, PermissionRefused
from xlpy.model.record import Record
from xlpy.protocol.places import default_socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from xlpy.agent.start import Shipment

_LONGEST_ADDRESS = 107  # bytes in sockaddr_un.sun_path, without the closing NUL
_CONNECT_TIMEOUT_S = 5.0
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Found(Record):
    """Where an xlpyd listens, and how it came to be there."""

    socket: str
    started: bool = False
    installed: bool = False


class NobodyListens(ConnectError):
    """There is no xlpyd at that socket."""


def find_xlpyd(wishes: Mapping[str, object], shipment: Shipment) -> Found:
    """The xlpyd at ``wishes["socket"]``, or in its usual places; it is started if there is none.

    Raises ConnectError with what xlpyd said when it doesn't come up, PermissionRefused, and what ``shipment`` raises
    when it has to be fetched.
    """
    wanted = _text(wishes, "socket")
    program = installed_program()
    places = [wanted] if wanted is not None else usual_places(os.getuid(), os.environ)
    for place in places:
        if _answers(place):
            return Found(socket=place, installed=program is not None)
    from xlpy.agent import start

    place = places[0]
    host = os.uname().nodename
    if program is not None:
        how = start.installed(program, place, _text(wishes, "state_dir"), is_usual=wanted is None)
    else:
        how = start.shipped(place, _text(wishes, "state_dir"), shipment)
    with start.StartLock(place):
        if _answers(place):
            return Found(socket=place, installed=program is not None)
        how()
    if not _answers(place):
        raise ConnectError(
            f"xlpyd was started on {host} and does not listen at {place}",
            "does its service use another socket? set 'socket:' for this host in hosts.yaml",
        )
    return Found(socket=place, started=True, installed=program is not None)


def connect(path: str) -> _socket.socket:
    """A connection to the xlpyd at ``path``. Raises NobodyListens, PermissionRefused, ConnectError."""
    client = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        client.settimeout(_CONNECT_TIMEOUT_S)
        _connect(client, path)
        client.settimeout(None)
        credentials = client.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
    except OSError as error:
        client.close()
        host = os.uname().nodename
        if isinstance(error, (FileNotFoundError, NotADirectoryError, ConnectionRefusedError)):
            raise NobodyListens(
                f"no xlpyd answers at {path} on {host}", "try again: it is started then"
            ) from error
        if isinstance(error, PermissionError):
            raise PermissionRefused(
                f"{path} on {host}: permission denied",
                "log in as its owner, or set 'sudo: true' for this host",
            ) from error
        raise ConnectError(
            f"cannot connect to xlpyd at {path} on {host}: {error.strerror or error}"
        ) from error
    uid = int.from_bytes(credentials[4:8], sys.byteorder)
    if uid not in (0, os.getuid()) and os.getuid() != 0:
        client.close()
        raise PermissionRefused(f"whoever listens at {path} runs as uid {uid}, and is not to be believed")
    return client


def is_guarded(path: str) -> bool:
    """Whether only we and root can put a socket in this place: all directories on the way belong to us alone."""
    directory = os.path.dirname(path)
    while True:
        try:
            found = os.lstat(directory)
        except OSError:
            return False
        if not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o022 or found.st_uid not in (0, os.getuid()):
            return False
        if directory == "/":
            return True
        directory = os.path.dirname(directory)


def _connect(client: _socket.socket, path: str) -> None:
    if len(os.fsencode(path)) <= _LONGEST_ADDRESS:
        client.connect(path)
        return
    directory_fd = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        client.connect(f"/proc/self/fd/{directory_fd}/{os.path.basename(path)}")
    finally:
        os.close(directory_fd)


def _answers(path: str) -> bool:
    try:
        connect(path).close()
    except NobodyListens:
        return False
    return True


def usual_places(uid: int, environ: Mapping[str, str]) -> list[str]:
    """Where this user's xlpyd may listen, whatever environment its login had; the first is where one is started."""
    places = [default_socket(uid, environ)]
    if uid != 0:
        for runtime_dir in (f"/run/user/{uid}", ""):
            place = default_socket(uid, {"XDG_RUNTIME_DIR": runtime_dir})
            if place not in places and os.path.isdir(os.path.dirname(os.path.dirname(place))):
                places.append(place)
    return places


def _text(wishes: Mapping[str, object], name: str) -> str | None:
    value = wishes.get(name)
    return value if isinstance(value, str) else None


def installed_program() -> str | None:
    """The xlpyd that is installed on this host."""
    own = f"{os.environ.get('HOME', '')}/.local/bin"
    for directory in f"{os.environ.get('PATH', '')}:{_SYSTEM_PATH}:{own}".split(":"):
        program = f"{directory}/xlpyd"
        if directory.startswith("/") and os.access(program, os.X_OK):
            return program
    return None
