"""The peer QEMU: started and asked over QMP with nothing in between."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import time
from pathlib import Path

from benchmarks.guest import GuestImage, command_line
from benchmarks.measure import MeasurementFailed

MACHINE = ["-machine", "pc,usb=off,hpet=off,vmport=off,smbus=off", "-accel", "tcg"]


class BareQemu:
    """One QEMU process with the guest, its console on hvc0 in ``log``. End it with ``kill``."""

    def __init__(
        self,
        scratch: Path,
        image: GuestImage,
        name: str,
        memory_mib: int,
        paused: bool,
        incoming: bool = False,
    ) -> None:
        self.log = scratch / f"bare-{name}.log"
        self.log.unlink(missing_ok=True)
        path = scratch / f"bare-{name}.qmp"
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen(1)
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            [
                *("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", *MACHINE),
                *("-m", str(memory_mib), "-kernel", str(image.kernel), "-initrd", str(image.initrd)),
                *("-append", command_line("hvc0"), "-device", "virtio-serial-pci"),
                *("-chardev", f"file,id=log,path={self.log}", "-device", "virtconsole,chardev=log"),
                *("-chardev", f"socket,id=qmp,fd={listener.fileno()},server=on,wait=off"),
                *("-mon", "chardev=qmp,mode=control"),
                *(["-S"] if paused else []),
                *(["-incoming", "defer"] if incoming else []),
            ],
            pass_fds=[listener.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(scratch / f"bare-{name}.err").open("wb"),
        )
        listener.close()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(str(path))
        self.buffer = b""
        self._line()
        self.execute("qmp_capabilities")

    def execute(self, command: str, **arguments: object) -> dict[str, object]:
        """Run a QMP command and return its result; underscores in argument names stand for dashes."""
        named = {name.replace("_", "-"): value for name, value in arguments.items()}
        self.socket.sendall(json.dumps({"execute": command, "arguments": named}).encode() + b"\n")
        while True:
            answer = self._line()
            if "error" in answer:
                raise MeasurementFailed(f"QMP {command}: {answer['error']}")
            if "return" in answer:
                result = answer["return"]
                return result if isinstance(result, dict) else {}

    def wait_migrated(self) -> dict[str, object]:
        """The result of a migration, asked for every 2 ms."""
        while True:
            answer = self.execute("query-migrate")
            if answer.get("status") in ("completed", "failed", "cancelled"):
                if answer["status"] != "completed":
                    raise MeasurementFailed(f"bare migration: {answer}")
                return answer
            select.select([], [], [], 0.002)

    def wait_running(self) -> None:
        """Wait until an incoming guest has arrived, and let it run."""
        while self.execute("query-status")["status"] == "inmigrate":
            select.select([], [], [], 0.002)
        self.execute("cont")

    def since_start_ms(self) -> float:
        return (time.perf_counter() - self.began) * 1000

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.socket.close()

    def _line(self) -> dict[str, object]:
        while b"\n" not in self.buffer:
            got = self.socket.recv(65536)
            if not got:
                raise MeasurementFailed(f"QEMU {self.process.pid} closed its QMP socket")
            self.buffer += got
        line, _, self.buffer = self.buffer.partition(b"\n")
        answer = json.loads(line)
        if not isinstance(answer, dict):
            raise MeasurementFailed(f"QMP said {line!r}")
        return answer


def file_size_mib(path: Path) -> float:
    return os.stat(path).st_size / 2**20
