"""Starting the calling user's xlpyd or broker when nobody answers at its socket, as adb and gpg-agent do.

However many commands start at once, a lock lets one of them start the daemon; the others find it running. The process
that is started returns when the daemon it leaves behind serves.
"""

from __future__ import annotations

import fcntl
import os

from xlpy.client.own_program import own_program
from xlpy.errors import ConnectError, PermissionRefused
from xlpy.protocol.places import default_state_dir
from xlpy.transport.unix import NobodyListens, connect_unix


class Daemon:
    """What is started: how people call it, which module it is, and where it says what it does."""

    def __init__(self, name: str, module: str, where_more: str) -> None:
        self.name = name
        self.module = module
        self.where_more = where_more


def start_xlpyd(socket_path: str) -> None:
    """Return when an xlpyd listens at this path. Raises ConnectError with what it said when it doesn't come up."""
    log = f"{default_state_dir(os.getuid(), os.environ)}/xlpyd.log"
    where_more = f"its log is {log}; 'xlpyd --foreground' shows more"
    start_daemon(socket_path, Daemon("xlpyd", "xlpy.agent.xlpyd", where_more))


def start_broker(socket_path: str) -> None:
    """Return when a broker listens at this path. Raises ConnectError with what it said when it doesn't come up."""
    start_daemon(
        socket_path,
        Daemon("the broker", "xlpy.transport.broker", "without one it works too, only slower: --no-broker"),
    )


def start_daemon(socket_path: str, daemon: Daemon) -> None:
    """Return when this daemon listens at this path. Raises ConnectError."""
    run_dir = os.path.dirname(socket_path)
    lock_fd = _open_lock(run_dir, daemon)
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX)
        if not _answers(socket_path):
            _start(socket_path, daemon)
    finally:
        os.close(lock_fd)


def _open_lock(run_dir: str, daemon: Daemon) -> int:
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
        raise ConnectError(
            f"cannot start {daemon.name}: {run_dir}: {error.strerror}",
            "set XDG_RUNTIME_DIR to a directory where you may write",
        ) from error


def _answers(socket_path: str) -> bool:
    try:
        connect_unix(socket_path).close()
    except NobodyListens:
        return False
    return True


def _start(socket_path: str, daemon: Daemon) -> None:
    """Run the daemon, which detaches itself: the process started here ends when the daemon serves or has failed."""
    said, stderr = os.pipe()
    try:
        pid = _spawn(own_program(daemon.module, "--socket", socket_path), stderr)
    finally:
        os.close(stderr)
    with os.fdopen(said, encoding="utf-8", errors="replace") as reader:
        complaint = reader.read().strip()
    if os.waitpid(pid, 0)[1] == 0:
        return
    raise ConnectError(
        f"{daemon.name} was started and ended at once", daemon.where_more, detail=complaint or None
    )


def _spawn(command: list[str], stderr: int) -> int:
    """Start a program that has nothing of ours but ``stderr``; returns the process id."""
    return os.posix_spawn(
        command[0],
        command,
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_DUP2, stderr, 2),
        ],
    )
