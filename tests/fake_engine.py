"""A whole engine in memory: deterministic, fast, and held to the same contract tests as the real ones.

A guest of it echoes what is typed on its console and has a counter, ``ticks``, that goes on where it was after a
restore. With a directory its domains live in files there, as QEMU processes live on without xlpyd: a new FakeEngine over
the same directory finds them again.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fake_devices import FakeDevices
from fake_guest import FakeGuest, greet_and_echo, relay_console
from fake_hypervisor import FakeHypervisor

from xlpy import __version__
from xlpy.errors import (
    DeviceNotFound,
    DomainExists,
    DomainNotFound,
    EngineError,
    InvalidState,
    NotEnoughMemory,
    NotSupported,
    XlError,
)
from xlpy.model.device import DiskInfo, NicInfo, VncAddress
from xlpy.model.domain import (
    ActionOnShutdown,
    DomainEnd,
    DomainInfo,
    DomainStats,
    DomainType,
    SchedParams,
    ShutdownReason,
    VcpuInfo,
)
from xlpy.model.domain_config import DiskConfig, DomainBuildInfo, DomainConfig, DomainCreateInfo, NicConfig
from xlpy.model.host import CpuTopology, HostInfo, NumaNode
from xlpy.model.migration import Finding, MigrationLimits, Peer, SavedDomain, TransferProgress

if TYPE_CHECKING:
    from xlpy.model.console_history import ConsoleHistory
    from xlpy.model.migration import Report

TRIGGERS = ("nmi", "reset", "init", "power", "sleep", "s3resume")


def fake_host() -> HostInfo:
    """The machine that the fake domains run on."""
    return HostInfo(
        engine="fake",
        host="testhost",
        release="6.1.0",
        version="#1 SMP",
        machine="x86_64",
        nr_cpus=4,
        max_cpu_id=3,
        nr_nodes=1,
        cores_per_socket=4,
        threads_per_core=1,
        cpu_khz=2_000_000,
        hw_caps="0:0:0:0:0:0:0:0",
        virt_caps="pv hvm",
        total_memory_kib=8 << 20,
        free_memory_kib=6 << 20,
    )


class FakeEngine(FakeDevices, FakeHypervisor):
    """Tests reach into it: set ``host``, ``ring``, ``pools``; ``add`` domains as they shall look; ``end`` them."""

    name = "fake"

    def __init__(self, directory: Path | None = None) -> None:
        FakeDevices.__init__(self)
        FakeHypervisor.__init__(self)
        self.host = fake_host()
        self.topology = tuple(CpuTopology(cpu=cpu, core=cpu, socket=0, node=0) for cpu in range(4))
        self.nodes = (NumaNode(node=0, size_kib=8 << 20, free_kib=6 << 20, distances=(10,)),)
        self.ring = "(fake) Xen is not running here\n"
        self.now: Callable[[], float] = lambda: 1_700_000_000.0
        self.requests: list[tuple[object, ...]] = []  # what guests were asked: (operation, domid, ...)
        self.guests: dict[int, FakeGuest] = {}
        self.left: dict[int, DomainConfig] = {}  # what others left for the next start of a domain
        self.findings: tuple[Finding, ...] = ()  # what it has against a domain that shall come here
        self._failures: dict[str, list[XlError]] = {}
        self.soft_resets: list[int] = []
        self._lock = threading.RLock()
        self._on_end: Callable[[DomainEnd], None] = lambda end: None
        self._directory = directory
        self._next_domid = 1
        self.add(
            DomainInfo(
                domid=0,
                uuid="00000000-0000-0000-0000-000000000000",
                name="Domain-0",
                running=True,
                current_memory_kib=2 << 20,
                max_memory_kib=2 << 20,
                vcpu_online=4,
                vcpu_max_id=3,
                start_time_s=self.now() - 100,
            ),
            DomainConfig(
                c_info=DomainCreateInfo(type=DomainType.PV, name="Domain-0"),
                b_info=DomainBuildInfo(max_memkb=2 << 20, target_memkb=2 << 20),
                on_reboot=ActionOnShutdown.DESTROY,
            ),
        )

    # -- for tests

    def add(self, info: DomainInfo, config: DomainConfig | None = None) -> FakeGuest:
        """Have a domain that looks like this."""
        guest = FakeGuest(info, config)
        with self._lock:
            self.guests[info.domid] = guest
            self._next_domid = max(self._next_domid, info.domid + 1)
        return guest

    def end(self, domid: int, reason: ShutdownReason) -> None:
        """The guest powers off, reboots, crashes: it stands still and whoever watches is told."""
        guest = self._guest(domid)
        with self._lock:
            guest.change(running=False, blocked=False, paused=False, shutdown=True, shutdown_reason=reason)
            self._keep(guest)
        self._on_end(DomainEnd(domid=domid, reason=reason))

    def soft_reset_domain(self, domid: int, config: DomainConfig, paused: bool = False) -> None:
        self._maybe_fail("soft_reset_domain")
        guest = self._guest(domid)
        with self._lock:
            guest.change(running=not paused, paused=paused, shutdown=False, shutdown_reason=None)
            self._keep(guest)
            self.soft_resets.append(domid)

    def fail_next(self, operation: str, error: XlError) -> None:
        """Let the next call of this operation fail."""
        self._failures.setdefault(operation, []).append(error)

    # -- life of the engine

    def start(self, on_end: Callable[[DomainEnd], None]) -> None:
        self._on_end = on_end
        if self._directory is None:
            return
        self._directory.mkdir(parents=True, exist_ok=True)
        for path in sorted(self._directory.glob("*.json")):
            kept = json.loads(path.read_text())
            if kept["half"]:
                path.unlink()
                continue
            guest = FakeGuest.from_kept(kept)
            self.guests[guest.info.domid] = guest
        for path in self._directory.glob("*.new"):
            path.unlink()

    def close(self) -> None:
        for guest in list(self.guests.values()):
            guest.close_consoles()

    # -- the host

    def host_info(self) -> HostInfo:
        return self.host

    def cpu_topology(self) -> tuple[CpuTopology, ...]:
        return self.topology

    def numa_info(self) -> tuple[NumaNode, ...]:
        return self.nodes

    def console_ring(self, clear: bool = False) -> str:
        text = self.ring
        if clear:
            self.ring = ""
        return text

    # -- which domains there are

    def list_domains(self) -> tuple[DomainInfo, ...]:
        with self._lock:
            return tuple(self.guests[domid].info for domid in sorted(self.guests))

    def domain_info(self, domid: int) -> DomainInfo:
        return self._guest(domid).info

    def find_domain(self, reference: str) -> DomainInfo:
        for info in self.list_domains():
            if reference in (str(info.domid), info.name, info.uuid):
                return info
        raise DomainNotFound(f"{reference} is an invalid domain identifier")

    def domain_config(self, domid: int) -> DomainConfig:
        guest = self._guest(domid)
        if guest.config is None:
            raise InvalidState(f"domain {domid} has no configuration")
        return guest.config

    def domain_notes(self, domid: int) -> tuple[str, ...]:
        return (f"this is no domain but a fake, {self._guest(domid).info.name}",)

    def domain_stats(self) -> tuple[DomainStats, ...]:
        return tuple(
            DomainStats(
                domid=info.domid,
                cpu_time_ns=info.cpu_time_ns,
                memory_kib=info.current_memory_kib,
                resident_memory_kib=info.current_memory_kib,
            )
            for info in self.list_domains()
        )

    # -- life

    def create_domain(
        self,
        config: DomainConfig,
        paused: bool = False,
        supervised: bool = True,
        config_text: str | None = None,
    ) -> int:
        self._maybe_fail("create_domain")
        memory_kib = config.b_info.target_memkb or config.b_info.max_memkb or 32 << 10
        if memory_kib > self.host.free_memory_kib:
            raise NotEnoughMemory(f"{memory_kib} KiB asked for, {self.host.free_memory_kib} KiB free")
        with self._lock:
            domid = self._new_domid(config.c_info.domid)
            guest = FakeGuest.boot(domid, config, self.now())
            self._keep(guest, half=True)
            guest.change(paused=paused, running=not paused)
            self.guests[domid] = guest
            self._keep(guest)
        guest.say(b"guest up\r\n# ")
        return domid

    def destroy_domain(self, domid: int) -> None:
        self._maybe_fail("destroy_domain")
        guest = self._guest(domid)
        with self._lock:
            del self.guests[domid]
            self._forget(domid)
        guest.close_consoles()
        guest.cancelled.set()
        self._on_end(
            DomainEnd(
                domid=domid,
                reason=guest.info.shutdown_reason or ShutdownReason.UNKNOWN,
                destroyed=True,
            )
        )

    def shutdown_domain(self, domid: int, acpi_fallback: bool = False) -> None:
        self._ask("shutdown_domain", domid, acpi_fallback)

    def reboot_domain(self, domid: int, acpi_fallback: bool = False) -> None:
        self._ask("reboot_domain", domid, acpi_fallback)

    def pause_domain(self, domid: int) -> None:
        self._change(domid, paused=True, running=False, blocked=False)

    def unpause_domain(self, domid: int) -> None:
        if self._guest(domid).saved:
            raise InvalidState(f"domain {domid} stands still after a save")
        self._change(domid, paused=False, running=True)

    def rename_domain(self, domid: int, name: str) -> None:
        self._maybe_fail("rename_domain")
        if any(info.name == name and info.domid != domid for info in self.list_domains()):
            raise DomainExists(f"a domain named {name!r} exists already")
        self._change(domid, name=name)

    def left_config(self, domid: int) -> DomainConfig | None:
        return self.left.get(domid)

    def forget_left_config(self, domid: int) -> None:
        self.left.pop(domid, None)

    def update_config(self, domid: int, config: DomainConfig, config_text: str | None = None) -> None:
        self._guest(domid).config = config

    def send_trigger(self, domid: int, trigger: str, vcpuid: int = 0) -> None:
        if trigger not in TRIGGERS:
            raise NotSupported(f"the fake engine cannot send the trigger {trigger!r}")
        self._ask("send_trigger", domid, trigger, vcpuid)

    def send_sysrq(self, domid: int, letter: str) -> None:
        self._ask("send_sysrq", domid, letter)

    def dump_core(self, domid: int, stream: int) -> None:
        with os.fdopen(stream, "wb") as core:
            self._maybe_fail("dump_core")
            core.write(b"\x7fELF" + self._guest(domid).memory())

    # -- state in motion

    def check_incoming(self, saved: SavedDomain, copy_disks: bool = False) -> tuple[Finding, ...]:
        return self.findings

    def describe_domain(self, domid: int) -> SavedDomain:
        guest = self._guest(domid)
        return SavedDomain(
            config=self.domain_config(domid),
            stream_format="fake",
            stream_version="1",
            xlpy_version=__version__,
            start_time_s=guest.info.start_time_s,
        )

    def console_histories(
        self, domid: int, after: tuple[ConsoleHistory, ...] = ()
    ) -> tuple[ConsoleHistory, ...]:
        return (self._guest(domid).history(after[0].end if after else None),)

    def save_domain(
        self,
        domid: int,
        stream: int,
        limits: MigrationLimits | None = None,
        live: bool = False,
        peer: Peer | None = None,
        progress: Report | None = None,
    ) -> TransferProgress:
        with os.fdopen(stream, "wb", buffering=0) as out:
            self._maybe_fail("save_domain")
            guest = self._guest(domid)
            was_paused = guest.info.paused
            guest.cancelled.clear()
            self._change(domid, saved=True, paused=True, running=False)
            try:
                return guest.write_state(out.fileno(), progress)
            except OSError as error:
                self._change(domid, saved=False, paused=was_paused, running=not was_paused)
                raise EngineError(f"cannot write the state: {error.strerror}") from error

    def break_off_save(self, domid: int) -> None:
        self._guest(domid).cancelled.set()

    def resume_saved(self, domid: int, paused: bool = False) -> None:
        self._maybe_fail("resume_saved")
        if not self._guest(domid).saved:
            raise InvalidState(f"domain {domid} was not saved")
        self._change(domid, saved=False, paused=paused, running=not paused)

    def restore_domain(
        self,
        saved: SavedDomain,
        stream: int,
        supervised: bool = True,
        progress: Report | None = None,
    ) -> int:
        with os.fdopen(stream, "rb", buffering=0) as source:
            self._maybe_fail("restore_domain")
            if saved.stream_format != "fake":
                raise NotSupported(f"the fake engine cannot read a stream of {saved.stream_format!r}")
            with self._lock:
                domid = self._new_domid(saved.config.c_info.domid)
                guest = FakeGuest.boot(domid, saved.config, saved.start_time_s or self.now())
                guest.change(name=f"{guest.info.name}--incoming", paused=True)
                self.guests[domid] = guest
                self._keep(guest, half=True)
            try:
                guest.read_state(source.fileno(), progress)
                for history in saved.consoles:
                    guest.take_history(history)
            except (OSError, ValueError) as error:
                with self._lock:
                    self.guests.pop(domid, None)
                    self._forget(domid)
                raise EngineError(f"cannot read the state: {error}") from error
        with self._lock:
            self._keep(guest)
        return domid

    def accept_restored(
        self, domid: int, paused: bool = False, consoles: tuple[ConsoleHistory, ...] = ()
    ) -> None:
        self._maybe_fail("accept_restored")
        for history in consoles:
            self._guest(domid).take_history(history)
        name = (self._guest(domid).info.name or "").removesuffix("--incoming")
        self._change(domid, name=name, paused=paused, running=not paused)

    # -- memory and cpus

    def set_memory_target(self, domid: int, memory_kib: int) -> None:
        info = self._guest(domid).info
        self._change(
            domid, current_memory_kib=memory_kib, max_memory_kib=max(info.max_memory_kib, memory_kib)
        )

    def set_max_memory(self, domid: int, memory_kib: int) -> None:
        self._change(domid, max_memory_kib=memory_kib)

    def list_vcpus(self, domid: int) -> tuple[VcpuInfo, ...]:
        return self._guest(domid).vcpus

    def set_vcpus_online(self, domid: int, count: int) -> None:
        guest = self._guest(domid)
        guest.vcpus = tuple(vcpu.replace(online=vcpu.vcpuid < count) for vcpu in guest.vcpus)
        self._change(domid, vcpu_online=min(count, len(guest.vcpus)))

    def set_vcpu_affinity(
        self,
        domid: int,
        vcpuid: int | None,
        hard: tuple[int, ...] | None = None,
        soft: tuple[int, ...] | None = None,
        force: bool = False,
    ) -> None:
        guest = self._guest(domid)
        guest.pin(vcpuid, hard, soft)

    def sched_params(self, domid: int) -> SchedParams:
        return self._guest(domid).sched

    def set_sched_params(self, domid: int, weight: int | None = None, cap: int | None = None) -> None:
        guest = self._guest(domid)
        if weight is not None:
            guest.sched = guest.sched.replace(weight=weight)
        if cap is not None:
            guest.sched = guest.sched.replace(cap=cap)

    # -- devices

    def list_disks(self, domid: int) -> tuple[DiskInfo, ...]:
        return tuple(self._guest(domid).disks)

    def attach_disk(self, domid: int, disk: DiskConfig) -> None:
        guest = self._guest(domid)
        if any(known.vdev == disk.vdev for known in guest.disks):
            raise InvalidState(f"domain {domid} has a disk {disk.vdev} already")
        guest.add_disk(disk)

    def detach_disk(self, domid: int, vdev: str, force: bool = False) -> None:
        guest = self._guest(domid)
        found = [disk for disk in guest.disks if vdev in (disk.vdev, str(disk.devid))]
        if not found:
            raise DeviceNotFound(f"domain {domid} has no disk {vdev}")
        guest.disks.remove(found[0])

    def insert_cdrom(self, domid: int, disk: DiskConfig) -> None:
        guest = self._guest(domid)
        for place, known in enumerate(guest.disks):
            if known.vdev == disk.vdev and known.cdrom:
                guest.disks[place] = known.replace(target=disk.pdev_path)
                return
        raise DeviceNotFound(f"domain {domid} has no CD drive {disk.vdev}")

    def list_nics(self, domid: int) -> tuple[NicInfo, ...]:
        return tuple(self._guest(domid).nics)

    def attach_nic(self, domid: int, nic: NicConfig) -> None:
        self._guest(domid).add_nic(nic)

    def detach_nic(self, domid: int, device: str) -> None:
        guest = self._guest(domid)
        found = [nic for nic in guest.nics if device in (str(nic.devid), nic.mac)]
        if not found:
            raise DeviceNotFound(f"domain {domid} has no network card {device}")
        guest.nics.remove(found[0])

    # -- eyes and ears

    def open_console(
        self,
        domid: int,
        stream: int,
        kind: str | None = None,
        number: int = 0,
        history: bool = True,
        follow: bool = True,
        position: int | None = None,
    ) -> int:
        try:
            guest = self._guest(domid)
            if number:
                raise InvalidState(f"domain {domid} has no {kind or 'primary'} console {number}")
        except XlError:
            os.close(stream)
            raise
        return relay_console(guest, stream, history, follow, position)

    def vnc_address(self, domid: int) -> VncAddress:
        self._guest(domid)
        return VncAddress(host="127.0.0.1", port=5900 + domid)

    def open_vnc(self, domid: int, stream: int) -> None:
        """A server that greets as VNC servers do and then echoes."""
        try:
            self._maybe_fail("open_vnc")
            self._guest(domid)
        except XlError:
            os.close(stream)
            raise
        threading.Thread(target=greet_and_echo, args=(stream,), name="fake vnc", daemon=True).start()

    def qemu_monitor_command(self, domid: int, command: str) -> str:
        self._guest(domid)
        return f"{command}\r\n"

    # -- inside

    def _guest(self, domid: int) -> FakeGuest:
        guest = self.guests.get(domid)
        if guest is None:
            raise DomainNotFound(f"{domid} is an invalid domain identifier")
        return guest

    def _ask(self, *request: object) -> None:
        operation, domid = request[:2]
        assert isinstance(operation, str)
        assert isinstance(domid, int)
        self._maybe_fail(operation)
        if self._guest(domid).info.shutdown:
            raise InvalidState(f"domain {domid} has shut down")
        self.requests.append(request)

    def _new_domid(self, wanted: int | None) -> int:
        domid = wanted or self._next_domid
        if domid in self.guests:
            raise DomainExists(f"there is a domain {domid} already")
        self._next_domid = max(self._next_domid, domid + 1)
        return domid

    def _change(self, domid: int, saved: bool | None = None, **changes: object) -> None:
        guest = self._guest(domid)
        with self._lock:
            if saved is not None:
                guest.saved = saved
            guest.change(**changes)
            self._keep(guest)

    def _maybe_fail(self, operation: str) -> None:
        waiting = self._failures.get(operation)
        if waiting:
            raise waiting.pop(0)

    def _keep(self, guest: FakeGuest, half: bool = False) -> None:
        if self._directory is None or guest.info.domid == 0:
            return
        path = self._directory / f"{guest.info.domid}.json"
        new = path.with_suffix(".new")
        new.write_text(json.dumps({**guest.to_kept(), "half": half}))
        new.replace(path)

    def _forget(self, domid: int) -> None:
        if self._directory is not None:
            (self._directory / f"{domid}.json").unlink(missing_ok=True)
