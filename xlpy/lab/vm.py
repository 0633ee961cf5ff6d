"""One QEMU in one directory: start it, find it again, end it.

Whether it runs is what the kernel says of the lock that QEMU holds on its pid file; so it is true after a kill -9 of
anybody, and a number that means another process by now is never signalled.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import subprocess
import time

from xlpy.errors import EngineError
from xlpy.lab.machine import DISK_NODE, MONITOR, PID_FILE, SERIAL
from xlpy.lab.monitor import Monitor, connect_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

_LOG = "qemu.log"
_START_TIMEOUT_S = 60.0
_END_TIMEOUT_S = 20.0
_SNAPSHOT_TIMEOUT_S = 120.0
_FIRST_LOOK_S = 0.01
_LONGEST_LOOK_S = 0.2
_LOCK = "hhqqi"  # struct flock


class Vm:
    """The QEMU whose files are in this directory, running or not."""

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def pid(self) -> int | None:
        """The process, if it runs."""
        try:
            fd = os.open(os.path.join(self._directory, PID_FILE), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            asked = struct.pack(_LOCK, fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0)
            found = struct.unpack(_LOCK, fcntl.fcntl(fd, fcntl.F_OFD_GETLK, asked))
            number = os.read(fd, 32).strip()
        finally:
            os.close(fd)
        return int(number) if found[0] != fcntl.F_UNLCK and number else None

    def start(self, argv: Sequence[str]) -> None:
        """Start it and return when it runs. Raises MissingProgram, or EngineError with what QEMU said."""
        log_path = os.path.join(self._directory, _LOG)
        with open(log_path, "wb") as log:
            process = subprocess.Popen(
                argv,
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            with self._first_monitor(process) as monitor:
                monitor.execute("query-status", _START_TIMEOUT_S)
        except BaseException as error:
            process.kill()
            process.wait()
            if not isinstance(error, EngineError):
                raise
            with open(log_path, encoding="utf-8", errors="replace") as log_text:
                said = log_text.read().strip()
            raise EngineError("QEMU does not start", detail=said or error.detail) from error
        process.returncode = 0  # it lives on without us; nothing to wait for when this object goes

    def monitor(self) -> Monitor:
        """A QMP connection. Raises EngineError when it doesn't run."""
        try:
            return Monitor(connect_in(self._directory, MONITOR))
        except OSError as error:
            raise EngineError(f"QEMU does not answer: {error.strerror}") from error

    def serial(self) -> socket.socket:
        """A connection to the serial line, from now on. Raises EngineError."""
        try:
            return connect_in(self._directory, SERIAL)
        except OSError as error:
            raise EngineError(f"QEMU does not serve the serial line: {error.strerror}") from error

    def save_snapshot(self, name: str) -> None:
        """Keep the present state, memory and disk, under a name; one of that name is replaced."""
        with self.monitor() as monitor:
            nodes = monitor.execute("query-named-block-nodes", flat=True)
            (disk,) = [node for node in nodes if node["node-name"] == DISK_NODE]
            taken = {entry["name"] for entry in disk["image"].get("snapshots", ())}
            if name in taken:
                monitor.run_job("snapshot-delete", _SNAPSHOT_TIMEOUT_S, tag=name, devices=[DISK_NODE])
            monitor.run_job(
                "snapshot-save", _SNAPSHOT_TIMEOUT_S, tag=name, vmstate=DISK_NODE, devices=[DISK_NODE]
            )

    def stop(self) -> None:
        """End it, as pulling the plug ends a host, and return when it's gone. Raises EngineError if it won't go."""
        pid = self.pid()
        if pid is None:
            return
        try:
            pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        try:
            if self.pid() != pid:  # it ended, and its number may mean another process by now
                return
            if not (self._takes_quit() and _ended(pidfd, _END_TIMEOUT_S)):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
                if not _ended(pidfd, _END_TIMEOUT_S):
                    raise EngineError(f"QEMU does not end, even when it is killed (pid {pid})")
        finally:
            os.close(pidfd)

    def _takes_quit(self) -> bool:
        """Ask it to end; false if it doesn't listen, or didn't answer."""
        try:
            with self.monitor() as monitor:
                monitor.execute("quit")
        except EngineError:
            return False
        return True

    def _first_monitor(self, process: subprocess.Popen[bytes]) -> Monitor:
        """Connect as soon as QEMU listens; it says nothing before, so one has to look."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        interval_s = _FIRST_LOOK_S
        while True:
            try:
                return Monitor(connect_in(self._directory, MONITOR))
            except OSError as error:
                if time.monotonic() > deadline:
                    raise EngineError("QEMU does not answer in time") from error
            try:
                process.wait(interval_s)
            except subprocess.TimeoutExpired:
                interval_s = min(2 * interval_s, _LONGEST_LOOK_S)
            else:
                raise EngineError("QEMU ended at once")


def _ended(pidfd: int, timeout_s: float) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(timeout_s * 1000))
