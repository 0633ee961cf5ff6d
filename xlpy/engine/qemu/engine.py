"""QemuEngine: domains as QEMU processes, on any Linux host that has QEMU."""

from __future__ import annotations

import os

from xlpy.engine.qemu import cpus, disk_hotplug, display, memory, nic_hotplug, stats, triggers
from xlpy.engine.qemu.core_dump import dump_core
from xlpy.engine.qemu.host_operations import QemuHost
from xlpy.engine.qemu.machine import console_kinds
from xlpy.errors import InvalidState, XlError
from xlpy.model.device import DiskInfo, NicInfo, VncAddress
from xlpy.model.domain import DomainStats, VcpuInfo
from xlpy.model.domain_config import DiskConfig, NicConfig

HOST_DOMID = 0


class QemuEngine(QemuHost):
    """All operations of ``Engine``; what each does is said there, how in the module that it calls."""

    # -- what the guest is asked

    def shutdown_domain(self, domid: int, acpi_fallback: bool = False) -> None:
        triggers.shutdown_domain(self.domain(domid), self.reactor)

    def reboot_domain(self, domid: int, acpi_fallback: bool = False) -> None:
        triggers.reboot_domain(self.domain(domid), self.reactor)

    def send_trigger(self, domid: int, trigger: str, vcpuid: int = 0) -> None:
        triggers.send_trigger(self.domain(domid), trigger, vcpuid)

    def send_sysrq(self, domid: int, letter: str) -> None:
        triggers.send_sysrq(self.domain(domid), letter)

    def dump_core(self, domid: int, stream: int) -> None:
        try:
            domain = self.domain(domid)
        except XlError:
            os.close(stream)
            raise
        dump_core(domain, stream)

    # -- memory and cpus

    def set_memory_target(self, domid: int, memory_kib: int) -> None:
        memory.set_memory_target(self.domain(domid), memory_kib)

    def set_max_memory(self, domid: int, memory_kib: int) -> None:
        memory.set_max_memory(self.domain(domid), memory_kib)

    def list_vcpus(self, domid: int) -> tuple[VcpuInfo, ...]:
        return cpus.list_host_vcpus() if domid == HOST_DOMID else cpus.list_vcpus(self.domain(domid))

    def set_vcpus_online(self, domid: int, count: int) -> None:
        cpus.set_vcpus_online(self.domain(domid), count)

    def set_vcpu_affinity(
        self,
        domid: int,
        vcpuid: int | None,
        hard: tuple[int, ...] | None = None,
        soft: tuple[int, ...] | None = None,
        force: bool = False,
    ) -> None:
        cpus.set_vcpu_affinity(self.domain(domid), vcpuid, hard, soft)

    def domain_stats(self) -> tuple[DomainStats, ...]:
        return stats.domain_stats(self.domains())

    # -- devices

    def list_disks(self, domid: int) -> tuple[DiskInfo, ...]:
        return () if domid == HOST_DOMID else disk_hotplug.list_disks(self.domain(domid))

    def attach_disk(self, domid: int, disk: DiskConfig) -> None:
        disk_hotplug.attach_disk(self.domain(domid), disk)

    def detach_disk(self, domid: int, vdev: str, force: bool = False) -> None:
        disk_hotplug.detach_disk(self.domain(domid), vdev, force)

    def insert_cdrom(self, domid: int, disk: DiskConfig) -> None:
        disk_hotplug.insert_cdrom(self.domain(domid), disk)

    def list_nics(self, domid: int) -> tuple[NicInfo, ...]:
        return () if domid == HOST_DOMID else nic_hotplug.list_nics(self.domain(domid))

    def attach_nic(self, domid: int, nic: NicConfig) -> None:
        domain = self.domain(domid)
        notes = nic_hotplug.attach_nic(domain, nic)
        if notes:
            domain.update(notes=(*domain.record.notes, *notes))

    def detach_nic(self, domid: int, device: str) -> None:
        nic_hotplug.detach_nic(self.domain(domid), device)

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
        """See ``Engine.open_console``; the stream has to be a socket. Raises InvalidState for a console that isn't there."""
        try:
            domain = self.domain(domid)
            there = console_kinds(domain.record.config)
            chosen = there[0] if kind is None and number == 0 and there else (kind or "", number)
            if kind == "serial" and chosen not in there:
                chosen = ("pv", number)
            console = domain.consoles.get(chosen)
            if console is None:
                names = ", ".join(f"{name} {place}" for name, place in there) or "none"
                raise InvalidState(
                    f"domain {domid} has no {kind or 'primary'} console {number}", f"consoles it has: {names}"
                )
        except XlError:
            os.close(stream)
            raise
        return console.attach(stream, history, follow, position)

    def vnc_address(self, domid: int) -> VncAddress:
        return display.vnc_address(self.domain(domid))

    def open_vnc(self, domid: int, stream: int) -> None:
        """See ``Engine.open_vnc``; QEMU serves the stream itself (QMP ``add_client``)."""
        try:
            display.add_viewer(self.domain(domid), stream)
        finally:
            os.close(stream)

    def qemu_monitor_command(self, domid: int, command: str) -> str:
        """Run a human monitor command (QMP ``human-monitor-command``)."""
        answer = self.domain(domid).qmp.execute("human-monitor-command", {"command-line": command})
        return str(answer).replace("\r\n", "\n")
