"""The tunnel to a VNC server: what gets through, who doesn't, and its end."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Iterator

import pytest
from everybodys_python import everybodys_python
from fake_engine import FakeEngine

from xlpy.client.host import Host
from xlpy.client.loopback import peer_uid
from xlpy.client.vnc_tunnel import VncTunnel
from xlpy.errors import ConnectError, DomainNotFound, XlError
from xlpy.model.domain import DomainInfo

GREETING = b"RFB 003.008\n"


class Tunnel:
    """A tunnel that serves in a thread of its own until ``stop``."""

    def __init__(self, host: Host, domid: int) -> None:
        self.warnings: list[str] = []
        self.error: XlError | None = None
        self.tunnel = VncTunnel(host, domid, self.warnings.append)
        self.port = self.tunnel.port
        self._until, self._stopping = os.pipe()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        try:
            with self.tunnel:
                self.tunnel.serve(self._until)
        except XlError as error:
            self.error = error

    def connect(self) -> socket.socket:
        viewer = socket.create_connection(("127.0.0.1", self.port), 20)
        viewer.settimeout(20)
        return viewer

    def join(self) -> None:
        self._thread.join(20)
        assert not self._thread.is_alive()

    def stop(self) -> None:
        os.close(self._stopping)
        self.join()
        os.close(self._until)


@pytest.fixture
def tunnel(host: Host, fake: FakeEngine) -> Iterator[Tunnel]:
    fake.add(DomainInfo(domid=3, uuid="00000000-0000-4000-8000-000000000003", name="web"))
    tunnel = Tunnel(host, 3)
    yield tunnel
    tunnel.stop()


def test_viewers_get_through_at_the_same_time(tunnel: Tunnel) -> None:
    with tunnel.connect() as first, tunnel.connect() as second:
        for viewer in (first, second):
            assert viewer.recv(100) == GREETING
            viewer.sendall(b"key")
            assert viewer.recv(100) == b"key"


def test_it_ends_with_the_domain(tunnel: Tunnel, host: Host) -> None:
    with tunnel.connect() as viewer:
        assert viewer.recv(100) == GREETING
        elsewhere = host.another()  # the tunnel still talks on its own
        elsewhere.destroy_domain(3)
        elsewhere.close()
        tunnel.join()
        assert tunnel.error is None
        assert viewer.recv(1) == b""


def test_connections_end_with_the_viewer_and_nothing_is_left(tunnel: Tunnel) -> None:
    with tunnel.connect() as viewer:
        assert viewer.recv(100) == GREETING
        open_before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        with tunnel.connect() as viewer:
            assert viewer.recv(100) == GREETING
    with tunnel.connect() as viewer:
        assert viewer.recv(100) == GREETING
        assert len(os.listdir("/proc/self/fd")) <= open_before + 6


def test_its_end_cuts_the_viewers(host: Host, fake: FakeEngine) -> None:
    fake.add(DomainInfo(domid=3, uuid="00000000-0000-4000-8000-000000000003", name="web"))
    tunnel = Tunnel(host, 3)
    with tunnel.connect() as viewer:
        assert viewer.recv(100) == GREETING
        tunnel.stop()
        assert viewer.recv(100) == b""


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to be somebody else")
def test_other_users_are_refused(tunnel: Tunnel) -> None:
    program = f"import socket; print(socket.create_connection(('127.0.0.1', {tunnel.port}), 20).recv(100))"
    heard = subprocess.run([everybodys_python(), "-c", program], user=65534, capture_output=True, timeout=60)
    assert heard.stdout.strip() in (b"b''", b"")  # closed, or reset
    (warning,) = tunnel.warnings
    assert "by uid 65534 was refused" in warning
    with tunnel.connect() as viewer:
        assert viewer.recv(100) == GREETING


def test_a_host_out_of_reach_costs_only_the_connection(
    tunnel: Tunnel, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.fail_next("open_vnc", ConnectError("no route"))
    with tunnel.connect() as viewer:
        assert viewer.recv(100) == b""
    assert tunnel.warnings == ["a viewer was turned away: no route"]
    with tunnel.connect() as viewer:
        assert viewer.recv(100) == GREETING


def test_it_ends_when_the_domain_is_gone(tunnel: Tunnel, fake: FakeEngine) -> None:
    del fake.guests[3]
    with tunnel.connect() as viewer:
        assert viewer.recv(100) == b""
    tunnel.join()
    assert isinstance(tunnel.error, DomainNotFound)


def test_a_port_in_use(host: Host) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(XlError, match=f"cannot listen on 127.0.0.1:{port}: Address already in use"):
            VncTunnel(host, 3, print, port)


def test_whose_connection_it_is() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with socket.create_connection(listener.getsockname()):
            callee, _ = listener.accept()
            with callee:
                assert peer_uid(callee) == os.getuid()
