"""Saving a domain to a file; ``client.restore`` brings it back.

The file appears under its name only when it is complete and on the disk; only then is the domain destroyed. Whatever
fails before leaves the domain as it was and no half file. A pipe or a device is written as it comes.
"""

from __future__ import annotations

import fcntl
import os
import select

from xlpy.client.outflow import pass_on
from xlpy.client.save_file import header_bytes
from xlpy.client.save_target import PIPE_BYTES, SaveTarget, cannot_write
from xlpy.errors import (
    Aborted,
    ConnectError,
    Interrupted,
    InvalidState,
    XlError,
    writing_failure,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xlpy.client.call import Call
    from xlpy.client.host import Host
    from xlpy.model.domain_config import DomainConfig
    from xlpy.model.migration import Report, SavedDomain, TransferProgress

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
    save = _Save(host, domid, target, was_paused)
    try:
        if begun is not None:
            begun(saved)
        result = save.transfer(header_bytes(saved), progress)
        save.finish()
    finally:
        target.close()
    if afterwards == "destroy":
        save.destroy()
    else:
        save.resume(paused=was_paused or afterwards == "pause")
    return result


class _Save:
    """One domain on its way into ``target``. ``was_paused`` is what it returns to when that fails."""

    def __init__(self, host: Host, domid: int, target: SaveTarget, was_paused: bool) -> None:
        self._host = host
        self._domid = domid
        self._target = target
        self._was_paused = was_paused

    def transfer(self, header: bytes, progress: Report | None) -> TransferProgress:
        """Let the state flow into the target, behind the header. On failure the domain is as it was before."""
        if self._target.is_file and not self._host.far and self._host.hello.saves_into_files:
            return self._write_there(header, progress)
        return self._take_from_pipe(header, progress)

    def _write_there(self, header: bytes, progress: Report | None) -> TransferProgress:
        """Whoever has the state writes it into the file itself: a big one is copied once less."""
        call: Call | None = None
        try:
            self._target.write(header)
            call = self._begin(self._target.share(), progress)
            result: TransferProgress = call.result()
            return result
        except OSError as error:
            raise cannot_write(self._target.path, error) from error
        except KeyboardInterrupt as error:
            if call is not None:
                call.call_off()
                self._give_up(call)
            raise _given_up() from error
        except XlError as error:
            refused = writing_failure(error.message)
            if refused is not None:
                raise cannot_write(self._target.path, refused) from error
            raise

    def _take_from_pipe(self, header: bytes, progress: Report | None) -> TransferProgress:
        reader, writer = os.pipe()
        try:
            fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        except OSError:
            pass  # beyond this user's limit; then it stays small
        call: Call | None = None
        try:
            try:
                self._target.write(header)
                stream, writer = writer, -1
                call = self._begin(stream, progress)
                pass_on(call, reader, lambda: self._target.take_from(reader))
            except (OSError, KeyboardInterrupt) as error:
                os.close(reader)
                reader = -1
                if call is not None:
                    self._give_up(call)
                if isinstance(error, OSError):
                    raise cannot_write(self._target.path, error) from error
                raise _given_up() from error
            result: TransferProgress = call.result()
            return result
        finally:
            for fd in (reader, writer):
                if fd >= 0:
                    os.close(fd)

    def _begin(self, stream: int, progress: Report | None) -> Call:
        return self._host.begin("save_domain", domid=self._domid, stream=stream, progress=progress)

    def _give_up(self, call: Call) -> None:
        """Nobody takes the state any more: see to it that the domain goes on, before anything is said about it."""
        poller = select.poll()
        poller.register(call, select.POLLIN)
        try:
            while poller.poll(_ABORT_TIMEOUT_MS):
                if call.advance():
                    break
            else:
                self._host.close()  # the host takes the domain back when it notices
                return
        except Interrupted:
            self._host.close()
            return
        try:
            call.result()
        except XlError:
            return  # as expected; the domain was let go on
        try:
            self._host.resume_saved(self._domid, self._was_paused)  # everything was written already
        except InvalidState:
            pass  # the host has done that by itself, when it noticed that we gave up

    # -- once all of it has been written

    def finish(self) -> None:
        """Make the file last, under its name. Raises XlError with the domain as it was."""
        try:
            self._target.finish()
        except OSError as error:
            self._host.resume_saved(self._domid, self._was_paused)
            raise cannot_write(self._target.path, error) from error

    def resume(self, paused: bool) -> None:
        """Let the domain go on, or stand there paused."""
        try:
            self._host.resume_saved(self._domid, paused)
        except (ConnectError, Interrupted):
            raise  # the host lets it go on
        except XlError as error:
            raise type(error)(
                f"{self._target.path} is complete, but the domain does not go on: {error.message}",
                error.hint,
                detail=error.detail,
            ) from error

    def destroy(self) -> None:
        """The domain is in the file now, and nowhere else."""
        try:
            self._host.destroy_domain(self._domid)
        except (ConnectError, Interrupted) as error:
            raise Interrupted(
                f"{self._target.path} is complete, but the domain could not be destroyed: {error.message}",
                "the host lets it run on; 'xlpy list' shows it. Destroy it before you restore it from the file",
                detail=error.detail,
            ) from error


def _given_up() -> Aborted:
    return Aborted("the save was given up; the domain is as it was before", exit_status=130)
