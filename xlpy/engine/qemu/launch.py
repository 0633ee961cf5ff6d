"""Starting a domain's QEMU, and connecting to it: for a new domain, and for one whose state is about to arrive."""

from __future__ import annotations

import os
import signal
import time

from xlpy.engine.console import Console
from xlpy.engine.qemu.cpus import take_up_vcpus
from xlpy.engine.qemu.disk_image import explain_open_failure
from xlpy.engine.qemu.domain import QemuDomain
from xlpy.engine.qemu.event_log import prepare_event_log
from xlpy.engine.qemu.files import DomainFiles
from xlpy.engine.qemu.machine import console_kinds, machine_arguments
from xlpy.engine.qemu.nics import open_nic_tap
from xlpy.engine.qemu.process import boot_id, complaints, spawn_qemu
from xlpy.engine.qemu.program import find_qemu
from xlpy.engine.qemu.qmp import QmpClient, QmpClosed
from xlpy.engine.qemu.runtime_record import RuntimeRecord, write_record
from xlpy.engine.qemu.socket_path import listen_unix, open_line
from xlpy.errors import EngineError, InvalidState, NotEnoughMemory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xlpy.engine.qemu.process import QemuProcess
    from xlpy.engine.qemu.runtime_record import MachineRecord
    from xlpy.engine.reactor import Reactor
    from xlpy.errors import XlError
    from xlpy.model.domain_config import DomainConfig

_START_TIMEOUT_S = 120.0
_END_TIMEOUT_S = 20.0


class Launch:
    """A QEMU being started. Everything that it opened or made is gone again if it fails."""

    def __init__(
        self,
        run_dir: str,
        reactor: Reactor,
        config: DomainConfig,
        machine: MachineRecord,
        accelerator: str,
    ) -> None:
        self._reactor = reactor
        self._config = config
        self._machine = machine
        self._accelerator = accelerator
        self._domid = config.c_info.domid or 0
        self._files = DomainFiles(run_dir, self._domid)

    def run(
        self, incoming: bool = False, prepare: Callable[[DomainFiles], None] = lambda files: None
    ) -> QemuDomain:
        """Start QEMU and return when it takes commands; the vcpus stand still, and the record says ``creating``.

        ``incoming``: it waits for a state stream. ``prepare`` is called before QEMU starts, with the domain's files there.
        Raises what is wrong with the configuration in this host's eyes.
        """
        try:
            self._files.make()
        except FileExistsError as error:
            raise InvalidState(f"domid {self._domid} is in use") from error
        except OSError as error:
            raise EngineError(f"cannot make {self._files.directory}: {error.strerror}") from error
        try:
            prepare(self._files)
            process = self._spawn(incoming)
        except BaseException:
            self._files.remove()
            raise
        domain = QemuDomain(self._files, self._first_record(process), process)
        try:
            self._connect(domain)
        except BaseException:
            discard_domain(domain)
            raise
        return domain

    def _spawn(self, incoming: bool) -> QemuProcess:
        program = find_qemu(self._config.b_info.device_model)
        prepare_event_log(self._files)
        passed: dict[str, int] = {}
        try:
            passed["qmp"] = listen_unix(self._files.qmp_socket).detach()
            for kind, number in console_kinds(self._config):
                passed[f"{kind}{number}"] = listen_unix(self._files.console_socket(kind, number)).detach()
            for nic in self._machine.nics:
                if nic.netdev == "tap":
                    passed[nic.netdev_id] = open_nic_tap(nic)
            numbers = {name: f"{{fd{index}}}" for index, name in enumerate(passed)}
            arguments = machine_arguments(
                self._config, self._machine, self._files, self._accelerator, numbers
            )
            if incoming:
                arguments += ["-incoming", "defer"]
            return spawn_qemu([program, *arguments], tuple(passed.values()), self._files.qemu_log)
        except OSError as error:
            raise EngineError(f"cannot prepare domain {self._domid}: {error.strerror}") from error
        finally:
            for fd in passed.values():
                os.close(fd)

    def _first_record(self, process: QemuProcess) -> RuntimeRecord:
        return RuntimeRecord(
            domid=self._domid,
            uuid=self._config.c_info.uuid or "",
            name=self._config.c_info.name or "",
            config=self._config,
            machine=self._machine,
            accelerator=self._accelerator,
            boot_id=boot_id(),
            pid=process.pid,
            pid_start_ticks=process.start_ticks,
            start_time_s=time.time(),
            phase="creating",
        )

    def _connect(self, domain: QemuDomain) -> None:
        write_record(self._files, domain.record)
        try:
            connect_domain(domain, self._reactor)
            self._settle(domain)
        except QmpClosed as error:
            raise self._start_error(error) from error

    def _settle(self, domain: QemuDomain) -> None:
        qmp = domain.qmp
        machine_type = qmp.submit("qom-get", {"path": "/machine", "property": "type"})
        qmp.wait_ready(_START_TIMEOUT_S)
        domain.update_machine(machine_type=machine_type.result().removesuffix("-machine"))
        take_up_vcpus(domain)
        for console in domain.consoles.values():
            console.connect()

    def _start_error(self, error: QmpClosed) -> XlError:
        said = (complaints(self._files.qemu_log) or [""])[-1]
        explained = explain_open_failure(said, self._config.disks)
        if explained is not None:
            return explained
        if "Cannot allocate memory" in said or "cannot set up guest memory" in said:
            return NotEnoughMemory(
                f"the host has no {self._machine.memory_kib // 1024} MiB left for the domain",
                "choose a smaller memory=, or shut down another domain",
                detail=said,
            )
        if "Address already in use" in said or "Failed to find an available port" in said:
            return EngineError(
                "the VNC port is in use", "choose another vncdisplay=, or say vncunused=1", detail=said
            )
        if "unsupported machine type" in said:
            return EngineError(
                f"this host's QEMU is too old for the domain's machine {self._machine.machine_type}",
                "upgrade QEMU on this host",
                detail=said,
            )
        return EngineError(f"QEMU did not start: {said or 'it said nothing'}", detail=error.detail)


def connect_domain(domain: QemuDomain, reactor: Reactor) -> None:
    """Watch a domain's QEMU, connect to its monitor, and name its consoles. Raises QmpClosed if it doesn't answer."""
    domain.process.watch(reactor, domain.handle_gone)
    qmp = QmpClient.connect(domain.files.qmp_socket, reactor, domain.handle_event, domain.handle_gone)
    domain.attach_qmp(qmp)
    name_consoles(domain, reactor)


def name_consoles(domain: QemuDomain, reactor: Reactor) -> None:
    """Know the domain's consoles; they are connected later, or never if QEMU has ended."""
    for kind, number in console_kinds(domain.record.config):
        files = domain.files
        domain.consoles[kind, number] = Console(
            reactor, files.console_socket(kind, number), files.console_log(kind, number), open_line
        )


def disconnect_domain(domain: QemuDomain, at_once: bool = False) -> None:
    """Let go of a domain's QEMU, which runs on if it runs; ``at_once`` cuts off slow viewers of its consoles."""
    domain.on_state = lambda gone: None
    domain.detach_qmp()
    for console in domain.consoles.values():
        console.close(at_once)
    domain.process.forget()


def end_process(process: QemuProcess) -> None:
    """Kill a QEMU and wait until it is gone. Raises EngineError if the kernel doesn't let it go."""
    process.signal(signal.SIGKILL)
    if not process.wait(_END_TIMEOUT_S):
        raise EngineError(
            f"QEMU (process {process.pid}) does not end",
            "it waits in the kernel, most likely for a disk that does not answer",
        )


def discard_domain(domain: QemuDomain) -> None:
    """Leave nothing of a domain that didn't come to life; if its QEMU can't be ended, the next start tries again."""
    domain.on_state = lambda gone: None
    try:
        end_process(domain.process)
    except EngineError:
        return
    disconnect_domain(domain)
    domain.files.remove()
