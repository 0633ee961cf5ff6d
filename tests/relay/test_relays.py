"""Both relays between clients and a server that stands for xlpyd: what goes in comes out, each end is an end, no more."""

from __future__ import annotations

import os
import resource
import select
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from eventually import eventually

from xlpy.agent.relay import CodeGone, FarRelay, StdioCarrier
from xlpy.errors import ConnectError, MissingProgram, ProtocolError, error_from_wire
from xlpy.protocol.connection import Connection
from xlpy.protocol.messages import Failure
from xlpy.relay.pump import Pump
from xlpy.transport.near_relay import NearRelay

MIB = 1 << 20


class SocketLink:
    """A link over a socket of this process."""

    label = "box"

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self.fileno = connected.fileno
        self.read_bytes = 0

    def read(self) -> bytes:
        data = self._socket.recv(MIB, socket.MSG_DONTWAIT)
        self.read_bytes += len(data)
        return data

    def write(self, data: bytes) -> None:
        self._socket.sendall(data)

    def close(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def said(self) -> str:
        return ""

    def exit_status(self) -> int | None:
        return None


class Relays:
    """A near and a far relay, joined; ``server`` accepts what the far one connects."""

    def __init__(self, place: Path) -> None:
        self.path = f"{place}/s"
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(self.path)
        self.server.listen()
        self.server.settimeout(20)
        self.near_end, self.far_end = socket.socketpair()
        self.link = SocketLink(self.near_end)
        self.near = NearRelay(self.link)
        self.far_output = os.dup(self.far_end.fileno())
        carrier = StdioCarrier(self.far_end.fileno(), self.far_output)
        self.restart: Callable[[], object] = self._cannot_restart
        self.far = FarRelay(carrier, self.path, lambda: self.restart())
        self.far_error: BaseException | None = None
        self._thread = threading.Thread(target=self._run_far, daemon=True)
        self._thread.start()
        self.near.start()

    def _cannot_restart(self) -> None:
        raise MissingProgram("there is no xlpyd to be started")

    def _run_far(self) -> None:
        try:
            self.far.run()
        except (OSError, ProtocolError, ConnectError) as error:
            self.far_error = error
        finally:
            self.far.close_all()

    def attach(self) -> socket.socket:
        """A client whose connection nobody has accepted yet."""
        client, carried = socket.socketpair()
        client.settimeout(20)
        self.near.attach(carried)
        return client

    def connect(self) -> tuple[socket.socket, socket.socket]:
        """A client, and the server's end of its connection."""
        client = self.attach()
        served = self.server.accept()[0]
        served.settimeout(20)
        return client, served

    def carry(self, fd: int) -> tuple[socket.socket, socket.socket, socket.socket]:
        """A client that passed ``fd``: client, served, and what the server got for the descriptor."""
        client, served = self.connect()
        socket.send_fds(client, [b"here"], [fd])
        data, fds, _, _ = socket.recv_fds(served, 100, 4)
        assert data == b"here"
        carried = socket.socket(fileno=fds[0])
        carried.settimeout(20)
        return client, served, carried

    def end_far(self) -> None:
        """Wait until the far relay has ended."""
        self._thread.join(20)
        assert not self._thread.is_alive()

    def close(self) -> None:
        self.near.close()
        self.near_end.close()
        self.end_far()
        self.far_end.close()
        os.close(self.far_output)
        self.server.close()


@pytest.fixture
def relays(tmp_path: Path) -> Iterator[Relays]:
    relays = Relays(tmp_path)
    yield relays
    relays.close()


def exchange(one: socket.socket, other: socket.socket) -> None:
    for sender, receiver in ((one, other), (other, one)):
        sender.sendall(b"word")
        assert receiver.recv(100) == b"word"


def read_all(source: socket.socket) -> bytes:
    data = b""
    while piece := source.recv(MIB):
        data += piece
    return data


def test_words_both_ways_on_many_connections(relays: Relays) -> None:
    pairs = [relays.connect() for _ in range(20)]
    for client, served in reversed(pairs):
        exchange(client, served)
    for client, served in pairs:
        client.close()
        assert served.recv(10) == b""
        served.close()
    eventually(lambda: relays.near.clients == 0)
    eventually(lambda: relays.far.mux.streams == 0)


def test_half_closes(relays: Relays) -> None:
    client, served = relays.connect()
    with client, served:
        client.sendall(b"all I say")
        client.shutdown(socket.SHUT_WR)
        assert read_all(served) == b"all I say"
        served.sendall(b"answer")
        assert client.recv(100) == b"answer"
        served.close()
        assert client.recv(100) == b""


def test_server_hears_that_a_client_has_gone(relays: Relays) -> None:
    client, served = relays.connect()
    client.sendall(b"last words")
    client.close()
    with served:
        poller = select.poll()
        poller.register(served, 0)  # hang-up alone
        assert poller.poll(20_000)[0][1] & select.POLLHUP
        assert read_all(served) == b"last words"
        with pytest.raises(BrokenPipeError):
            served.send(b"x")


def test_bytes_of_a_socket_that_is_passed(relays: Relays) -> None:
    ours, theirs = socket.socketpair()
    ours.settimeout(20)
    client, served, carried = relays.carry(theirs.fileno())
    theirs.close()
    with client, served, carried, ours:
        exchange(ours, carried)
        exchange(client, served)
        ours.shutdown(socket.SHUT_WR)
        assert carried.recv(100) == b""
        carried.sendall(b"goes on")
        assert ours.recv(100) == b"goes on"
        carried.close()
        assert ours.recv(100) == b""


def test_file_that_is_passed_for_reading_from_where_it_stands(relays: Relays, tmp_path: Path) -> None:
    content = os.urandom(3 * MIB)
    (tmp_path / "f").write_bytes(b"header" + content)
    with open(tmp_path / "f", "rb", buffering=0) as file:
        file.read(6)
        client, served, carried = relays.carry(file.fileno())
    with client, served, carried:
        assert read_all(carried) == content


def test_file_is_written_before_the_answer_that_follows_is_heard(relays: Relays, tmp_path: Path) -> None:
    content = os.urandom(5 * MIB)
    with open(tmp_path / "f", "wb", buffering=0) as file:
        file.write(b"header")
        client, served, carried = relays.carry(file.fileno())
    with client, served:

        def write() -> None:
            with carried:
                carried.sendall(content)
            served.sendall(b"done")

        writer = threading.Thread(target=write)
        writer.start()
        assert client.recv(100) == b"done"
        assert (tmp_path / "f").read_bytes() == b"header" + content
        writer.join()


def test_word_on_the_connection_does_not_wait_for_a_whole_transfer(relays: Relays, tmp_path: Path) -> None:
    with open(tmp_path / "f", "wb", buffering=0) as file:
        client, served, carried = relays.carry(file.fileno())
    with client, served:
        stop = threading.Event()

        def write() -> None:
            with carried:
                while not stop.is_set():
                    carried.sendall(b"x" * MIB)

        writer = threading.Thread(target=write)
        writer.start()
        for _ in range(10):
            exchange(served, client)
        stop.set()
        writer.join()


def test_pipe_whose_reader_goes_away(relays: Relays) -> None:
    reader, writer = os.pipe()
    client, served, carried = relays.carry(writer)
    os.close(writer)
    with client, served, carried:
        carried.sendall(b"one")
        assert os.read(reader, 100) == b"one"
        os.close(reader)
        poller = select.poll()
        poller.register(carried, 0)
        assert poller.poll(20_000)[0][1] & (select.POLLHUP | select.POLLERR)
        with pytest.raises(BrokenPipeError):
            carried.send(b"two")
        exchange(client, served)
    eventually(lambda: relays.far.mux.streams == 0)


def test_pipe_ends_when_the_server_closes_it(relays: Relays) -> None:
    reader, writer = os.pipe()
    client, served, carried = relays.carry(writer)
    os.close(writer)
    with client, served, open(reader, "rb") as pipe:
        carried.sendall(b"all of it" * 1000)
        carried.close()
        assert pipe.read() == b"all of it" * 1000
        eventually(lambda: relays.far.mux.streams == 1)


def test_pipe_keeps_its_mode_for_those_who_share_it(relays: Relays) -> None:
    reader, writer = os.pipe()
    client, served, carried = relays.carry(writer)
    with client, served, carried:
        carried.sendall(b"x")
        assert os.read(reader, 1) == b"x"
        assert os.get_blocking(writer)
    os.close(writer)
    os.close(reader)


def test_several_descriptors_at_once(relays: Relays) -> None:
    pairs = [socket.socketpair() for _ in range(3)]
    client, served = relays.connect()
    with client, served:
        socket.send_fds(client, [b"here"], [theirs.fileno() for _, theirs in pairs])
        _, fds, _, _ = socket.recv_fds(served, 100, 4)
        assert len(fds) == 3
        for (ours, theirs), fd in zip(pairs, fds, strict=True):
            with socket.socket(fileno=fd) as carried, ours:
                theirs.close()
                exchange(ours, carried)


def test_slow_reader_stops_its_sender_and_nobody_else(relays: Relays) -> None:
    ours, theirs = socket.socketpair()
    client, served, carried = relays.carry(theirs.fileno())
    theirs.close()
    with client, served, carried, ours:
        carried.setblocking(False)
        sent = 0
        poller = select.poll()
        poller.register(carried, select.POLLOUT)
        while poller.poll(500):  # until nothing moves any more
            sent += carried.send(b"x" * MIB)
        assert sent < 8 * MIB
        exchange(client, served)
        other_client, other_served = relays.connect()
        with other_client, other_served:
            exchange(other_client, other_served)
        received = 0
        ours.settimeout(20)
        while received < sent:
            received += len(ours.recv(MIB))
        assert received == sent


def test_memory_stays_flat(relays: Relays) -> None:
    ours, theirs = socket.socketpair()
    client, served, carried = relays.carry(theirs.fileno())
    theirs.close()
    with client, served, carried:
        block = b"x" * MIB

        def send(count: int) -> None:
            for _ in range(count):
                carried.sendall(block)

        peaks = []
        for count in (32, 256):
            sender = threading.Thread(target=send, args=(count,))
            sender.start()
            left = count * MIB
            while left:
                left -= len(ours.recv(MIB))
            sender.join()
            peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        assert peaks[1] - peaks[0] < 4 << 10  # KiB
    ours.close()


def test_nobody_listens(relays: Relays) -> None:
    os.unlink(relays.path)
    with relays.attach() as client:
        (failure,) = Connection(is_agent=False).receive(read_all(client))
        assert isinstance(failure, Failure)
        error = error_from_wire(failure.error)
        assert isinstance(error, MissingProgram)
        assert error.message == "box: there is no xlpyd to be started"


def test_link_that_breaks_ends_everything(relays: Relays, tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    ours.settimeout(20)
    client, served, carried = relays.carry(theirs.fileno())
    theirs.close()
    served.sendall(b"greeting")
    assert client.recv(100) == b"greeting"
    with relays.attach() as waiting, client, served, carried, ours:
        relays.server.accept()[0].close()
        relays.far_end.shutdown(socket.SHUT_RDWR)
        assert client.recv(100) == b""
        assert ours.recv(100) == b""
        assert served.recv(100) == b""
        assert carried.recv(100) == b""
        read_all(waiting)
    relays.end_far()
    eventually(lambda: relays.near.broken)
    assert relays.near.broken is not None
    assert "connection to box" in relays.near.broken.message
    client, carried_client = socket.socketpair()
    with client, pytest.raises(ConnectError, match="connection to box"):
        relays.near.attach(carried_client)


def test_client_that_waits_hears_the_end_of_the_link(relays: Relays) -> None:
    """It connects once more then, and can ask why."""
    client, served = relays.connect()
    with client, served:
        relays.far_end.shutdown(socket.SHUT_RDWR)
        assert read_all(client) == b""
    assert relays.near.broken is not None
    assert "connection to box was lost" in relays.near.broken.message


def test_what_is_said_to_an_xlpyd_that_is_being_started(relays: Relays) -> None:
    """Clients ask at once, and need not wait for its greeting."""
    relays.server.close()
    os.unlink(relays.path)
    started, start = os.pipe()
    relays.restart = lambda: os.read(started, 1)
    clients = [relays.attach() for _ in range(2)]
    for number, client in enumerate(clients):
        client.sendall(b"question %d" % number)
    clients[1].shutdown(socket.SHUT_WR)
    relays.server = socket.socket(socket.AF_UNIX)
    relays.server.settimeout(20)
    relays.server.bind(relays.path)
    relays.server.listen()
    os.write(start, b"!")
    heard = []
    for _ in clients:
        with relays.server.accept()[0] as served:
            served.settimeout(20)
            heard.append(served.recv(100))
            served.sendall(b"answer to " + heard[-1])
    assert sorted(heard) == [b"question 0", b"question 1"]
    for number, client in enumerate(clients):
        with client:
            assert read_all(client) == b"answer to question %d" % number
    os.close(start)
    os.close(started)


def test_agent_that_would_have_to_be_sent_the_code_again_ends(relays: Relays) -> None:
    relays.server.close()
    os.unlink(relays.path)

    def gone() -> None:
        raise CodeGone("it was removed")

    relays.restart = gone
    with relays.attach() as client:
        client.sendall(b"question")
        relays.end_far()
        relays.far_end.shutdown(socket.SHUT_RDWR)
        assert read_all(client) == b""
    assert isinstance(relays.far_error, CodeGone)


def test_noise_on_the_channel_ends_it(relays: Relays) -> None:
    relays.far_end.send(b"Message from root: the system goes down")
    eventually(lambda: relays.near.broken)
    assert isinstance(relays.near.broken, ProtocolError)


def test_silent_side_is_given_up(relays: Relays, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConnectError, match="nothing was heard"):
        relays.far.tick(relays.far.heard + 61)
    relays.far.tick(relays.far.heard + 59)


def is_idle(pump: Pump) -> bool:
    """Whether nothing of what it polls for is there."""
    poller = select.poll()
    for end in list(pump.ends.values()):
        if end.interest is not None:
            poller.register(end.endpoint.fileno(), end.interest)
    return not poller.poll(0)


def test_idle_relay_sleeps(relays: Relays, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * 9 * MIB)
    ours, theirs = socket.socketpair()
    with open(tmp_path / "f", "rb") as file:
        stuck = relays.carry(file.fileno())  # a file is always readable
    half = relays.carry(theirs.fileno())
    theirs.close()
    half[2].shutdown(socket.SHUT_RDWR)
    ours.shutdown(socket.SHUT_RD)
    exchange(half[0], half[1])
    eventually(lambda: is_idle(relays.far))
    eventually(lambda: is_idle(relays.near._pump))
    for one in (*stuck, *half, ours):
        one.close()
