"""One host of the lab: its directory, its QEMU, its SSH."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time

from xlpy.errors import ConfigError, EngineError, InvalidState
from xlpy.lab.machine import DISK, READY, SERIAL_LOG, Machine, Wiring, qemu_argv
from xlpy.lab.programs import find_program
from xlpy.lab.vm import Vm
from xlpy.model.codec import record_from_wire, to_wire
from xlpy.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlpy.lab.image import Image
    from xlpy.lab.keys import Keys

_RECORD = "host.json"
_SSH_CONFIG = "ssh_config"
_KNOWN_HOSTS = "known_hosts"
_SETTLED = "settled"
_SETTLE_TIMEOUT_S = 60.0
_COPY_TIMEOUT_S = 300.0
GUEST_PLACE = "/srv/guest"
GUEST_FILES = ("vmlinuz", "initrd.img", "data.img")

# What a host learns when it has been loaded: who it is, and new random numbers, since those of the snapshot are known
# to all other hosts made of it (RNDRESEEDCRNG takes what the kernel has got from us).
_SETTLE = """\
set -e
echo {name} >/etc/hostname
hostname {name}
grep -qw {name} /etc/hosts || echo {address} {name} >>/etc/hosts
ip link set eth1 address {mac}
ip address replace {address}/24 dev eth1
python3 -I -S -c '
import fcntl
with open("/dev/urandom", "wb", 0) as urandom:
    urandom.write(bytes.fromhex("{seed}"))
    fcntl.ioctl(urandom, 0x5207)
'
echo clock
read now
date -s "@$now" >/dev/null
echo settled
"""


class HostRecord(Record):
    """What is written down of a host. ``number`` is its place on the link: 1 and 2 are joined, 3 and 4, and so on."""

    name: str
    xen: str
    number: int
    ssh_port: int
    image: str
    memory_mib: int
    dom0_mib: int
    cpus: int
    accelerator: str

    @property
    def machine(self) -> Machine:
        """What QEMU makes of it."""
        return Machine(
            memory_mib=self.memory_mib, dom0_mib=self.dom0_mib, cpus=self.cpus, accelerator=self.accelerator
        )

    @property
    def address(self) -> str:
        """Its address on the link."""
        return f"10.9.0.{self.number}"


class LabHost:
    """A host that has been made; whether it runs is asked each time."""

    def __init__(self, directory: str, record: HostRecord) -> None:
        self.directory = directory
        self.record = record
        self._vm = Vm(directory)

    @property
    def name(self) -> str:
        """Its name."""
        return self.record.name

    @property
    def pid(self) -> int | None:
        """Its QEMU, if it runs."""
        return self._vm.pid()

    @property
    def is_settled(self) -> bool:
        """Whether it has been told who it is since it was started."""
        try:
            with open(os.path.join(self.directory, _SETTLED), encoding="ascii") as file:
                return file.read() == str(self.pid)
        except FileNotFoundError:
            return False

    @property
    def known_hosts(self) -> str:
        """The file that says which key it proves itself with."""
        return os.path.join(self.directory, _KNOWN_HOSTS)

    @property
    def is_whole(self) -> bool:
        """Whether it has its disk; else whoever made it was interrupted."""
        return os.path.exists(os.path.join(self.directory, DISK))

    def adopt_disk(self, path: str) -> None:
        """Make a copy of this disk its own."""
        fresh = os.path.join(self.directory, f"{DISK}.new")
        shutil.copyfile(path, fresh)
        os.rename(fresh, os.path.join(self.directory, DISK))

    def save_record(self) -> None:
        """Write down what it is, in one step."""
        path = os.path.join(self.directory, _RECORD)
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            json.dump(to_wire(self.record), file)
        os.rename(f"{path}.new", path)

    def write_ssh_files(self, keys: Keys) -> None:
        """What ssh has to know to reach it, and it alone, as the name it has here."""
        place = f"[127.0.0.1]:{self.record.ssh_port}"
        with open(self.known_hosts, "wb") as file:
            file.write(place.encode() + b" " + keys.public("host"))
        settings = {
            "HostName": "127.0.0.1",
            "Port": str(self.record.ssh_port),
            "User": "root",
            "IdentityFile": f'"{keys.path("user")}"',
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": f'"{self.known_hosts}"',
            "StrictHostKeyChecking": "yes",
            "LogLevel": "ERROR",
        }
        with open(os.path.join(self.directory, _SSH_CONFIG), "w", encoding="utf-8") as file:
            file.write(
                f"Host {self.name}\n" + "".join(f"    {key} {value}\n" for key, value in settings.items())
            )

    def start(self, image: Image, snapshot: str = READY) -> None:
        """Run it from a snapshot on its disk and return when it answers. Raises EngineError, InvalidState."""
        if self.pid is not None:
            raise InvalidState(f"{self.name} runs already")
        number = self.record.number
        wiring = Wiring(
            ssh_port=self.record.ssh_port,
            link_own=f"../link-{number}",
            link_other=f"../link-{number + 1 if number % 2 else number - 1}",
        )
        argv = qemu_argv(find_program("qemu-system-x86_64"), self.record.machine, image, wiring, snapshot)
        self._vm.start(argv)
        try:
            self.settle()
        except BaseException:
            self._vm.stop()
            raise

    def stop(self) -> None:
        """Pull the plug."""
        self._vm.stop()

    def remove(self) -> None:
        """Pull the plug and forget all of it."""
        self._vm.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def save_snapshot(self, name: str) -> None:
        """Keep its present state under a name. Raises InvalidState, EngineError."""
        if self.pid is None:
            raise InvalidState(f"{self.name} does not run", f"start it: xlpy lab up {self.name}")
        self._vm.save_snapshot(name)

    def snapshots(self) -> list[str]:
        """The names of the states that are kept on its disk."""
        from xlpy.lab.programs import run_program

        path = os.path.join(self.directory, DISK)
        info = json.loads(run_program(["qemu-img", "info", "-U", "--output=json", path]))
        return [entry["name"] for entry in info.get("snapshots", ())]

    def ssh_argv(self, words: Sequence[str] = (), options: Sequence[str] = ()) -> list[str]:
        """ssh's command line for a command there, or a login."""
        config = os.path.join(self.directory, _SSH_CONFIG)
        return [find_program("ssh"), "-F", config, *options, self.name, *words]

    def copy_guest(self, directory: str) -> None:
        """Put a guest's files from here into ``/srv/guest`` there. Raises ConfigError, EngineError."""
        require_guest(directory)
        tar = [find_program("tar"), "--sparse", "--dereference", "-C", directory, "-cf", "-", *GUEST_FILES]
        unpack = f"mkdir -p {GUEST_PLACE} && tar -xf - -C {GUEST_PLACE}"
        with subprocess.Popen(tar, stdout=subprocess.PIPE) as packing:
            done = subprocess.run(
                self.ssh_argv([unpack]),
                stdin=packing.stdout,
                capture_output=True,
                timeout=_COPY_TIMEOUT_S,
                check=False,
            )
        if done.returncode or packing.returncode:
            said = done.stderr.decode(errors="replace").strip()
            raise EngineError(f"cannot copy the guest's files to {self.name}", detail=said or None)

    @property
    def serial_log(self) -> str:
        """The file with all that Xen and dom0 said on the serial line."""
        return os.path.join(self.directory, SERIAL_LOG)

    def settle(self) -> None:
        """Make the copy of a snapshot a host of its own, with the right time. Raises EngineError."""
        script = _SETTLE.format(
            name=self.name,
            address=self.record.address,
            mac=f"52:54:00:09:00:{self.record.number:02x}",
            seed=os.urandom(64).hex(),
        )
        process = subprocess.Popen(
            self.ssh_argv(["sh", "-c", _quoted(script)]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        with process:
            assert process.stdin
            assert process.stdout
            assert process.stderr
            try:
                if self._line(process.stdout.fileno()) == b"clock":
                    process.stdin.write(b"%.2f\n" % time.time())
                    process.stdin.flush()
                    if self._line(process.stdout.fileno()) == b"settled":
                        self._note_settled()
                        return
                process.kill()
                said = process.stderr.read().decode(errors="replace").strip()
            except BaseException:
                process.kill()
                raise
        raise EngineError(
            f"{self.name} started but could not be told over SSH who it is",
            f"see {self.serial_log}",
            detail=said or None,
        )

    def _note_settled(self) -> None:
        with open(os.path.join(self.directory, _SETTLED), "w", encoding="ascii") as file:
            file.write(str(self.pid))

    def _line(self, fd: int) -> bytes:
        """A line of what ssh prints, or what there is of it within the time limit."""
        import select

        line = b""
        deadline = time.monotonic() + _SETTLE_TIMEOUT_S
        while not line.endswith(b"\n"):
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not select.select([fd], [], [], left_s)[0]:
                break
            piece = os.read(fd, 1)
            if not piece:
                break
            line += piece
        return line.strip()


def require_guest(directory: str) -> None:
    """Raises ConfigError when a guest's files are not in this directory."""
    missing = [name for name in GUEST_FILES if not os.path.isfile(os.path.join(directory, name))]
    if missing:
        raise ConfigError(
            f"{directory} is no guest's directory: it has no {', '.join(missing)}",
            "make one: script/build-guest",
        )


def read_host(directory: str) -> LabHost | None:
    """The host in this directory; None if there is none."""
    try:
        with open(os.path.join(directory, _RECORD), encoding="utf-8") as file:
            record = record_from_wire(HostRecord, json.load(file))
    except (FileNotFoundError, NotADirectoryError):
        return None
    return LabHost(directory, record)


def _quoted(text: str) -> str:
    import shlex

    return shlex.quote(text)
