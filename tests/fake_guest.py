"""A domain of the fake engine: what it looks like, its devices, its console and its state on a stream."""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from xlpy.model.codec import record_from_wire, to_wire
from xlpy.model.console_history import ConsoleHistory, packed_history, unpacked_history
from xlpy.model.device import DiskInfo, NicInfo
from xlpy.model.domain import DomainInfo, SchedParams, VcpuInfo
from xlpy.model.domain_config import DiskConfig, DomainConfig, NicConfig
from xlpy.model.migration import TransferProgress

if TYPE_CHECKING:
    from xlpy.model.migration import Report

MAGIC = b"fake state\n"
PAGE_BYTES = 65536
PAGES = 16
CONSOLE_KEPT_BYTES = 65536


class FakeGuest:
    """One domain."""

    def __init__(self, info: DomainInfo, config: DomainConfig | None = None) -> None:
        self.info = info
        self.config = config
        self.saved = False
        self.ticks = 0
        self.sched = SchedParams()
        self.vcpus = tuple(
            VcpuInfo(domid=info.domid, vcpuid=vcpuid, cpu=vcpuid, online=vcpuid < info.vcpu_online)
            for vcpuid in range(info.vcpu_max_id + 1)
        )
        self.disks: list[DiskInfo] = []
        self.nics: list[NicInfo] = []
        self.cancelled = threading.Event()
        self.on_page: Callable[[], None] = lambda: None  # called while its state is written, after each page
        self._console = bytearray()
        self._forgotten_bytes = 0
        self.console_ended = False
        self._viewers: list[int] = []
        self._talking = threading.Lock()

    @classmethod
    def boot(cls, domid: int, config: DomainConfig, now_s: float) -> FakeGuest:
        """A guest as its configuration asks for it, paused."""
        build = config.b_info
        memory_kib = build.target_memkb or build.max_memkb or 32 << 10
        guest = cls(
            DomainInfo(
                domid=domid,
                uuid=config.c_info.uuid or f"00000000-0000-4000-8000-{domid:012x}",
                name=config.c_info.name,
                domain_type=config.c_info.type,
                paused=True,
                current_memory_kib=memory_kib,
                max_memory_kib=build.max_memkb or memory_kib,
                vcpu_online=len(build.avail_vcpus) or build.max_vcpus,
                vcpu_max_id=build.max_vcpus - 1,
                start_time_s=now_s,
            ),
            config,
        )
        for disk in config.disks:
            guest.add_disk(disk)
        for nic in config.nics:
            guest.add_nic(nic)
        return guest

    def change(self, **changes: object) -> None:
        """Look different from now on."""
        self.info = self.info.replace(**changes)

    def pin(self, vcpuid: int | None, hard: tuple[int, ...] | None, soft: tuple[int, ...] | None) -> None:
        """Pin one vcpu or all of them; None leaves an affinity as it is."""
        changes = {}
        if hard is not None:
            changes["hard_affinity"] = hard
        if soft is not None:
            changes["soft_affinity"] = soft
        self.vcpus = tuple(
            vcpu.replace(**changes) if vcpuid in (None, vcpu.vcpuid) else vcpu for vcpu in self.vcpus
        )

    # -- devices

    def add_disk(self, disk: DiskConfig) -> None:
        """Plug a disk in; xvda is device 51712 and so on."""
        letter = disk.vdev[-1:] or "a"
        base = 51712 if disk.vdev.startswith("xvd") else 768
        devid = base + 16 * max(0, ord(letter) - ord("a"))
        self.disks.append(
            DiskInfo(
                devid=devid,
                vdev=disk.vdev,
                frontend_domid=self.info.domid,
                backend_path=f"/local/domain/0/backend/vbd/{self.info.domid}/{devid}",
                target=disk.pdev_path,
                format=disk.format,
                readonly=not disk.readwrite,
                cdrom=bool(disk.is_cdrom),
            )
        )

    def add_nic(self, nic: NicConfig) -> None:
        """Plug a network card in, with the next free number."""
        taken = {known.devid for known in self.nics}
        devid = nic.devid
        if devid is None:
            devid = next(number for number in range(len(taken) + 1) if number not in taken)
        self.nics.append(
            NicInfo(
                devid=devid,
                mac=nic.mac or f"00:16:3e:00:{self.info.domid:02x}:{devid:02x}",
                backend_path=f"/local/domain/0/backend/vif/{self.info.domid}/{devid}",
                bridge=nic.bridge,
                model=nic.model,
            )
        )

    # -- console

    def say(self, output: bytes) -> None:
        """Print something on the console."""
        with self._talking:
            self._console += output
            self._forgotten_bytes += max(0, len(self._console) - CONSOLE_KEPT_BYTES)
            del self._console[:-CONSOLE_KEPT_BYTES]
            for viewer in list(self._viewers):
                try:
                    os.write(viewer, output)
                except OSError:
                    self._viewers.remove(viewer)

    def join_console(self, viewer: int, history: bool, position: int | None = None) -> int:
        """Let a descriptor see the console from now on, or from a position; returns where it begins."""
        with self._talking:
            said_bytes = self._forgotten_bytes + len(self._console)
            if position is None:
                position = 0 if history else said_bytes
            start = min(max(position, self._forgotten_bytes), said_bytes)
            if missed := self._console[start - self._forgotten_bytes :]:
                os.write(viewer, bytes(missed))
            self._viewers.append(viewer)
        return start

    def leave_console(self, viewer: int) -> None:
        """Close a viewer's descriptor."""
        with self._talking:
            if viewer in self._viewers:
                self._viewers.remove(viewer)
            os.close(viewer)

    def close_consoles(self) -> None:
        """The console ends: all viewers are told so, and those to come get what it has said and no more."""
        self.console_ended = True
        self.cut_viewers()

    def cut_viewers(self) -> None:
        """Break the viewers' streams, as a lost connection does; their threads close them."""
        with self._talking:
            for viewer in self._viewers:
                end_stream(viewer)
            self._viewers.clear()

    def history(self, after: int | None = None) -> ConsoleHistory:
        """What the console has said, or what it has said after a position."""
        with self._talking:
            start = max(after or 0, self._forgotten_bytes)
            return packed_history("pv", 0, start, bytes(self._console[start - self._forgotten_bytes :]))

    def take_history(self, history: ConsoleHistory) -> None:
        """Add what the console has said elsewhere."""
        with self._talking:
            if history.position > self._forgotten_bytes + len(self._console):
                self._console.clear()
                self._forgotten_bytes = history.position
            known = self._forgotten_bytes + len(self._console) - history.position
            self._console += unpacked_history(history)[known:]

    # -- state on a stream

    def memory(self) -> bytes:
        """What the guest has in its memory: always the same for the same guest."""
        seed = (self.info.uuid.encode() * (PAGE_BYTES // len(self.info.uuid) + 1))[:PAGE_BYTES]
        return seed * PAGES

    def write_state(self, out: int, progress: Report | None) -> TransferProgress:
        """Write everything that ``read_state`` needs; raises OSError when nobody takes it or the guest is destroyed."""
        head = json.dumps({"ticks": self.ticks}).encode()
        memory = self.memory()
        _write_all(out, MAGIC + struct.pack("!II", len(head), len(memory)) + head)
        for sent in range(0, len(memory), PAGE_BYTES):
            if self.cancelled.is_set():
                raise OSError(125, "the domain is gone")
            _write_all(out, memory[sent : sent + PAGE_BYTES])
            self.on_page()
            if progress is not None:
                progress(_moment("active", sent + PAGE_BYTES, len(memory)))
        return _moment("completed", len(memory), len(memory))

    def read_state(self, source: int, progress: Report | None) -> None:
        """Become what the stream says; raises OSError or ValueError when it says nothing or half of it."""
        if _read_exactly(source, len(MAGIC)) != MAGIC:
            raise ValueError("this is no state of a fake guest")
        head_length, memory_length = struct.unpack("!II", _read_exactly(source, 8))
        head = json.loads(_read_exactly(source, head_length))
        memory = bytearray()
        while len(memory) < memory_length:
            memory += _read_exactly(source, min(PAGE_BYTES, memory_length - len(memory)))
            if progress is not None:
                progress(_moment("active", len(memory), memory_length))
        if memory != self.memory():
            raise ValueError("this is the memory of another guest")
        self.ticks = head["ticks"]

    # -- life without the engine

    def to_kept(self) -> dict[str, object]:
        """What a file has to hold of it."""
        return {
            "info": to_wire(self.info),
            "config": to_wire(self.config),
            "saved": self.saved,
            "ticks": self.ticks,
        }

    @classmethod
    def from_kept(cls, kept: dict[str, object]) -> FakeGuest:
        """The guest that ``to_kept`` described."""
        config = None if kept["config"] is None else record_from_wire(DomainConfig, kept["config"])
        guest = cls(record_from_wire(DomainInfo, kept["info"]), config)
        guest.saved = bool(kept["saved"])
        guest.ticks = int(str(kept["ticks"]))
        return guest


def relay_console(
    guest: FakeGuest, stream: int, history: bool, follow: bool = True, position: int | None = None
) -> int:
    """Connect a viewer: it sees the console, and what it types is echoed to everybody. Returns where it begins."""
    start = guest.join_console(stream, history, position)
    if guest.console_ended or not follow:
        end_stream(stream)

    def listen() -> None:
        try:
            while typed := os.read(stream, 4096):
                guest.say(typed.replace(b"\r", b"\r\n"))
        except OSError:
            pass
        guest.leave_console(stream)

    threading.Thread(target=listen, name="fake console", daemon=True).start()
    return start


def end_stream(stream: int) -> None:
    """Let the other side read the end after what was written; the descriptor stays open."""
    with socket.socket(fileno=os.dup(stream)) as duplicate:
        duplicate.shutdown(socket.SHUT_RDWR)


def greet_and_echo(stream: int) -> None:
    """Speak first, as a VNC server does, then repeat what is said; closes the stream at its end."""
    try:
        _write_all(stream, b"RFB 003.008\n")
        while said := os.read(stream, 4096):
            _write_all(stream, said)
    except OSError:
        pass
    os.close(stream)


def _moment(phase: str, done: int, total: int) -> TransferProgress:
    return TransferProgress(
        phase=phase, transferred_bytes=done, remaining_bytes=total - done, total_bytes=total
    )


def _write_all(out: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(out, view) :]


def _read_exactly(source: int, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        piece = os.read(source, length - len(data))
        if not piece:
            raise ValueError("the stream ends too early")
        data += piece
    return bytes(data)
