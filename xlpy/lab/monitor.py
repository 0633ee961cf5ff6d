"""QMP to one QEMU, one command after the other (QEMU's docs/interop/qmp-spec).

The QEMU engine's client watches many domains at once; the lab asks one thing and waits for the answer.
"""

from __future__ import annotations

import json
import os
import select
import socket
import time

from xlpy.errors import EngineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ANSWER_TIMEOUT_S = 60.0
_RECEIVE_BYTES = 65536
_ENDED = "QEMU ended before it answered"


def connect_in(directory: str, name: str) -> socket.socket:
    """A connection to the unix socket ``name`` in a directory, however long its path. Raises OSError."""
    directory_fd = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.connect(f"/proc/self/fd/{directory_fd}/{name}")
    except BaseException:
        sock.close()
        raise
    finally:
        os.close(directory_fd)
    return sock


class Monitor:
    """One QMP connection; closes at the end of a ``with``."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._buffer = b""
        self._events: list[dict[str, Any]] = []
        sock.setblocking(False)
        try:
            self._receive(time.monotonic() + ANSWER_TIMEOUT_S)  # the greeting
            self.execute("qmp_capabilities")
        except BaseException:
            sock.close()
            raise

    def __enter__(self) -> Monitor:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def execute(self, command: str, timeout_s: float = ANSWER_TIMEOUT_S, **arguments: object) -> Any:
        """What the command returns. Raises EngineError when QEMU refuses it, is gone, or doesn't answer in time."""
        request = {
            "execute": command,
            "arguments": {key.replace("_", "-"): v for key, v in arguments.items()},
        }
        self._send(json.dumps(request).encode() + b"\n")
        deadline = time.monotonic() + timeout_s
        while True:
            answer = self._receive(deadline)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise EngineError(f"QEMU refused {command}", detail=answer["error"]["desc"])
            self._events.append(answer)

    def run_job(self, command: str, timeout_s: float, **arguments: object) -> None:
        """Start a job and wait for its end. Raises EngineError with the job's own error."""
        job = "lab"
        deadline = time.monotonic() + timeout_s
        self._events.clear()
        self.execute(command, timeout_s, job_id=job, **arguments)
        while not any(_concludes(event, job) for event in self._events):
            self._events.append(self._receive(deadline))
        (info,) = [entry for entry in self.execute("query-jobs") if entry["id"] == job]
        self.execute("job-dismiss", id=job)
        if info.get("error"):
            raise EngineError(f"QEMU could not carry out {command}", detail=info["error"])

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise EngineError(_ENDED) from error

    def _receive(self, deadline: float) -> dict[str, Any]:
        """The next message."""
        while b"\n" not in self._buffer:
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not select.select([self._socket], [], [], left_s)[0]:
                raise EngineError("QEMU did not answer in time", "the machine may be overloaded; try again")
            piece = self._read()
            if not piece:
                raise EngineError(_ENDED)
            self._buffer += piece
        line, _, self._buffer = self._buffer.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message

    def _read(self) -> bytes:
        try:
            return self._socket.recv(_RECEIVE_BYTES)
        except ConnectionResetError:
            return b""


def _concludes(event: dict[str, Any], job: str) -> bool:
    data = event.get("data", {})
    return (
        event.get("event") == "JOB_STATUS_CHANGE"
        and data.get("id") == job
        and data.get("status") == "concluded"
    )
