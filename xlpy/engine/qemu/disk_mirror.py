"""Disks that go along with a migration, at the source: QEMU's mirror job writes each to the target's NBD server.

What the guest writes meanwhile is written there, too. When the memory has been sent and the guest stands still, each job
is ended, and not before it has nothing left to write (QMP ``pause-before-switchover``).
"""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
import uuid

from xlpy.engine.qemu.disk_hotplug import find_disk
from xlpy.engine.qemu.qmp import QmpClosed, QmpError
from xlpy.engine.qemu.socket_pump import SocketPump
from xlpy.errors import Aborted, EngineError, InvalidState
from xlpy.model.migration import TransferProgress, copied_disks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xlpy.engine.qemu.domain import QemuDomain
    from xlpy.model.migration import Report

_PREFIX = "copy-"  # of jobs and of the nodes that they write to
_CONNECT_TIMEOUT_S = 30.0
_LOOK_INTERVAL_S = 0.2
_END_TIMEOUT_S = 60.0


def copy_disk(
    domain: QemuDomain, vdev: str, stream: socket.socket, bandwidth_bytes_per_s: int | None
) -> None:
    """Begin to mirror a disk to the NBD server at the stream's other end (QMP ``blockdev-add``, ``blockdev-mirror``)."""
    domain.require_running("copy its disks")
    with domain.lock:
        domain.require_here("copy its disks")
        disk = find_disk(domain, vdev)
        if disk.config not in copied_disks(domain.record.config):
            raise InvalidState(f"the disk {vdev} is read-only, and not copied", "have it on both hosts")
        job = _PREFIX + disk.node_name
        _drop(domain, job)
        _connect(domain, job, disk.node_name, stream)
        arguments: dict[str, object] = {
            "job-id": job,
            "device": disk.node_name,
            "target": job,
            "sync": "full",
        }
        arguments["speed"] = bandwidth_bytes_per_s or 0
        try:
            domain.qmp.execute("blockdev-mirror", arguments)
        except BaseException:
            _drop(domain, job)
            raise
        domain.copies.append(job)


def _connect(domain: QemuDomain, node: str, export: str, stream: socket.socket) -> None:
    """A block node that is the disk at the target.

    QEMU connects to us under a name that only this connection has, and nobody but that QEMU is let in; so it needs no file
    that the user it runs as could open.
    """
    if not select.select([stream], [], [], _CONNECT_TIMEOUT_S)[0]:  # QEMU would wait for it, deaf to all else
        raise EngineError("the target does not take the disk: nobody answers there")
    name = f"xlpy-{uuid.uuid4()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(f"\0{name}")
        listener.listen(8)
        listener.settimeout(_CONNECT_TIMEOUT_S)
        letting_in = threading.Thread(
            target=_let_in, args=(listener, domain.process.pid, stream, node), name=node, daemon=True
        )
        letting_in.start()
        try:
            domain.qmp.execute(
                "blockdev-add",
                {
                    "driver": "raw",
                    "node-name": node,
                    "size": _size_bytes(domain, export),  # a device at the target may be larger
                    "discard": "unmap",
                    "detect-zeroes": "unmap",  # what is empty here is not sent, and stays empty there
                    "file": {
                        "driver": "nbd",
                        "server": {"type": "unix", "path": name, "abstract": True},
                        "export": export,
                        "discard": "unmap",
                    },
                },
            )
        except QmpError as error:
            raise EngineError(
                f"the target does not take the disk: {error.message}", detail=error.detail
            ) from error
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            letting_in.join()


def _size_bytes(domain: QemuDomain, node: str) -> int:
    nodes = domain.qmp.execute("query-named-block-nodes", {"flat": True})
    size: int = next(found["image"]["virtual-size"] for found in nodes if found["node-name"] == node)
    return size


def _let_in(listener: socket.socket, pid: int, stream: socket.socket, name: str) -> None:
    """Join the stream with the first connection that this process makes."""
    try:
        while True:
            connection, _ = listener.accept()
            with connection:
                credentials = connection.getsockopt(
                    socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")
                )
                if struct.unpack("3i", credentials)[0] == pid:
                    SocketPump(connection, stream, name)
                    return
    except OSError:
        pass  # QEMU has not come


# -- during the migration


class Mirrors:
    """The copies of a domain's disks that are under way."""

    def __init__(self, domain: QemuDomain) -> None:
        self._domain = domain
        self._jobs = list(domain.copies)

    def __bool__(self) -> bool:
        return bool(self._jobs)

    def wait_equal(self, stream: int, progress: Report | None) -> None:
        """Return when each copy has been equal once. Raises EngineError for one that failed, Aborted if the stream ended."""
        poller = select.poll()
        poller.register(stream, select.POLLRDHUP)
        started = time.monotonic()
        while True:
            jobs = self._running()
            if all(job["ready"] for job in jobs):
                return
            if progress is not None:
                progress(_progress(jobs, time.monotonic() - started))
            if poller.poll(_LOOK_INTERVAL_S * 1000):
                raise Aborted(f"the transfer of domain {self._domain.domid} was called off")

    def finish(self) -> None:
        """The guest stands still: end each copy when all is written (QMP ``block-job-cancel`` of a ready mirror)."""
        self._running()
        for job in self._jobs:
            with self._domain.expect("BLOCK_JOB_COMPLETED", _of(job)) as ending:
                self._domain.qmp.execute("block-job-cancel", {"device": job})
                data = ending.wait(_END_TIMEOUT_S)
            if data is None or "error" in data:
                raise _failed(job, "it does not end" if data is None else data["error"])
            self._domain.qmp.execute("blockdev-del", {"node-name": job})
            self._domain.copies.remove(job)

    def _running(self) -> list[dict[str, Any]]:
        """The jobs as they are. Raises EngineError if one of ours has ended."""
        jobs = {job["device"]: job for job in _jobs(self._domain)}
        for job in self._jobs:
            if job not in jobs:
                raise _failed(job, "the connection to the target broke, or its disk is full")
        return [jobs[job] for job in self._jobs]


def drop_mirrors(domain: QemuDomain) -> None:
    """Give up every copy of this domain's disks, and what is left of copies that failed; the disks here are as they were."""
    domain.copies.clear()
    for node in domain.qmp.execute("query-named-block-nodes", {"flat": True}):
        if node["node-name"].startswith(_PREFIX):
            _drop(domain, node["node-name"])


def _drop(domain: QemuDomain, job: str) -> None:
    with domain.expect("BLOCK_JOB_CANCELLED", _of(job)) as ending:
        try:
            domain.qmp.execute("block-job-cancel", {"device": job, "force": True})
            ending.wait(_END_TIMEOUT_S)
        except QmpClosed:
            raise
        except QmpError:
            pass  # it has ended
    try:
        domain.qmp.execute("blockdev-del", {"node-name": job})
    except QmpClosed:
        raise
    except QmpError:
        pass  # there is none


def _of(job: str) -> Any:
    return lambda data: data["device"] == job


def _jobs(domain: QemuDomain) -> list[dict[str, Any]]:
    jobs: list[dict[str, Any]] = domain.qmp.execute("query-block-jobs")
    return [job for job in jobs if job["device"].startswith(_PREFIX)]


def _failed(job: str, why: str) -> EngineError:
    vdev = job.removeprefix(_PREFIX).removeprefix("image-")
    return EngineError(
        f"copying the disk {vdev} failed: {why}", "the domain goes on here; is there room there?"
    )


def _progress(jobs: list[dict[str, Any]], elapsed_s: float) -> TransferProgress:
    done, total = sum(job["offset"] for job in jobs), sum(job["len"] for job in jobs)
    return TransferProgress(
        phase="disks",
        transferred_bytes=done,
        remaining_bytes=total - done,
        total_bytes=total,
        rate_bytes_per_s=int(done / elapsed_s) if elapsed_s > 0 else 0,
        elapsed_ms=int(elapsed_s * 1000),
    )
