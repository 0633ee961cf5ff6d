"""State in motion: save, restore, migrate, core dumps. The stream is libxl's own, so that xl reads ours and we xl's."""

from __future__ import annotations

import ctypes
import os
import stat
import threading
import time

from xlpy import __version__
from xlpy.engine.libxl import balloon, preflight, wire
from xlpy.engine.libxl.consoles import LibxlConsoles
from xlpy.engine.libxl.context import ABORTED
from xlpy.engine.libxl.life import INVALID_DOMID
from xlpy.engine.libxl.preflight import OTHER_ENGINE, STREAM_FORMAT, features_here
from xlpy.engine.libxl.running_saves import RunningSaves
from xlpy.engine.libxl.said import progress_of
from xlpy.errors import Aborted, EngineError, InvalidState, NotSupported, XlError, writing_failure
from xlpy.model.domain import ShutdownReason
from xlpy.model.domain_config import DomainConfig
from xlpy.model.json_text import loads
from xlpy.model.libxl_form import from_libxl
from xlpy.model.migration import Finding, SavedDomain, TransferProgress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from xlpy.engine.libxl.context import Context
    from xlpy.model.console_history import ConsoleHistory
    from xlpy.model.migration import MigrationLimits, Peer, Report

STREAM_VERSION = "2"  # docs/specs/libxl-migration-stream
INCOMING_SUFFIX = "--incoming"
AWAY_SUFFIX = "--migratedaway"
_LIBXLS = b"libxl-json"  # what libxl keeps beside a domain: its configuration
_LIVE = 2  # LIBXL_SUSPEND_LIVE
_REMUS = 1  # LIBXL_CHECKPOINTED_STREAM_REMUS
_PAGE_BYTES = 4096
_REPORT_EVERY_S = 0.25
_LAST_MOMENT_S, _LOOK_EVERY_S = 1.0, 0.05
_COPY_BYTES = 1 << 20


class LibxlMotion(LibxlConsoles):
    """The operations that turn a domain into a stream and back."""

    saves_into_files = True

    def __init__(self, run_dir: str) -> None:
        super().__init__(run_dir)
        self._saves = RunningSaves()
        self._virt_caps: str | None = None  # the host's, once somebody wanted to know

    def create_domain(
        self,
        config: DomainConfig,
        paused: bool = False,
        supervised: bool = True,
        config_text: str | None = None,
    ) -> int:
        """See ``LibxlLife``; what its console says is kept from the beginning."""
        domid = super().create_domain(config, paused, supervised, config_text)
        self.follow_console(domid)
        return domid

    # -- a look before

    def check_outgoing(self, domid: int, copy_disks: bool = False) -> tuple[Finding, ...]:
        """See ``preflight.outgoing``."""
        if self._virt_caps is None:
            self._virt_caps = self.host_info().virt_caps
        return tuple(preflight.outgoing(self._config_to_check(domid), self._virt_caps, copy_disks))

    def _config_to_check(self, domid: int) -> DomainConfig:
        """What libxl keeps as its configuration, unless that tells of PCI devices, which may have been detached since.

        The whole configuration takes ten times as long, for each device is looked up in xenstore.
        """
        kept = self.userdata(domid, _LIBXLS)
        if kept is not None:
            config = from_libxl(DomainConfig, loads(kept.rstrip(b"\0").decode("utf-8", "surrogateescape")))
            if not config.pcidevs:
                return config
        return self.domain_config(domid)

    def check_incoming(self, saved: SavedDomain, copy_disks: bool = False) -> tuple[Finding, ...]:
        """See ``preflight.incoming``; a configuration that this libxl knows nothing of is refused, too."""
        if saved.stream_format != STREAM_FORMAT:
            return (
                Finding(severity="error", code=NotSupported.code, text=OTHER_ENGINE[0], hint=OTHER_ENGINE[1]),
            )
        try:
            with self.contexts.borrow() as context:
                needed_kib = balloon.needed_of_free_kib(context, saved.config)
        except NotSupported as error:
            return (Finding(severity="error", code=error.code, text=error.message, hint=error.hint),)
        found = preflight.incoming(saved, self.host_info(), self.library.minor, needed_kib, features_here())
        return tuple(found)

    # -- the source

    def describe_domain(self, domid: int) -> SavedDomain:
        """Its configuration is all that a libxl stream needs before it; ``machine`` has it in libxl's own words."""
        words = self.domain_config_words(domid)
        return SavedDomain(
            config=from_libxl(DomainConfig, words),
            machine={"config": words},
            stream_format=STREAM_FORMAT,
            stream_version=STREAM_VERSION,
            xlpy_version=__version__,
            start_time_s=self.domain_info(domid).start_time_s,
            program_version=preflight.product(self.library.minor),
            cpu_features=tuple(sorted(features_here())),
        )

    def save_domain(
        self,
        domid: int,
        stream: int,
        limits: MigrationLimits | None = None,
        live: bool = False,
        peer: Peer | None = None,
        progress: Report | None = None,
    ) -> TransferProgress:
        """libxl_domain_suspend. The guest has to help, so one that is paused runs for as long as that takes.

        ``limits`` are QEMU's business: libxl decides by itself when a migration has converged.
        """
        with Owned(stream), self.contexts.borrow() as context:
            before = self.domain_info(domid)
            was_paused = before.paused
            if was_paused:
                context.do(f"domain {domid} cannot be saved", "domain_unpause", domid)
            began = time.monotonic()
            with self._saves.running(domid, context), _Reporter(context, progress) as reporter:
                status = context.call("domain_suspend", domid, stream, _LIVE if live else 0)
            if status < 0:
                error = context.failure(f"domain {domid} cannot be saved", status)
                if status == ABORTED:
                    error = Aborted(f"the save of domain {domid} was broken off", detail=error.detail)
                self._take_back(context, domid, was_paused)
                raise _in_words(error)
            return reporter.whole(_milliseconds_since(began), before.max_memory_kib)

    def break_off_save(self, domid: int) -> None:
        """libxl_ao_abort: the helper that writes is killed, and the guest goes on."""
        self._saves.break_off(domid)

    def release_saved(self, domid: int) -> None:
        """Out of the way of one that gets its name, as xl does: it is called NAME--migratedaway."""
        self.rename_domain(domid, f"{self.domain_info(domid).name}{AWAY_SUFFIX}")

    def resume_saved(self, domid: int, paused: bool = False) -> None:
        """libxl_domain_resume in its fast form, where the guest sees that it was not moved."""
        if not self._stands_still(domid):
            raise InvalidState(f"domain {domid} does not stand still after a save")
        self._rename_back(domid, AWAY_SUFFIX)
        with self.contexts.borrow() as context:
            self._resume(context, domid, paused)

    def take_back_unfinished(self, domid: int, paused: bool = False) -> None:
        """The guest is not asked any more to suspend; one that has heard it already does so within a moment."""
        request = f"/local/domain/{domid}/control/shutdown"
        if self.xenstore.read(request) == "suspend":
            self.xenstore.write(request, "")
        deadline = time.monotonic() + _LAST_MOMENT_S
        while not self._stands_still(domid) and time.monotonic() < deadline:
            time.sleep(_LOOK_EVERY_S)
        with self.contexts.borrow() as context:
            self._take_back(context, domid, paused)

    def _take_back(self, context: Context, domid: int, paused: bool) -> None:
        if self._stands_still(domid):
            self._resume(context, domid, paused)
        elif paused:
            context.call("domain_pause", domid)

    def _stands_still(self, domid: int) -> bool:
        info = self.domain_info(domid)
        return info.shutdown and info.shutdown_reason is ShutdownReason.SUSPEND

    def _resume(self, context: Context, domid: int, paused: bool) -> None:
        what = f"domain {domid} cannot be taken back"
        if paused:
            context.do(what, "domain_pause", domid)
        context.do(what, "domain_resume", domid, 1)

    # -- to RAM: the state stays where it is

    def suspend_to_ram(self, domid: int) -> None:
        """libxl_domain_suspend_only."""
        with self.contexts.borrow() as context:
            self.require(context, domid)
            context.do(f"domain {domid} cannot be suspended", "domain_suspend_only", domid)

    def resume_from_ram(self, domid: int) -> None:
        """libxl_domain_resume. Raises InvalidState for a domain that has not suspended."""
        self.resume_saved(domid)

    # -- the target

    def restore_domain(
        self,
        saved: SavedDomain,
        stream: int,
        supervised: bool = True,
        progress: Report | None = None,
    ) -> int:
        """libxl_domain_create_restore under the name NAME--incoming, as xl migrate-receive does."""
        with Owned(stream):
            if saved.stream_format != STREAM_FORMAT:
                raise NotSupported(*OTHER_ENGINE)
            name = f"{saved.config.c_info.name}{INCOMING_SUFFIX}"
            config = saved.config.replace(c_info=saved.config.c_info.replace(name=name))
            parameters = {
                "stream_version": int(STREAM_VERSION),
                "checkpointed_stream": _REMUS if saved.failover else 0,
            }
            domid = self._receive(config, stream, parameters, progress)
        self.watch_over(domid, config)
        self.take_said(domid, saved.consoles)
        self.follow_console(domid)
        return domid

    def _receive(
        self, config: DomainConfig, stream: int, parameters: dict[str, int], progress: Report | None
    ) -> int:
        domid = ctypes.c_uint32(INVALID_DOMID)
        with self.contexts.borrow() as context:
            with (
                wire.domain_config(context, config) as built,
                context.new("domain_restore_params", parameters) as params,
                balloon.Room(context, self.xl_lock, config, stays=not parameters["checkpointed_stream"]),
                _Reporter(context, progress),
            ):
                arguments = (built.memory, ctypes.byref(domid), stream, -1, params.memory)
                status = context.call("domain_create_restore", *arguments)
            if status < 0:
                error = context.failure(f"domain {config.c_info.name!r} cannot be restored", status)
                self.undo(context, domid.value)
                raise error
            try:
                self.mark(context, domid.value)
            except XlError:
                self.undo(context, domid.value)
                raise
        return domid.value

    def accept_restored(
        self, domid: int, paused: bool = False, consoles: tuple[ConsoleHistory, ...] = ()
    ) -> None:
        """Its own name, and libxl_domain_unpause."""
        self.take_said(domid, consoles)
        self._rename_back(domid, INCOMING_SUFFIX)
        if not paused:
            self.unpause_domain(domid)

    def _rename_back(self, domid: int, suffix: str) -> None:
        name = self.domain_info(domid).name or ""
        if name.endswith(suffix):
            self.rename_domain(domid, name[: -len(suffix)])

    # -- cores

    def dump_core(self, domid: int, stream: int) -> None:
        """libxl_domain_core_dump, to a pipe where the stream is no file; the domain stands still meanwhile."""
        with Owned(stream):
            info = self.domain_info(domid)
            holds = not (info.paused or info.shutdown)
            if holds:
                self.pause_domain(domid)
            try:
                if stat.S_ISREG(os.fstat(stream).st_mode):
                    self._dump(domid, stream)
                else:
                    self._dump_through_pipe(domid, stream)
            finally:
                if holds:
                    self.unpause_domain(domid)

    def _dump(self, domid: int, file: int) -> None:
        with self.contexts.borrow() as context:
            path = f"/proc/self/fd/{file}".encode()
            context.do(f"the core of domain {domid} cannot be dumped", "domain_core_dump", domid, path)

    def _dump_through_pipe(self, domid: int, stream: int) -> None:
        reader, writer = os.pipe()
        failures: list[OSError] = []
        copier = threading.Thread(target=_copy, args=(reader, stream, failures), name="core", daemon=True)
        copier.start()
        try:
            self._dump(domid, writer)
        finally:
            os.close(writer)
            copier.join()
        if failures:
            raise EngineError(f"the core cannot be written: {failures[0].strerror}") from failures[0]


class Owned:
    """A stream that is closed on the way out (``with``)."""

    def __init__(self, stream: int) -> None:
        self._stream = stream

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._stream)


class _Reporter:
    """Tells how far a call is (``with``), from what libxl writes into the call's log."""

    def __init__(self, context: Context, progress: Report | None) -> None:
        self._context = context
        self._progress = progress
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._began = time.monotonic()

    def __enter__(self) -> _Reporter:
        if self._progress is not None:
            self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def whole(self, elapsed_ms: int, memory_kib: int) -> TransferProgress:
        """What there is to say at the end."""
        _, total_bytes = self._bytes()
        total_bytes = total_bytes or memory_kib * 1024
        return TransferProgress(
            phase="completed",
            transferred_bytes=total_bytes,
            total_bytes=total_bytes,
            elapsed_ms=elapsed_ms,
        )

    def _run(self) -> None:
        assert self._progress is not None
        while not self._over.wait(_REPORT_EVERY_S):
            done, total = self._bytes()
            self._progress(
                TransferProgress(
                    phase="active" if total else "setup",
                    transferred_bytes=done,
                    remaining_bytes=total - done,
                    total_bytes=total,
                    elapsed_ms=_milliseconds_since(self._began),
                )
            )

    def _bytes(self) -> tuple[int, int]:
        done, total = progress_of(self._context.said()) or (0, 0)
        return done * _PAGE_BYTES, total * _PAGE_BYTES


def _milliseconds_since(began: float) -> int:
    return int((time.monotonic() - began) * 1000)


def _in_words(error: XlError) -> XlError:
    """A full disk is the user's business, and no failure of libxl's."""
    failure = writing_failure(f"{error.message}\n{error.detail or ''}")
    if failure is None:
        return error
    return EngineError(f"the state cannot be written: {failure.strerror}", detail=error.detail)


def _copy(source: int, target: int, failures: list[OSError]) -> None:
    """All that comes; after a failure the rest is read all the same, since libxl waits for that."""
    with os.fdopen(source, "rb", buffering=0) as pipe:
        while True:
            data = pipe.read(_COPY_BYTES)
            if not data:
                return
            while data and not failures:
                try:
                    data = data[os.write(target, data) :]
                except OSError as error:
                    failures.append(error)
