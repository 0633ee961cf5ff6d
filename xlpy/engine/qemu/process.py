"""QemuProcess: a QEMU that outlives us, held by a pidfd.

It is started in its own session, with nothing of ours but the descriptors it is given. Nobody polls its pid: on some
machines orphans stay zombies for seconds, and a pid may be another process tomorrow.
"""

from __future__ import annotations

import os
import re
import select
import signal
import threading

from xlpy.errors import EngineError, MissingProgram

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xlpy.engine.reactor import Reactor

_START_TICKS_FIELD = 19  # of /proc/PID/stat, counted from the state that follows the name
_PROGRAM_NAME = re.compile("^(?:qemu|/)[^:]*: ")
_SHOWN_LOG_BYTES = 2000


class QemuProcess:
    """A process by its pidfd, child of ours or not."""

    def __init__(self, pid: int, pidfd: int, start_ticks: int) -> None:
        self.pid = pid
        self.start_ticks = start_ticks
        self.gone = False
        self.exit_status: int | None = None  # of a child that has ended; a signal's number negative
        self._pidfd = pidfd
        self._pidfd_lock = threading.Lock()
        self._ended = threading.Event()
        self._reactor: Reactor | None = None

    @classmethod
    def adopt(cls, pid: int, start_ticks: int) -> QemuProcess | None:
        """The running process of that pid that started at that time, or None if it has ended."""
        try:
            pidfd = os.pidfd_open(pid)
        except OSError:
            return None
        if _has_ended(pidfd) or process_start_ticks(pid) != start_ticks:
            os.close(pidfd)
            return None
        return cls(pid, pidfd, start_ticks)

    @classmethod
    def ended(cls, pid: int) -> QemuProcess:
        """One that has ended already."""
        process = cls(pid, -1, 0)
        process.gone = True
        process._ended.set()
        return process

    def watch(self, reactor: Reactor, on_gone: Callable[[], None]) -> None:
        """Call ``on_gone`` once, on the reactor's thread, when the process has ended."""

        def ended(_events: int) -> None:
            if not self.gone and _has_ended(self._pidfd):
                self.gone = True
                self._reap()
                self._ended.set()
                reactor.release(self._pidfd, self._close)
                on_gone()

        self._reactor = reactor
        reactor.watch(self._pidfd, ended)

    def signal(self, number: int) -> None:
        """Send a signal; nothing happens if the process has ended."""
        with self._pidfd_lock:
            if self._pidfd < 0:
                return
            try:
                signal.pidfd_send_signal(self._pidfd, number)
            except ProcessLookupError:
                pass

    def wait(self, timeout_s: float) -> bool:
        """Whether the process ended within this time. Not for the reactor's thread."""
        if self._reactor is not None or self.gone:
            return self._ended.wait(timeout_s)
        if not _has_ended(self._pidfd, timeout_s):
            return False
        self._reap()
        return True

    def how_it_ended(self, timeout_s: float) -> str:
        """What became of it, for a sentence: ``was killed by signal 9``; waits until that is known."""
        self.wait(timeout_s)
        if self.exit_status is None:
            return "has ended"  # no child of ours
        if self.exit_status < 0:
            return f"was killed by signal {-self.exit_status}"
        return f"ended with status {self.exit_status}"

    def forget(self) -> None:
        """Stop watching; the process runs on."""
        if self._reactor is not None and not self.gone:
            self._reactor.release(self._pidfd, self._close)
        elif self._reactor is None:
            self._close()

    def _reap(self) -> None:
        try:
            result = os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOHANG)
        except ChildProcessError:
            return  # adopted: somebody else's child
        if result is not None:
            self.exit_status = result.si_status if result.si_code == os.CLD_EXITED else -result.si_status

    def _close(self) -> None:
        with self._pidfd_lock:
            if self._pidfd >= 0:
                os.close(self._pidfd)
                self._pidfd = -1


def spawn_qemu(argv: Sequence[str], passed_fds: Sequence[int], log_path: str) -> QemuProcess:
    """Start QEMU in a session of its own; its messages are appended to ``log_path``.

    The placeholders ``{fd0}``, ``{fd1}`` … in ``argv`` become the numbers that the descriptors have in the new process.
    Raises MissingProgram or EngineError.
    """
    numbers = _numbers_in_child(passed_fds)
    arguments = [_fill_in(argument, numbers) for argument in argv]
    actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    actions += [(os.POSIX_SPAWN_DUP2, ours, theirs) for ours, theirs in zip(passed_fds, numbers)]
    try:
        pid = os.posix_spawn(
            arguments[0],
            arguments,
            os.environ,
            file_actions=actions,
            setsid=True,
            setsigmask=(),
            setsigdef=(signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM, signal.SIGHUP),
        )
    except FileNotFoundError as error:
        raise MissingProgram(
            f"{arguments[0]} is gone", "install the Debian package qemu-system-x86"
        ) from error
    except OSError as error:
        raise EngineError(f"cannot start QEMU: {error.strerror}", detail=arguments[0]) from error
    # a child stays in the process table until we reap it, so that this pid is surely the one just started
    return QemuProcess(pid, os.pidfd_open(pid), process_start_ticks(pid) or 0)


def process_start_ticks(pid: int) -> int | None:
    """When a process started, in clock ticks since boot: tells it from a later one of the same pid."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[_START_TICKS_FIELD])
    except (OSError, IndexError, ValueError):
        return None


def boot_id() -> str:
    """Identity of the host's present boot."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def log_tail(log_path: str) -> str:
    """The last that QEMU said on its standard error, without our own additions; empty if nothing."""
    try:
        with open(log_path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _SHOWN_LOG_BYTES))
            return file.read().decode(errors="replace").strip()
    except OSError:
        return ""


def complaints(log_path: str) -> list[str]:
    """The lines of ``log_tail`` that are no warnings, without the program's name."""
    lines = [line for line in log_tail(log_path).splitlines() if "warning:" not in line]
    return [_PROGRAM_NAME.sub("", line) for line in lines]


def _numbers_in_child(fds: Sequence[int]) -> list[int]:
    # above all sources, so that no dup2 overwrites the source of a later one
    first = max(fds, default=2) + 1
    return list(range(first, first + len(fds)))


def _fill_in(argument: str, numbers: Sequence[int]) -> str:
    for index, number in enumerate(numbers):
        argument = argument.replace(f"{{fd{index}}}", str(number))
    return argument


def _has_ended(pidfd: int, timeout_s: float = 0) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(timeout_s * 1000))
