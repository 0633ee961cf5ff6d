"""Saving a domain to a file, and restoring it from there.

The file appears under its name only when it is complete and on the disk; only then is the domain destroyed. Whatever
fails before leaves the domain as it was and no half file. A pipe or a device is written as it comes.
"""

from __future__ import annotations

import fcntl
import os
import select
import stat

from xlpy.client.outflow import pass_on
from xlpy.client.save_file import header_bytes, read_header
from xlpy.client.save_target import PIPE_BYTES, SaveTarget, cannot_write
from xlpy.errors import (
    Aborted,
    ConnectError,
    Interrupted,
    InvalidState,
    XlError,
    file_hint,
    writing_failure,
)
from xlpy.model.migration import TransferProgress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from xlpy.client.call import Call
    from xlpy.client.host import Host
    from xlpy.model.domain_config import DomainConfig
    from xlpy.model.migration import SavedDomain

    Report = Callable[[TransferProgress], None]

AFTERWARDS = ("destroy", "resume", "pause")
_ABORT_TIMEOUT_MS = 20_000


def save_to_file(
    host: Host,
    domid: int,
    path: str,
    *,
    afterwards: str = "destroy",
    config: DomainConfig | None = None,
    config_text: str | None = None,
    write_text: Callable[[DomainConfig], str | None] | None = None,
    begun: Callable[[SavedDomain], None] | None = None,
    progress: Report | None = None,
) -> TransferProgress:
    """Save a domain; ``afterwards`` it is destroyed, runs on, or is paused.

    ``config`` goes into the file in place of its own, with ``config_text`` if that is another; ``write_text`` makes
    the text of a domain that has none. ``begun`` is told what the file will begin with, once it can be written.

    Raises XlError with the domain as it was before, Aborted after Ctrl-C likewise; Interrupted when the connection broke:
    the host then lets the domain go on.
    """
    if afterwards not in AFTERWARDS:
        raise ValueError(afterwards)
    was_paused = host.domain_info(domid).paused
    saved = host.describe_domain(domid)
    if config is not None:
        saved = saved.replace(config=config, config_text=config_text or saved.config_text)
    if saved.config_text is None and write_text is not None:
        saved = saved.replace(config_text=write_text(saved.config))
    target = SaveTarget(path)
    try:
        if begun is not None:
            begun(saved)
        result = _transfer(host, domid, saved, target, was_paused, progress)
        try:
            target.finish()
        except OSError as error:
            host.resume_saved(domid, was_paused)
            raise cannot_write(path, error) from error
    finally:
        target.close()
    if afterwards == "destroy":
        _destroy(host, domid, path)
    else:
        _resume(host, domid, path, was_paused or afterwards == "pause")
    return result


def restore_from_file(
    host: Host,
    path: str,
    *,
    config: DomainConfig | None = None,
    config_text: str | None = None,
    paused: bool = False,
    supervised: bool = True,
    progress: Report | None = None,
) -> int:
    """Restore a domain and return its domid. ``config`` and its text replace those in the file.

    Raises XlError; then nothing is left.
    """
    saved, source = open_saved(path)
    if config is not None:
        saved = saved.replace(config=config, config_text=config_text)
    return restore_opened(host, saved, source, paused=paused, supervised=supervised, progress=progress)


def open_saved(path: str) -> tuple[SavedDomain, int]:
    """The domain that a file holds, and the open file at its state. Raises XlError."""
    try:
        source = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise XlError(f"cannot open {path}: {error.strerror}", file_hint(path, error)) from error
    try:
        _read_ahead(source)
        return read_header(source, path), source
    except BaseException:
        os.close(source)
        raise


def _read_ahead(source: int) -> None:
    """Whoever reads the state, which is large, shares this open file: let the kernel read twice as far ahead."""
    try:
        os.posix_fadvise(source, 0, 0, os.POSIX_FADV_SEQUENTIAL)
    except OSError:
        pass  # a pipe


def restore_opened(
    host: Host,
    saved: SavedDomain,
    source: int,
    *,
    paused: bool = False,
    supervised: bool = True,
    progress: Report | None = None,
) -> int:
    """Restore what ``open_saved`` found, and return its domid. The file is closed. Raises XlError; then nothing is left."""
    if progress is not None:
        with _Reading(source, progress) as reading:
            domid: int = host.restore_domain(saved, source, supervised, reading.report)
    else:
        domid = host.restore_domain(saved, source, supervised)
    host.accept_restored(domid, paused)
    return domid


class _Reading:
    """How far a file has been read. Whoever reads it shares its position with us, since it is the same open file."""

    def __init__(self, source: int, report: Report) -> None:
        self._file = os.dup(source)
        self._report = report
        status = os.fstat(source)
        self._is_file = stat.S_ISREG(status.st_mode)
        self._start = os.lseek(source, 0, os.SEEK_CUR) if self._is_file else 0
        self._total = status.st_size - self._start

    def __enter__(self) -> _Reading:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)
        if error is None and self._is_file:
            self._report(
                TransferProgress(phase="completed", transferred_bytes=self._total, total_bytes=self._total)
            )

    def report(self, moment: TransferProgress) -> None:
        """What the host says, with the numbers of the file where it knows none; a pipe has no end that is known before."""
        if self._is_file and not moment.total_bytes:
            read = min(self._total, os.lseek(self._file, 0, os.SEEK_CUR) - self._start)
            rate = read * 1000 // moment.elapsed_ms if moment.elapsed_ms else 0
            moment = moment.replace(
                transferred_bytes=read,
                remaining_bytes=self._total - read,
                total_bytes=self._total,
                rate_bytes_per_s=rate,
            )
        self._report(moment)


def _transfer(
    host: Host,
    domid: int,
    saved: SavedDomain,
    target: SaveTarget,
    was_paused: bool,
    progress: Report | None,
) -> TransferProgress:
    """Let the state flow into the target. On failure the domain is as it was before."""
    if target.is_file and not host.far and host.hello.saves_into_files:
        return _write_there(host, domid, saved, target, was_paused, progress)
    reader, writer = os.pipe()
    try:
        fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    except OSError:
        pass  # beyond this user's limit; then it stays small
    call: Call | None = None
    try:
        try:
            target.write(header_bytes(saved))
            stream, writer = writer, -1
            call = host.begin("save_domain", domid=domid, stream=stream, progress=progress)
            pass_on(call, reader, lambda: target.take_from(reader))
        except (OSError, KeyboardInterrupt) as error:
            os.close(reader)
            reader = -1
            if call is not None:
                _give_up(host, call, domid, was_paused)
            if isinstance(error, OSError):
                raise cannot_write(target.path, error) from error
            raise _given_up() from error
        result: TransferProgress = call.result()
        return result
    finally:
        for fd in (reader, writer):
            if fd >= 0:
                os.close(fd)


def _write_there(
    host: Host,
    domid: int,
    saved: SavedDomain,
    target: SaveTarget,
    was_paused: bool,
    progress: Report | None,
) -> TransferProgress:
    """As ``_transfer``, with the state written into the file itself by whoever has it: a big one is copied once less."""
    call: Call | None = None
    try:
        target.write(header_bytes(saved))
        call = host.begin("save_domain", domid=domid, stream=target.share(), progress=progress)
        result: TransferProgress = call.result()
        return result
    except OSError as error:
        raise cannot_write(target.path, error) from error
    except KeyboardInterrupt as error:
        if call is not None:
            call.call_off()
            _give_up(host, call, domid, was_paused)
        raise _given_up() from error
    except XlError as error:
        refused = writing_failure(error.message)
        if refused is not None:
            raise cannot_write(target.path, refused) from error
        raise


def _given_up() -> Aborted:
    return Aborted("the save was given up; the domain is as it was before", exit_status=130)


def _give_up(host: Host, call: Call, domid: int, was_paused: bool) -> None:
    """Nobody takes the state any more: see to it that the domain goes on, before anything is said about it."""
    poller = select.poll()
    poller.register(call, select.POLLIN)
    try:
        while poller.poll(_ABORT_TIMEOUT_MS):
            if call.advance():
                break
        else:
            host.close()  # the host takes the domain back when it notices
            return
    except Interrupted:
        host.close()
        return
    try:
        call.result()
    except XlError:
        return  # as expected; the domain was let go on
    try:
        host.resume_saved(domid, was_paused)  # everything was written already
    except InvalidState:
        pass  # the host has done that by itself, when it noticed that we gave up


def _resume(host: Host, domid: int, path: str, paused: bool) -> None:
    try:
        host.resume_saved(domid, paused)
    except (ConnectError, Interrupted):
        raise  # the host lets it go on
    except XlError as error:
        raise type(error)(
            f"{path} is complete, but the domain does not go on: {error.message}",
            error.hint,
            detail=error.detail,
        ) from error


def _destroy(host: Host, domid: int, path: str) -> None:
    try:
        host.destroy_domain(domid)
    except (ConnectError, Interrupted) as error:
        raise Interrupted(
            f"{path} is complete, but the domain could not be destroyed: {error.message}",
            "the host lets it run on; 'xlpy list' shows it. Destroy it before you restore it from the file",
            detail=error.detail,
        ) from error
