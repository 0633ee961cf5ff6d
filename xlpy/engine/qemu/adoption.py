"""Taking up the domains of the last xlpyd: those that run, those that ended meanwhile, and what is left of half-made ones."""

from __future__ import annotations

import os

from xlpy.engine.qemu.cpus import take_up_vcpus
from xlpy.engine.qemu.domain import QemuDomain
from xlpy.engine.qemu.event_log import read_events, trim_event_log
from xlpy.engine.qemu.files import DomainFiles, domids_with_files
from xlpy.engine.qemu.launch import connect_domain, disconnect_domain, end_process, name_consoles
from xlpy.engine.qemu.process import QemuProcess, boot_id, process_start_ticks
from xlpy.engine.qemu.qmp import QmpClosed, QmpTimeout
from xlpy.engine.qemu.runtime_record import read_record
from xlpy.engine.qemu.unplug import reconcile
from xlpy.errors import EngineError
from xlpy.model.domain import ShutdownReason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlpy.engine.reactor import Reactor

_HANG_TIMEOUT_S = 10.0


def adopt_domains(run_dir: str, reactor: Reactor) -> list[QemuDomain]:
    """All domains under the run directory that are complete; what is half made is removed."""
    found = []
    for domid in domids_with_files(run_dir):
        files = DomainFiles(run_dir, domid)
        domain = _find(files, reactor)
        if domain is None:
            _clear_away(files)
        else:
            found.append(domain)
    # all are connected by now: the monitors have said hello to each other meanwhile
    return [domain if domain.gone else _learn(domain, reactor) for domain in found]


def _find(files: DomainFiles, reactor: Reactor) -> QemuDomain | None:
    record = read_record(files)
    if record is None or record.phase == "creating" or record.boot_id != boot_id():
        return None
    process = QemuProcess.adopt(record.pid, record.pid_start_ticks)
    if process is None:
        return _adopt_dead(QemuDomain(files, record, QemuProcess.ended(record.pid)), reactor)
    domain = QemuDomain(files, record, process)
    try:
        connect_domain(domain, reactor)
    except QmpClosed:
        # it ended this moment
        disconnect_domain(domain)
        return _adopt_dead(QemuDomain(files, record, QemuProcess.ended(record.pid)), reactor)
    return domain


def _learn(domain: QemuDomain, reactor: Reactor) -> QemuDomain:
    try:
        _learn_state(domain)
    except QmpClosed:
        disconnect_domain(domain)
        return _adopt_dead(
            QemuDomain(domain.files, domain.record, QemuProcess.ended(domain.process.pid)), reactor
        )
    except QmpTimeout:
        pass  # it hangs; it can be looked at and destroyed
    trim_event_log(domain.files)
    return domain


def _adopt_dead(domain: QemuDomain, reactor: Reactor) -> QemuDomain:
    """A domain whose QEMU has ended stays until it is destroyed, as any that ended."""
    name_consoles(domain, reactor)
    _replay_end(domain)
    domain.handle_gone()
    return domain


def _learn_state(domain: QemuDomain) -> None:
    """What QEMU would have told in events."""
    status = domain.qmp.execute("query-status", timeout_s=_HANG_TIMEOUT_S)
    domain.stopped = not status["running"]
    if status["status"] == "shutdown":
        _replay_end(domain)
        domain.end(ShutdownReason.POWEROFF)  # the log has the reason; this one only if the log is lost
    elif status["status"] == "watchdog":
        domain.end(ShutdownReason.WATCHDOG)
    domain.handle_status(status)
    for name, data in read_events(domain.files):
        if name == "BALLOON_CHANGE":
            domain.handle_event(name, data, 0)
    for console in domain.consoles.values():
        console.connect()
    if domain.ended is None:
        take_up_vcpus(domain)
        reconcile(domain)


def _replay_end(domain: QemuDomain) -> None:
    for name, data in read_events(domain.files):
        if name in ("SHUTDOWN", "GUEST_PANICKED", "WATCHDOG"):
            domain.handle_event(name, data, 0)


def _clear_away(files: DomainFiles) -> None:
    """End the QEMU that was being started, if it got so far, and remove its directory."""
    for process in _processes_of(files):
        try:
            end_process(process)
        except EngineError:
            continue  # in the kernel's hands; without its directory it is nobody's domain
        finally:
            process.forget()
    files.remove()


def _processes_of(files: DomainFiles) -> Iterator[QemuProcess]:
    """QEMUs that were started with this directory, found by their command line."""
    marker = f"pipe,id=events,path={files.events.replace(',', ',,')}".encode()
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                arguments = file.read().split(b"\0")
        except OSError:
            continue
        if marker in arguments:
            ticks = process_start_ticks(int(name))
            process = QemuProcess.adopt(int(name), ticks) if ticks is not None else None
            if process is not None:
                yield process
