"""xl's migration protocol: our two sides against each other and against programs that speak it, or don't."""

from __future__ import annotations

import os
import shlex
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from eventually import eventually
from fake_engine import FakeEngine
from in_process import InProcessHost
from sample_configs import tiny

from xlpy.agent.domain_record import Phase
from xlpy.client.host import Host
from xlpy.client.save_file import header_bytes, read_header
from xlpy.client.whole_bytes import read_exactly
from xlpy.client.xl_peer import XlPeer
from xlpy.client.xl_receive import Reception
from xlpy.client.xl_send import MigrationToXl
from xlpy.client.xl_wire import BANNER, FAILURE, GO, READY, REPORT, SUCCESS
from xlpy.errors import (
    ConnectError,
    EngineError,
    Interrupted,
    NotSupported,
    ProtocolError,
    UsageError,
    XlError,
)
from xlpy.model.migration import MigrationLimits, Peer, SavedDomain, TransferProgress

LENGTH = struct.Struct("=I")
# An xl migrate-receive that has nothing behind it: argv is what it says at each turn, in Python's own words.
STAND_IN = """\
import os, struct, sys
banner, ready, report = (eval(word) for word in sys.argv[1:4])
def read(n):
    data = b""
    while len(data) < n:
        piece = os.read(0, n - len(data))
        if not piece:
            sys.exit("the sender hung up")
        data += piece
    return data
os.write(1, banner)
read(32)
read(struct.unpack("=IIII", read(16))[3])
read(struct.unpack("=I", read(4))[0])
os.write(1, ready)
read(44)
os.write(1, report)
"""


def in_memory(data: bytes = b"") -> BinaryIO:
    """A file that holds this, at its beginning."""
    file = os.fdopen(os.memfd_create("state"), "w+b", buffering=0)
    file.write(data)
    file.seek(0)
    return file


def content(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()


class LibxlLike(FakeEngine):
    """A fake whose stream ends by itself, as libxl's does: what follows it is for somebody else."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = True
        self.names: list[str] = []  # that its domains were given

    def describe_domain(self, domid: int) -> SavedDomain:
        return super().describe_domain(domid).replace(stream_format="libxl", stream_version="2")

    def save_domain(self, domid: int, stream: int, *args: object, **kwargs: object) -> TransferProgress:
        with os.fdopen(stream, "wb", buffering=0) as out:
            with in_memory() as state:
                result = super().save_domain(domid, os.dup(state.fileno()), *args, **kwargs)  # type: ignore[arg-type]
                data = content(state)
            try:
                out.write(LENGTH.pack(len(data)) + data)
            except OSError as error:
                super().resume_saved(domid)
                raise EngineError(f"cannot write the state: {error.strerror}") from error
        return result

    def restore_domain(self, saved: SavedDomain, stream: int, *args: object, **kwargs: object) -> int:
        try:
            data = read_exactly(stream, LENGTH.unpack(read_exactly(stream, LENGTH.size))[0])
        except struct.error as error:
            raise EngineError("the stream is truncated") from error
        finally:
            os.close(stream)
        with in_memory(data) as state:
            plain = saved.replace(stream_format="fake")
            return super().restore_domain(plain, os.dup(state.fileno()), *args, **kwargs)  # type: ignore[arg-type]

    def take_back_unfinished(self, domid: int, paused: bool = False) -> None:
        """It never stood still, as a domain of libxl's does not while most of it goes over."""
        assert self.domain_info(domid).running

    def release_saved(self, domid: int) -> None:
        self.names.append(f"{self.domain_info(domid).name}--migratedaway")


class Side:
    """One host with its engine."""

    def __init__(self, place: Path, name: str) -> None:
        self.fake = LibxlLike()
        self.agent = InProcessHost(self.fake, place / name, f"unix:///test/{name}")
        self.host = self.agent.connect()

    def phases(self) -> list[Phase]:
        return [record.phase for record in self.agent.supervisor.store.records()]

    def running(self) -> list[str | None]:
        return [
            guest.info.name for guest in self.fake.guests.values() if guest.info.domid and guest.info.running
        ]


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[tuple[Side, Side]]:
    both = Side(tmp_path, "source"), Side(tmp_path, "target")
    yield both
    for side in both:
        side.agent.close()


@pytest.fixture
def source(sides: tuple[Side, Side]) -> Side:
    return sides[0]


@pytest.fixture
def target(sides: tuple[Side, Side]) -> Side:
    return sides[1]


@pytest.fixture
def domid(source: Side) -> int:
    return source.host.create_domain(tiny("web"))


def stand_in(
    tmp_path: Path, banner: bytes = BANNER, ready: bytes = READY, report: bytes = REPORT + SUCCESS
) -> str:
    """The command that leads to an xl which says this."""
    script = tmp_path / "stand_in.py"
    script.write_text(STAND_IN)
    return shlex.join((sys.executable, str(script), *map(repr, (banner, ready, report))))


class Sender(threading.Thread):
    """An xl that migrates, on the other end of ``receive``'s descriptors."""

    def __init__(self, saved: SavedDomain, state: bytes, go: bytes = GO) -> None:
        super().__init__(daemon=True)
        self.ours, self.theirs = socket.socketpair()
        self._lines = header_bytes(saved) + LENGTH.pack(len(state)) + state
        self._go = go
        self.heard: list[bytes] = []
        self.start()

    def run(self) -> None:
        with self.ours:
            try:
                self._talk()
            except OSError:
                pass  # the receiver hung up

    def _talk(self) -> None:
        self._hear(len(BANNER))
        self.ours.sendall(self._lines)
        if not self._hear(len(READY)):
            return
        self.ours.sendall(self._go)
        self.ours.shutdown(socket.SHUT_WR)
        self._hear(len(REPORT) + 1)
        self._hear(len(GO))

    def _hear(self, length: int) -> bytes:
        said = read_exactly(self.ours.fileno(), length)
        self.heard.append(said)
        return said

    def receive(self, host: Host, **wishes: object) -> int:
        """What migrate-receive does at the other end."""
        with self.theirs:
            fd = self.theirs.fileno()
            return Reception(host, fd, fd, sender="xen1", **wishes).run()  # type: ignore[arg-type]


def sender_of(source: Side, domid: int, go: bytes = GO) -> Sender:
    saved = source.host.describe_domain(domid)
    with in_memory() as stream:
        source.host.save_domain(domid, os.dup(stream.fileno()))
        state = content(stream)
    source.host.resume_saved(domid)
    return Sender(saved, state[LENGTH.size :], go)


class TestReceiving:
    @pytest.mark.parametrize("paused", [False, True])
    def test_domain_arrives(self, source: Side, target: Side, domid: int, paused: bool) -> None:
        source.fake.guests[domid].ticks = 7
        sender = sender_of(source, domid)
        arrived = sender.receive(target.host, paused=paused)
        sender.join()
        info = target.host.domain_info(arrived)
        assert (info.name, info.paused) == ("web", paused)
        assert target.fake.guests[arrived].ticks == 7
        assert sender.heard == [BANNER, READY, REPORT + SUCCESS, b""]
        assert target.phases() == [Phase.RUNNING]

    @pytest.mark.parametrize("go", [b"", b"no " + GO[3:]], ids=["nothing", "something else"])
    def test_without_permission_it_is_given_back(
        self, source: Side, target: Side, domid: int, go: bytes
    ) -> None:
        sender = sender_of(source, domid, go)
        with pytest.raises(ProtocolError, match="instead of"):
            sender.receive(target.host)
        sender.join()
        assert sender.heard == [BANNER, READY, REPORT + FAILURE, GO]
        assert target.phases() == []
        assert target.running() == []

    def test_one_that_cannot_start_is_destroyed_before_it_is_given_back(
        self, source: Side, target: Side, domid: int
    ) -> None:
        sender = sender_of(source, domid)
        target.fake.fail_next("accept_restored", EngineError("no name for it"))
        with pytest.raises(EngineError, match="no name for it"):
            sender.receive(target.host)
        sender.join()
        assert sender.heard[2:] == [REPORT + FAILURE, GO]
        assert target.phases() == []
        assert target.running() == []

    def test_failed_restore_leaves_nothing(self, source: Side, target: Side, domid: int) -> None:
        sender = sender_of(source, domid)
        target.fake.fail_next("restore_domain", EngineError("out of order"))
        with pytest.raises(EngineError, match="out of order"):
            sender.receive(target.host)
        sender.join()
        assert sender.heard[1] == b""
        assert target.phases() == []

    def test_name_in_use_is_said_before_the_state_comes(self, source: Side, target: Side, domid: int) -> None:
        target.host.create_domain(tiny("web"))
        sender = sender_of(source, domid)
        with pytest.raises(XlError, match=r"stays at xen1.*exists already"):
            sender.receive(target.host)
        sender.join()
        assert target.running() == ["web"]

    def test_xlpyd_that_dies_behind_its_decision(
        self, source: Side, target: Side, domid: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def lost(self: Host, *args: object) -> None:
            accept(self, *args)  # type: ignore[arg-type]
            self.close()
            raise Interrupted("xlpyd closed the connection")

        accept = Host.accept_restored
        monkeypatch.setattr(Host, "accept_restored", lost)
        sender = sender_of(source, domid)
        sender.receive(target.host)
        sender.join()
        assert sender.heard[2] == REPORT + SUCCESS
        assert target.running() == ["web"]

    def test_far_host_is_refused(self, source: Side, target: Side, domid: int) -> None:
        sender = sender_of(source, domid)
        target.host.hello  # noqa: B018 -- so that it is connected
        target.host._far = True
        with pytest.raises(UsageError, match="on the host itself"):
            sender.receive(target.host)
        sender.join()

    def test_stream_of_another_engine_is_refused_by_name(
        self, source: Side, tmp_path: Path, domid: int
    ) -> None:
        plain = InProcessHost(FakeEngine(), tmp_path / "plain", "unix:///test/plain")
        try:
            with pytest.raises(NotSupported, match="the fake engine cannot read a stream of 'libxl'"):
                sender_of(source, domid).receive(plain.connect())
        finally:
            plain.close()


class TestSending:
    def send(self, source: Side, domid: int, rune: str, far: bool = False) -> TransferProgress:
        source.host.hello  # noqa: B018 -- so that it is connected
        source.host._far = far
        with XlPeer(rune, "xen2") as peer:
            return MigrationToXl(source.host, domid, peer, limits=MigrationLimits()).run()

    @pytest.mark.parametrize("far", [False, True])
    def test_domain_leaves(self, source: Side, domid: int, tmp_path: Path, far: bool) -> None:
        assert self.send(source, domid, stand_in(tmp_path), far).phase == "completed"
        assert source.phases() == []
        assert domid not in source.fake.guests
        assert source.fake.names == ["web--migratedaway"]

    @pytest.mark.parametrize("far", [False, True])
    @pytest.mark.parametrize(
        ("says", "error", "words"),
        [
            ({"banner": b"sh: xl: not found\n"}, ConnectError, "no xl receives a domain at xen2"),
            ({"ready": b""}, ConnectError, "hung up instead of saying 'domain received"),
            ({"report": REPORT + FAILURE + GO}, EngineError, "xen2 could not start the domain"),
        ],
    )
    def test_failure_leaves_it_running(
        self,
        source: Side,
        domid: int,
        tmp_path: Path,
        far: bool,
        says: dict[str, bytes],
        error: type[XlError],
        words: str,
    ) -> None:
        if "ready" in says:
            command = stand_in(tmp_path, **says).replace("read(44)", "sys.exit()")
            (tmp_path / "stand_in.py").write_text(STAND_IN.replace("read(44)", "sys.exit('no memory')"))
            words += ".*xen2 says: no memory"
        else:
            command = stand_in(tmp_path, **says)
        with pytest.raises(error, match=f"(?s){words}"):
            self.send(source, domid, command, far)
        eventually(lambda: source.running() == ["web"] and source.phases() == [Phase.RUNNING])

    def test_silence_after_go_leaves_it_standing(self, source: Side, domid: int, tmp_path: Path) -> None:
        with pytest.raises(Interrupted, match="until somebody has looked") as caught:
            self.send(source, domid, stand_in(tmp_path, report=b""))
        assert "xlpy destroy web" in (caught.value.hint or "")
        source.host.close()
        eventually(
            lambda: [event.what for event in source.host.list_events()][-1].startswith("migration waits")
        )
        assert source.phases() == [Phase.SENT]
        assert source.running() == []
        transfer = source.host.list_transfers()[0]
        assert transfer.peer == Peer(name="xen2")
        source.host.settle_transfer(transfer.transfer_id, "lost")
        assert source.running() == ["web"]

    def test_client_lost_before_go_leaves_it_running(self, source: Side, domid: int) -> None:
        client = source.agent.connect()
        client.describe_domain(domid)
        client.save_domain(domid, os.open(os.devnull, os.O_WRONLY), live=True, peer=Peer(name="xen2"))
        assert source.phases() == [Phase.SAVED]
        client.close()
        eventually(lambda: source.running() == ["web"] and source.phases() == [Phase.RUNNING])

    def test_xlpyd_killed_before_it_stood_still(self, source: Side, domid: int, tmp_path: Path) -> None:
        store = source.agent.supervisor.store
        store.move(store.records()[0].uuid, Phase.SAVING, receiver=Peer(name="xen2"))
        source.host.close()
        source.agent.kill()
        source.agent = InProcessHost(source.fake, tmp_path / "source", "unix:///test/source")
        assert source.phases() == [Phase.RUNNING]
        assert source.running() == ["web"]

    def test_nothing_is_released_that_was_not_saved_for_an_xl(self, source: Side, domid: int) -> None:
        with pytest.raises(XlError, match="does not wait for another host"):
            source.host.release_saved(domid)
        assert source.running() == ["web"]

    def test_a_real_xl_refuses_what_another_engine_has_saved(self, tmp_path: Path) -> None:
        plain = InProcessHost(FakeEngine(), tmp_path / "plain", "unix:///test/plain")
        rune = f"printf '%s\\n' '{BANNER.decode().strip()}'; head -c 32 >{tmp_path}/magic; echo wrong magic >&2; exit 1"
        try:
            host = plain.connect()
            domid = host.create_domain(tiny("web"))
            with XlPeer(rune, "xen2") as peer, pytest.raises(XlError, match="the domain runs on"):
                MigrationToXl(host, domid, peer).run()
            assert (tmp_path / "magic").read_bytes() == b"Xen saved domain, xlpy format 1 "
            eventually(lambda: host.domain_info(domid).running)
        finally:
            plain.close()


def test_both_sides_understand_each_other(source: Side, target: Side, domid: int) -> None:
    """The command is a pipe to a Reception in a thread here."""
    near, far = socket.socketpair()
    said: list[str] = []

    def receive() -> None:
        with far:
            Reception(target.host, far.fileno(), far.fileno(), sender="xen1", say=said.append).run()

    receiver = threading.Thread(target=receive, daemon=True)
    receiver.start()
    with near, XlPeer("exec sleep 0", "xen2") as peer:
        peer._socket.close()
        peer._socket = near.dup()
        MigrationToXl(source.host, domid, peer).run()
        receiver.join()
    assert (source.running(), target.running()) == ([], ["web"])
    assert "migration target: Got permission, starting domain." in said


def test_header_says_all_that_an_xl_needs(source: Side, domid: int, tmp_path: Path) -> None:
    path = tmp_path / "header"
    path.write_bytes(header_bytes(source.host.describe_domain(domid)))
    with open(path, "rb") as file:
        assert read_header(file.fileno(), "it").config.c_info.name == "web"


def test_released_and_not_told(
    source: Side, domid: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection breaks when xlpyd has released the domain, before anybody is told to start it."""

    def lost(self: Host, *args: object) -> None:
        release(self, *args)  # type: ignore[arg-type]
        self.close()
        raise Interrupted("xlpyd closed the connection")

    release = Host.release_saved
    monkeypatch.setattr(Host, "release_saved", lost)
    with XlPeer(stand_in(tmp_path), "xen2") as peer, pytest.raises(ConnectError, match="runs on"):
        MigrationToXl(source.host, domid, peer).run()
    eventually(lambda: source.running() == ["web"] and source.phases() == [Phase.RUNNING])
