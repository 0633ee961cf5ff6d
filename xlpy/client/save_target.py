"""Where a saved domain's state goes: a file that has its name only when it is complete, or a pipe or device as it is."""

from __future__ import annotations

import errno
import os
import stat

from xlpy.client.whole_bytes import write_all
from xlpy.errors import XlError, file_hint

PIPE_BYTES = 1 << 20


class SaveTarget:
    """Where the state goes. A regular file is written beside its place and put there by ``finish``."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._place = path
        self._unfinished: str | None = None
        self._named = False
        self._splices = True
        try:
            self.is_file = self._is_regular()
            if self.is_file:
                self._place = os.path.realpath(path)
                directory, name = os.path.split(self._place)
                self._unfinished = f"{directory}/.{name}.{os.getpid()}.part"
                self._fd = self._open_unfinished(directory)
                _forget_content(self._place)
            else:
                self._fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        except OSError as error:
            raise cannot_write(path, error) from error

    def _open_unfinished(self, directory: str) -> int:
        """A file without a name, so that nothing is left of it when we are killed; with one where that can't be."""
        assert self._unfinished is not None
        try:
            return os.open(directory, os.O_WRONLY | os.O_TMPFILE | os.O_CLOEXEC, 0o600)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL):
                raise
        self._named = True
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.open(self._unfinished, flags, 0o600)

    def _is_regular(self) -> bool:
        try:
            return stat.S_ISREG(os.stat(self.path).st_mode)
        except FileNotFoundError:
            return True

    def write(self, data: bytes) -> None:
        """Write all of it. Raises OSError."""
        write_all(self._fd, data)

    def share(self) -> int:
        """A descriptor for somebody else to write with, who closes it."""
        return os.dup(self._fd)

    def take_from(self, pipe: int) -> bool:
        """Move what the pipe has; False at its end. Raises OSError."""
        if self._splices:
            try:
                return os.splice(pipe, self._fd, PIPE_BYTES) > 0
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
                self._splices = False  # a terminal, or a file opened for appending
        data = os.read(pipe, PIPE_BYTES)
        self.write(data)
        return bool(data)

    def finish(self) -> None:
        """Make it last, and give it its name. Raises OSError."""
        if self._unfinished is None:
            return
        os.fsync(self._fd)
        if not self._named:
            descriptors = os.open("/proc/self/fd", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            try:  # only with a directory's descriptor does Python ask linkat(2) to follow the link
                os.link(str(self._fd), self._unfinished, src_dir_fd=descriptors)
            finally:
                os.close(descriptors)
            self._named = True
        os.replace(self._unfinished, self._place)
        directory = os.open(os.path.dirname(self._unfinished), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._unfinished = None
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def close(self) -> None:
        """Close it; what wasn't finished is removed."""
        os.close(self._fd)
        if self._unfinished is not None and self._named:
            os.unlink(self._unfinished)
        self._unfinished = None


def _forget_content(path: str) -> None:
    """Let the kernel forget what it remembers of a file that is about to be replaced: the new one needs that memory."""
    try:
        older = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return  # there is none, or none that we may read
    try:
        os.posix_fadvise(older, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(older)


def cannot_write(path: str, error: OSError) -> XlError:
    """The error of a save whose file the kernel refuses."""
    hint = (
        "the domain runs on; free some space, or save it elsewhere"
        if error.errno == errno.ENOSPC
        else file_hint(path, error)
    )
    return XlError(f"cannot write {path}: {error.strerror}", hint)
