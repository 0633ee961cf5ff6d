"""What can be wrong with a unix socket, each in its own words."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from xlpy.errors import ConnectError, Interrupted, PermissionRefused
from xlpy.transport.unix import NobodyListens, UnixChannel, connect_unix


def listener(path: Path) -> socket.socket:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()
    return server


def test_no_socket(tmp_path: Path) -> None:
    with pytest.raises(NobodyListens, match="there is no socket"):
        connect_unix(f"{tmp_path}/none")
    with pytest.raises(NobodyListens, match="there is no socket"):
        connect_unix(f"{tmp_path}/no/directory")
    with pytest.raises(NobodyListens, match="there is no socket"):
        connect_unix(f"{tmp_path}/{'long' * 50}/none")


def test_left_over_socket(tmp_path: Path) -> None:
    listener(tmp_path / "s").close()
    with pytest.raises(NobodyListens, match="nobody listens"):
        connect_unix(f"{tmp_path}/s")


def test_no_socket_but_a_file(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("")
    with pytest.raises(ConnectError):
        connect_unix(f"{tmp_path}/s")


def as_nobody(work: object) -> int:
    """Run something as another user; its exit status."""
    child = os.fork()
    if child == 0:
        os.setuid(65534)
        os._exit(work())  # type: ignore[operator]
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_permission_and_somebody_elses(tmp_path: Path) -> None:
    for directory in (tmp_path, *list(tmp_path.parents)[:3]):
        directory.chmod(0o711)

    def refused(expected: str) -> int:
        try:
            connect_unix(f"{tmp_path}/s").close()
        except PermissionRefused as error:
            return 0 if expected in error.message else 2
        return 1

    with listener(tmp_path / "s"):
        (tmp_path / "s").chmod(0o600)
        assert as_nobody(lambda: refused("permission denied")) == 0
    (tmp_path / "s").unlink()

    ready, told = os.pipe()
    child = os.fork()
    if child == 0:  # an impostor where our own xlpyd should be
        os.chmod(tmp_path, 0o777)
        os.setuid(65534)
        server = listener(tmp_path / "s")
        os.write(told, b"1")
        server.accept()
        os._exit(0)
    os.read(ready, 1)

    def refused_as_another() -> int:
        try:
            connect_unix(f"{tmp_path}/s").close()
        except PermissionRefused as error:
            return 0 if "runs as uid 65534" in error.message else 2
        return 1

    another = os.fork()
    if another == 0:
        os.chmod(tmp_path / "s", 0o777)
        os.setuid(12345)
        os._exit(refused_as_another())
    assert os.waitstatus_to_exitcode(os.waitpid(another, 0)[1]) == 0
    os.waitpid(child, 0)
    os.close(ready)
    os.close(told)


def test_descriptors_go_along_with_large_messages() -> None:
    near, far = socket.socketpair()
    channel = UnixChannel(near, "test")
    reader, writer = os.pipe()
    with far:
        far.settimeout(10)
        channel.send(b"x" * 100_000, (writer,))
        os.close(writer)
        data, fds, _, _ = socket.recv_fds(far, 200_000, 4)
        while len(data) < 100_000:
            data += far.recv(200_000)
        assert data == b"x" * 100_000
        (received,) = fds
        os.write(received, b"hello")
        os.close(received)
        assert os.read(reader, 10) == b"hello"
        assert os.read(reader, 10) == b""
    os.close(reader)
    channel.close()


def test_broken_connection() -> None:
    near, far = socket.socketpair()
    channel = UnixChannel(near, "test")
    far.close()
    assert channel.receive() == b""
    with pytest.raises(Interrupted, match="connection to test broke"):
        channel.send(b"x")
    channel.close()
