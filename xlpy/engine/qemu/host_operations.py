"""What the engine says of the host, and what the host does for its domains: control groups, messages."""

from __future__ import annotations

import os
import queue
import threading

from xlpy.engine.qemu import cgroup, host
from xlpy.engine.qemu.domain_info import HOST_DOMID
from xlpy.engine.qemu.message_ring import MessageRing
from xlpy.engine.qemu.motion import QemuMotion
from xlpy.engine.qemu.process import log_tail
from xlpy.engine.qemu.program import find_qemu, qemu_version
from xlpy.errors import InvalidState, NotSupported, XlError
from xlpy.model.domain import SchedParams
from xlpy.model.host import Cpupool, CpuTopology, HostInfo, NumaNode
from xlpy.model.sched import PoolSchedParams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from xlpy.engine.qemu.domain import QemuDomain
    from xlpy.model.domain import DomainEnd

_PENDING_NOTE = "still being tried"
_RATELIMIT_US = 1000  # what credit2 has unless it is told otherwise; here nobody could


class QemuHost(QemuMotion):
    """The operations on the host, and those that need something of the host beside QEMU."""

    def __init__(self, run_dir: str, state_dir: str) -> None:
        super().__init__(run_dir, state_dir)
        self._messages = MessageRing(os.path.join(self.run_dir, "messages.log"))
        self._cgroups: cgroup.CgroupV1 | cgroup.CgroupV2 | None = None
        # The kernel takes 10 ms to move a process into a group: nobody waits for that who didn't ask for one.
        self._to_group: queue.Queue[QemuDomain | None] = queue.Queue()
        self._grouping: threading.Thread | None = None

    def start(self, on_end: Callable[[DomainEnd], None]) -> None:
        """See ``Engine.start``."""
        self._cgroups = cgroup.find_cgroups()
        self._grouping = threading.Thread(target=self._group_domains, name="groups", daemon=True)
        self._grouping.start()
        super().start(on_end)
        self._messages.write(f"xlpyd has taken up {len(self.domains())} domains")

    def close(self) -> None:
        """Let go of the domains; they run on."""
        super().close()
        if self._grouping is not None:
            self._to_group.put(None)
            self._grouping.join()
        cgroup.release_cgroups(self._cgroups)

    # -- facts

    def host_info(self) -> HostInfo:
        """Facts of the machine; the accelerator as far as it is known yet."""
        found = self.probe.known()
        return host.host_info(
            self._promised_kib(),
            accelerator=found.name if found is not None else None,
            accelerator_note=found.note if found is not None else _PENDING_NOTE,
            program_version=_program_version(),
        )

    def cpu_topology(self) -> tuple[CpuTopology, ...]:
        return host.cpu_topology()

    def numa_info(self) -> tuple[NumaNode, ...]:
        return host.numa_info()

    def list_cpupools(self) -> tuple[Cpupool, ...]:
        return host.list_cpupools(len(self.domains()) + 1)

    def pool_sched_params(self, poolid: int) -> PoolSchedParams:
        for pool in self.list_cpupools():
            if pool.poolid == poolid:
                return PoolSchedParams(scheduler=pool.scheduler, ratelimit_us=_RATELIMIT_US)
        raise InvalidState(f"there is no cpupool {poolid}")

    def console_ring(self, clear: bool = False) -> str:
        """The engine's own messages: starts and ends of domains, and what their QEMUs complained about."""
        return self._messages.read(clear)

    # -- scheduling

    def sched_params(self, domid: int) -> SchedParams:
        """Weight and cap of a domain; the host itself has the kernel's default."""
        return SchedParams() if domid == HOST_DOMID else cgroup.sched_params(self.domain(domid))

    def set_sched_params(self, domid: int, weight: int | None = None, cap: int | None = None) -> None:
        if domid == HOST_DOMID:
            raise NotSupported(
                "the qemu engine does not schedule the host itself", "set other domains' weights"
            )
        self._to_group.join()
        cgroup.set_sched_params(self._cgroups, self.domain(domid), weight, cap)

    # -- in a domain's life

    def _take_up(self, domain: QemuDomain) -> None:
        """Also: give the domain's QEMU a control group, and note what QEMU has to say."""
        super()._take_up(domain)
        domain.listeners.append(lambda event, data: self._note_event(domain, event, data))
        if domain.gone:
            return
        if cgroup.asks_for_group(domain):
            notes = cgroup.enter_group(self._cgroups, domain)
            new = tuple(note for note in notes if note not in domain.record.notes)
            if new:
                domain.update(notes=(*domain.record.notes, *new))
        else:
            self._to_group.put(domain)
        self._messages.write(f"{_called(domain)} runs on {domain.record.accelerator}")

    def _group_domains(self) -> None:
        while True:
            domain = self._to_group.get()
            try:
                if domain is None:
                    return
                with domain.lock:  # a domain that was destroyed meanwhile must not get a group any more
                    if not domain.gone and domain in self.domains():
                        cgroup.enter_group(self._cgroups, domain)
            finally:
                self._to_group.task_done()

    def destroy_domain(self, domid: int) -> None:
        """End a domain at once; nothing of it is left when this returns."""
        domain = self.domain(domid)
        super().destroy_domain(domid)
        cgroup.leave_group(self._cgroups, domain)
        self._messages.write(f"{_called(domain)} is gone")

    def _discard(self, domain: QemuDomain) -> None:
        super()._discard(domain)
        cgroup.leave_group(self._cgroups, domain)

    def _on_state(self, domain: QemuDomain) -> None:
        super()._on_state(domain)
        self._messages.write(f"{_called(domain)} has stopped: {domain.last_reason.value}")

    def _note_event(self, domain: QemuDomain, event: str, data: dict[str, Any]) -> None:
        """Only what somebody has to look after; on the reactor's thread."""
        if event == "BLOCK_IO_ERROR":
            disk = data.get("node-name", "").partition("-")[2] or "a disk"  # the node of xvda is image-xvda
            stopped = ", the domain waits for it" if data.get("action") == "stop" else ""
            self._messages.write(
                f"{_called(domain)}: {data['operation']} error on {disk}: {data['reason']}{stopped}"
            )
        elif event == "GONE":
            said = log_tail(domain.files.qemu_log)
            if said:
                self._messages.write(f"{_called(domain)}: QEMU said:\n{said}")


def _called(domain: QemuDomain) -> str:
    return f"domain {domain.domid} ({domain.name})"


def _program_version() -> str | None:
    """QEMU's version; None where there is no QEMU, which whoever creates a domain gets told."""
    try:
        return f"QEMU {qemu_version(find_qemu())}"
    except XlError:
        return None
