"""The domains of this host and their lives: made, found again, stopped, moved, ended."""

from __future__ import annotations

import os
import queue
import resource
import threading
import uuid

from xlpy.engine.base import Engine
from xlpy.engine.qemu.accelerator import AcceleratorProbe
from xlpy.engine.qemu.adoption import adopt_domains
from xlpy.engine.qemu.domain_info import (
    HOST_DOMID,
    HOST_NAME,
    HOST_UUID,
    domain_info,
    host_domain_config,
    host_domain_info,
)
from xlpy.engine.qemu.files import domids_with_files
from xlpy.engine.qemu.launch import Launch, discard_domain, disconnect_domain, end_process
from xlpy.engine.qemu.machine import plan_machine
from xlpy.engine.qemu.memory import check_memory, current_memory_kib, set_start_target, untouched_kib
from xlpy.engine.qemu.nics import complete_nics
from xlpy.engine.qemu.procfs import resident_kib
from xlpy.engine.qemu.refusals import check_config, ignored_notes
from xlpy.engine.reactor import Reactor
from xlpy.errors import DomainExists, DomainNotFound, InvalidState
from xlpy.model.domain import DomainEnd, DomainInfo
from xlpy.model.domain_config import DomainConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xlpy.engine.qemu.domain import QemuDomain


class QemuLife(Engine):
    """What every domain needs, whatever its devices.

    Everything that runs is under ``run_dir``; ``state_dir`` keeps what is worth keeping after a reboot of the host.
    """

    name = "qemu"

    def __init__(self, run_dir: str, state_dir: str) -> None:
        self.run_dir = os.path.abspath(run_dir)
        self.probe = AcceleratorProbe(state_dir)
        self.reactor = Reactor("qemu-engine")
        self._domains: dict[int, QemuDomain] = {}
        self._reserved: set[int] = set()
        self._lock = threading.Lock()
        self._ends: queue.SimpleQueue[DomainEnd | None] = queue.SimpleQueue()
        self._teller: threading.Thread | None = None

    def start(self, on_end: Callable[[DomainEnd], None]) -> None:
        """See ``Engine.start``. A domain that ended while no xlpyd ran is simply listed as shut down."""
        _allow_many_files()
        self.probe.start()
        for domain in adopt_domains(self.run_dir, self.reactor):
            self._take_up(domain)
        self._teller = threading.Thread(
            target=self._tell_ends, args=(on_end,), name="domain-ends", daemon=True
        )
        self._teller.start()

    def close(self) -> None:
        """Let go of the domains; they run on."""
        for domain in self.domains():
            disconnect_domain(domain, at_once=True)
        if self._teller is not None:
            self._ends.put(None)
            if self._teller is not threading.current_thread():
                self._teller.join()
        self.reactor.close()

    # -- which domains there are

    def domains(self) -> list[QemuDomain]:
        """All domains but the host, in order of domid."""
        return [domain for _, domain in sorted(self._domains.items())]

    def domain(self, domid: int) -> QemuDomain:
        """One domain. Raises DomainNotFound, InvalidState for the host."""
        if domid == HOST_DOMID:
            raise InvalidState(f"{HOST_NAME} is the host itself", "this works on other domains only")
        try:
            return self._domains[domid]
        except KeyError:
            raise DomainNotFound(f"{domid} is an invalid domain identifier") from None

    def list_domains(self) -> tuple[DomainInfo, ...]:
        """All domains in order of domid, Domain-0 first."""
        return (host_domain_info(), *(domain_info(domain) for domain in self.domains()))

    def domain_info(self, domid: int) -> DomainInfo:
        """One domain. Raises DomainNotFound."""
        return host_domain_info() if domid == HOST_DOMID else domain_info(self.domain(domid))

    def find_domain(self, reference: str) -> DomainInfo:
        """The domain of this domid, name or uuid. Raises DomainNotFound."""
        if reference.isascii() and reference.isdigit():
            return self.domain_info(int(reference))
        if reference in (HOST_NAME, HOST_UUID):
            return host_domain_info()
        for domain in self.domains():
            if reference in (domain.name, domain.record.uuid):
                return domain_info(domain)
        raise DomainNotFound(f"{reference} is an invalid domain identifier")

    def domain_config(self, domid: int) -> DomainConfig:
        """The configuration that the domain runs with, with what was plugged in and out since."""
        return host_domain_config() if domid == HOST_DOMID else self.domain(domid).record.config

    def domain_notes(self, domid: int) -> tuple[str, ...]:
        """See ``Engine.domain_notes``."""
        return self.domain(domid).record.notes

    # -- life

    def create_domain(
        self,
        config: DomainConfig,
        paused: bool = False,
        supervised: bool = True,
        config_text: str | None = None,
    ) -> int:
        """Start a domain and return its domid; see ``Engine.create_domain``."""
        config = self._reserve(config)
        try:
            config = complete_nics(config)
            check_config(config)
            check_memory(config, self._promised_kib())
            accelerator = self.probe.wait().name
            machine, notes = plan_machine(config, config.c_info.domid or 0, accelerator)
            domain = Launch(self.run_dir, self.reactor, config, machine, accelerator).run()
            self._begin(domain, paused, supervised, config_text, (*notes, *ignored_notes(config)))
            return domain.domid
        finally:
            self._release(config)

    def destroy_domain(self, domid: int) -> None:
        """End a domain at once; nothing of it is left when this returns."""
        domain = self.domain(domid)
        domain.on_state = lambda ended: None
        reason = domain.last_reason
        # before the lock: whoever holds it and waits for QEMU is set free by this
        end_process(domain.process)
        with domain.lock:
            with self._lock:
                if self._domains.get(domid) is not domain:
                    raise DomainNotFound(f"{domid} is an invalid domain identifier")
                del self._domains[domid]
            disconnect_domain(domain)
            domain.files.remove()
        self._ends.put(DomainEnd(domid=domid, reason=reason, destroyed=True))

    def pause_domain(self, domid: int) -> None:
        """Stop all vcpus (QMP ``stop``); nothing happens to a domain that is paused."""
        domain = self.domain(domid)
        domain.require_running("pause it")
        with domain.lock:
            domain.require_here("pause it")
            domain.update(paused=True)
            domain.qmp.execute("stop")

    def unpause_domain(self, domid: int) -> None:
        """Let the vcpus run (QMP ``cont``)."""
        domain = self.domain(domid)
        domain.require_running("unpause it")
        with domain.lock:
            domain.require_here("unpause it")
            domain.update(paused=False)
            domain.qmp.execute("cont")

    def rename_domain(self, domid: int, name: str) -> None:
        """Give a domain another name. Raises DomainExists."""
        domain = self.domain(domid)
        with self._lock:
            if any(other.name == name and other is not domain for other in self.domains()):
                raise DomainExists(f"a domain called '{name}' exists already")
            c_info = domain.record.config.c_info.replace(name=name)
            domain.update(name=name, config=domain.record.config.replace(c_info=c_info))

    # -- inside

    def _reserve(self, config: DomainConfig) -> DomainConfig:
        """The configuration with a domid, which nobody else gets, and a uuid. Raises DomainExists."""
        with self._lock:
            taken = self._reserved.union(self._domains, (HOST_DOMID,))
            domid = config.c_info.domid
            if domid is None or domid <= HOST_DOMID:
                domid = max(taken.union(domids_with_files(self.run_dir))) + 1
            elif domid in taken:
                raise DomainExists(f"the domid {domid} is in use")
            self._reserved.add(domid)
        c_info = config.c_info.replace(domid=domid, uuid=config.c_info.uuid or str(uuid.uuid4()))
        return config.replace(c_info=c_info)

    def _release(self, config: DomainConfig) -> None:
        with self._lock:
            self._reserved.discard(config.c_info.domid or 0)

    def _begin(
        self,
        domain: QemuDomain,
        paused: bool,
        supervised: bool,
        config_text: str | None,
        notes: tuple[str, ...],
    ) -> None:
        """Let a domain that has just been started live."""
        try:
            set_start_target(domain)
            domain.update(
                phase="running", paused=paused, supervised=supervised, config_text=config_text, notes=notes
            )
            self._take_up(domain)
            if not paused:
                domain.qmp.execute("cont")
        except BaseException:
            self._discard(domain)
            raise

    def _discard(self, domain: QemuDomain) -> None:
        """Leave nothing of a domain that didn't come to life."""
        with self._lock:
            self._domains.pop(domain.domid, None)
        discard_domain(domain)

    def _take_up(self, domain: QemuDomain) -> None:
        domain.on_state = self._on_state
        with self._lock:
            self._domains[domain.domid] = domain

    def _promised_kib(self) -> int:
        """What running domains may still take of the host's memory."""
        return sum(
            untouched_kib(current_memory_kib(domain), resident_kib(domain.process.pid))
            for domain in self.domains()
            if not domain.gone
        )

    def _on_state(self, domain: QemuDomain) -> None:
        self._ends.put(DomainEnd(domid=domain.domid, reason=domain.last_reason))

    def _tell_ends(self, on_end: Callable[[DomainEnd], None]) -> None:
        while True:
            end = self._ends.get()
            if end is None:
                return
            on_end(end)


def _allow_many_files() -> None:
    """Three descriptors a domain are more than the usual soft limit for 400 of them."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):
        pass  # then there can be fewer domains
