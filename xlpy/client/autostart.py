"""Starting the calling user's xlpyd when nobody answers at its socket, as adb and gpg-agent do.

However many commands start at once, a lock lets one of them start xlpyd; the others find it running. xlpyd says through
a pipe that it listens, or ends and leaves its reason in its log.
"""

from __future__ import annotations

import fcntl
import os
import select
import sys

from xlpy.errors import ConnectError, PermissionRefused
from xlpy.protocol.places import default_state_dir
from xlpy.transport.unix import NobodyListens, connect_unix

READY_TIMEOUT_S = 30
_LOG_TAIL_BYTES = 2000


def start_xlpyd(socket_path: str) -> None:
    """Return when an xlpyd listens at this path. Raises ConnectError with what its log says when it doesn't come up."""
    run_dir = os.path.dirname(socket_path)
    lock_fd = _open_lock(run_dir)
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX)
        if not _answers(socket_path):
            _start(socket_path)
    finally:
        os.close(lock_fd)


def _open_lock(run_dir: str) -> int:
    try:
        os.makedirs(os.path.dirname(run_dir), exist_ok=True)
        try:
            os.mkdir(run_dir, 0o700)
        except FileExistsError:
            pass
        found = os.lstat(run_dir)
        if found.st_uid != os.getuid():
            raise PermissionRefused(
                f"{run_dir} belongs to uid {found.st_uid}, not to you",
                "set XDG_RUNTIME_DIR to a directory of your own",
            )
        return os.open(f"{run_dir}/start.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise ConnectError(f"cannot start xlpyd: {run_dir}: {error.strerror}") from error


def _answers(socket_path: str) -> bool:
    try:
        connect_unix(socket_path).close()
    except NobodyListens:
        return False
    return True


def _start(socket_path: str) -> None:
    """Run xlpyd on its own and wait until it has said that it is ready, or has ended."""
    log_path = f"{default_state_dir(os.getuid(), os.environ)}/xlpyd.log"
    ready, told = os.pipe()
    try:
        os.set_inheritable(told, True)
        _spawn(["--socket", socket_path, "--ready-fd", str(told)])
        os.close(told)
        told = -1
        if not select.select([ready], [], [], READY_TIMEOUT_S)[0]:
            raise ConnectError(
                f"xlpyd was started but isn't ready after {READY_TIMEOUT_S} s", f"its log is {log_path}"
            )
        if os.read(ready, 1) != b"\n":
            raise ConnectError(
                "xlpyd was started and ended at once",
                f"its log is {log_path}; 'xlpyd --foreground' shows more",
                detail=_tail(log_path),
            )
    finally:
        os.close(ready)
        if told >= 0:
            os.close(told)


def _spawn(arguments: list[str]) -> None:
    """Start xlpyd; it detaches itself, so that the process started here ends soon and is reaped here."""
    command = [sys.executable, "-m", "xlpy.agent.xlpyd", *arguments]
    environment = dict(os.environ)
    package_parent = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [package_parent, environment.get("PYTHONPATH")]))
    pid = os.posix_spawn(sys.executable, command, environment)
    os.waitpid(pid, 0)


def _tail(path: str) -> str | None:
    """The end of xlpyd's log, which says why it ended."""
    try:
        with open(path, "rb") as log:
            log.seek(max(0, os.fstat(log.fileno()).st_size - _LOG_TAIL_BYTES))
            return log.read().decode("utf-8", "replace").strip() or None
    except OSError:
        return None
