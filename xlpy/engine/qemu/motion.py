"""State in motion, as QEMU does it: saved, restored, migrated, with disks or without."""

from __future__ import annotations

import os
import socket

from xlpy import __version__
from xlpy.engine.console_history import read_histories, take_histories
from xlpy.engine.qemu import migration, preflight
from xlpy.engine.qemu.disk_copy import end_copies, make_images, serve_copies, serve_disk
from xlpy.engine.qemu.disk_mirror import copy_disk, drop_mirrors
from xlpy.engine.qemu.incoming import machine_for, require_readable
from xlpy.engine.qemu.launch import Launch, disconnect_domain
from xlpy.engine.qemu.life import QemuLife
from xlpy.engine.qemu.machine import console_kinds
from xlpy.engine.qemu.memory import check_memory
from xlpy.engine.qemu.qmp import QmpClosed, QmpError
from xlpy.engine.qemu.refusals import check_config
from xlpy.errors import DomainNotFound, EngineError, InvalidState, XlError
from xlpy.model.codec import to_wire
from xlpy.model.migration import Finding, MigrationLimits, Peer, SavedDomain, TransferProgress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.engine.qemu.domain import QemuDomain
    from xlpy.engine.qemu.files import DomainFiles
    from xlpy.model.console_history import ConsoleHistory
    from xlpy.model.domain_config import DomainConfig
    from xlpy.model.migration import Report

INCOMING_SUFFIX = "--incoming"


class QemuMotion(QemuLife):
    """The operations of ``engine.motion``."""

    def __init__(self, run_dir: str, state_dir: str) -> None:
        super().__init__(run_dir, state_dir)
        self._prepared: dict[int, QemuDomain] = {}  # they wait for their disks and their state

    def close(self) -> None:
        """Let go of the domains; what waits for its state here is cleared away by the next xlpyd."""
        for domain in self._prepared.values():
            disconnect_domain(domain, at_once=True)
        super().close()

    # -- a look before

    def check_outgoing(self, domid: int, copy_disks: bool = False) -> tuple[Finding, ...]:
        return preflight.check_outgoing(self.domain(domid), copy_disks)

    def check_incoming(self, saved: SavedDomain, copy_disks: bool = False) -> tuple[Finding, ...]:
        return preflight.check_incoming(saved, self.probe, self._promised_kib(), copy_disks)

    # -- the source

    def describe_domain(self, domid: int) -> SavedDomain:
        """What has to precede the stream of ``save_domain``: the machine's plan with it."""
        domain = self.domain(domid)
        record = domain.record
        wire = to_wire(record.machine)
        assert isinstance(wire, dict)
        saved = SavedDomain(
            config=record.config,
            stream_format=migration.STREAM_FORMAT,
            stream_version=record.machine.machine_type,
            xlpy_version=__version__,
            config_text=record.config_text,
            start_time_s=record.start_time_s,
            machine={**wire, "layout": record.machine.layout},
        )
        return preflight.described(domain, saved)

    def console_histories(
        self, domid: int, after: tuple[ConsoleHistory, ...] = ()
    ) -> tuple[ConsoleHistory, ...]:
        """From the logs that QEMU writes."""
        domain = self.domain(domid)
        return read_histories(_logs(domain.files, domain.record.config), after)

    def save_domain(
        self,
        domid: int,
        stream: int,
        limits: MigrationLimits | None = None,
        live: bool = False,
        peer: Peer | None = None,
        progress: Report | None = None,
    ) -> TransferProgress:
        """Write the domain's state to ``stream``; see ``Engine.save_domain``."""
        try:
            domain = self.domain(domid)
        except XlError:
            os.close(stream)
            raise
        return migration.save_domain(domain, stream, limits, live, progress)

    def release_saved(self, domid: int) -> None:
        """Nothing changes: it stands still until it is taken back or destroyed. Raises InvalidState if it doesn't."""
        if self.domain(domid).record.phase != "saved":
            raise InvalidState(f"domain {domid} does not stand still after a save")

    def resume_saved(self, domid: int, paused: bool = False) -> None:
        """Take back a domain that stands still after ``save_domain``. Raises InvalidState if it doesn't."""
        migration.resume_saved(self.domain(domid), paused)

    def copy_disk(self, domid: int, vdev: str, stream: int, bandwidth_bytes_per_s: int | None = None) -> None:
        """See ``Engine.copy_disk``; QEMU's mirror job does it."""
        with _as_socket(stream) as given:
            copy_disk(self.domain(domid), vdev, given, bandwidth_bytes_per_s)

    def give_up_copies(self, domid: int) -> None:
        """See ``Engine.give_up_copies``."""
        try:
            drop_mirrors(self.domain(domid))
        except (DomainNotFound, QmpClosed):
            pass  # it has ended, and they with it

    # -- the target

    def prepare_incoming(self, saved: SavedDomain, supervised: bool = True) -> int:
        """Make images and start a QEMU that takes in what is written to them; see ``Engine.prepare_incoming``."""
        require_readable(saved)
        config = self._reserve(saved.config)
        try:
            domain = self._start_waiting(saved.replace(config=config), with_images=True)
            try:
                serve_copies(domain)
            except BaseException:
                self._discard(domain)
                raise
            self._prepared[domain.domid] = domain
            return domain.domid
        finally:
            self._release(config)

    def serve_disk(self, domid: int, vdev: str, stream: int) -> None:
        """See ``Engine.serve_disk``; QEMU's NBD server does it."""
        with _as_socket(stream) as given:
            domain = self._prepared.get(domid)
            if domain is None:
                raise InvalidState(f"domain {domid} does not wait for its disks")
            serve_disk(domain, vdev, given)

    def restore_domain(
        self,
        saved: SavedDomain,
        stream: int,
        supervised: bool = True,
        progress: Report | None = None,
    ) -> int:
        """Make a domain from a state stream; see ``Engine.restore_domain``."""
        try:
            require_readable(saved)
            prepared = self._prepared.pop(saved.config.c_info.domid or 0, None)
            config = self._reserve(saved.config)
            try:
                domain = prepared or self._start_waiting(saved.replace(config=config))
                self._take_in(domain, stream, progress, with_disks=prepared is not None)
                domain.update(
                    name=f"{domain.name}{INCOMING_SUFFIX}",
                    phase="incoming",
                    paused=True,
                    supervised=supervised,
                    config_text=saved.config_text,
                    start_time_s=saved.start_time_s or domain.record.start_time_s,
                )
                self._take_up(domain)
                return domain.domid
            finally:
                self._release(config)
        finally:
            os.close(stream)

    def destroy_domain(self, domid: int) -> None:
        """Also one that waits for its state."""
        waiting = self._prepared.pop(domid, None)
        if waiting is not None:
            self._discard(waiting)
        else:
            super().destroy_domain(domid)

    def require_restored(self, domid: int) -> None:
        """Raise InvalidState if a restored domain's QEMU doesn't answer any more (QMP ``query-status``)."""
        domain = self.domain(domid)
        try:
            domain.qmp.execute("query-status")
        except QmpClosed as error:
            raise InvalidState(f"domain {domid} has died", detail=error.message) from error

    def accept_restored(
        self, domid: int, paused: bool = False, consoles: tuple[ConsoleHistory, ...] = ()
    ) -> None:
        """Give a restored domain its name and let it run; once more does no harm. Raises InvalidState for another."""
        domain = self.domain(domid)
        with domain.lock:
            if domain.record.phase == "incoming":
                domain.files.keep_made_images()
                take_histories(_logs(domain.files, domain.record.config), consoles)
                name = domain.name.removesuffix(INCOMING_SUFFIX)
                domain.update(name=name, phase="running", paused=paused)
            if domain.record.phase != "running":
                raise InvalidState(f"domain {domid} was not restored here")
            if not paused:
                domain.qmp.execute("cont")

    # -- inside

    def _start_waiting(self, saved: SavedDomain, with_images: bool = False) -> QemuDomain:
        """A QEMU that waits for the state of this domain, with images for its disks if they come along."""

        def prepare(files: DomainFiles) -> None:
            if with_images:
                make_images(saved, files)
            take_histories(_logs(files, saved.config), saved.consoles)
            check_config(saved.config)

        check_memory(saved.config, self._promised_kib())
        machine, accelerator = machine_for(saved, self.probe)
        launch = Launch(self.run_dir, self.reactor, saved.config, machine, accelerator)
        return launch.run(incoming=True, prepare=prepare)

    def _take_in(self, domain: QemuDomain, stream: int, progress: Report | None, with_disks: bool) -> None:
        try:
            migration.receive_state(domain, stream, progress)
            if with_disks:
                end_copies(domain)
        except QmpError as error:
            self._discard(domain)
            raise EngineError(
                f"the state came in, but not its disks: {error.message}", detail=error.detail
            ) from error
        except BaseException:
            self._discard(domain)
            raise


def _logs(files: DomainFiles, config: DomainConfig) -> dict[tuple[str | None, int], str]:
    return {(kind, number): files.console_log(kind, number) for kind, number in console_kinds(config)}


def _as_socket(stream: int) -> socket.socket:
    """Raises InvalidState for another kind of stream, which is closed."""
    try:
        return socket.socket(fileno=stream)
    except OSError as error:
        os.close(stream)
        raise InvalidState("a disk needs a socket to be copied through") from error
