"""Restoring a domain from a file that ``client.save`` or xl has written. Whatever fails, nothing is left."""

from __future__ import annotations

import os
import stat

from xlpy.client.save_file import read_header
from xlpy.errors import XlError, file_hint
from xlpy.model.migration import TransferProgress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from xlpy.client.host import Host
    from xlpy.model.domain_config import DomainConfig
    from xlpy.model.migration import Report, SavedDomain


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
