"""All hosts of the lab."""

from __future__ import annotations

import os
import re
import socket

from xlpy.errors import EngineError, InvalidState, UsageError
from xlpy.lab.accelerator import choose_accelerator, is_accelerator_chosen, remember_no_kvm
from xlpy.lab.enrol import Roll
from xlpy.lab.host import HostRecord, LabHost, read_host, require_guest
from xlpy.lab.image import Image, ensure_image, remove_unused_images
from xlpy.lab.keys import Keys
from xlpy.lab.machine import READY, Machine
from xlpy.lab.memory import require_memory
from xlpy.lab.places import Places, locked
from xlpy.lab.programs import TO_RUN, require_programs
from xlpy.lab.ready import ensure_ready
from xlpy.lab.recipe import DEFAULT_XEN, find_release
from xlpy.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    Say = Callable[[str], None]

FIRST_NAME = "lab1"
MEMORY_MIB = 1536
DOM0_MIB = 640
_MOST_HOSTS = 98
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_NUMBERED = re.compile(r"lab([1-9][0-9]?)")


class Wish(Record):
    """What hosts shall be like, as far as somebody has a wish.

    Else they have Xen 4.17, 1.5 GiB, and one processor or two, as this machine can spare. ``guest`` is a directory
    with a guest's kernel, initrd and disk.
    """

    xen: str | None = None
    memory_mib: int | None = None
    cpus: int | None = None
    guest: str | None = None


class Lab:
    """The hosts of this user."""

    def __init__(self, places: Places, say: Say) -> None:
        self._places = places
        self._say = say
        self._keys = Keys(os.path.join(places.cache, "keys"))
        self._roll = Roll(places.inventory, self._keys.path("user"))

    @property
    def identity_file(self) -> str:
        """The private key that opens the hosts."""
        return self._keys.path("user")

    def hosts(self) -> list[LabHost]:
        """All hosts that have been made, by number."""
        try:
            names = os.listdir(self._places.hosts)
        except FileNotFoundError:
            return []
        found = [read_host(self._places.host(name)) for name in names]
        return sorted((host for host in found if host is not None), key=lambda host: host.record.number)

    def host(self, name: str) -> LabHost:
        """The host of this name. Raises InvalidState."""
        host = read_host(self._places.host(name)) if _NAME.fullmatch(name) else None
        if host is None:
            made = ", ".join(host.name for host in self.hosts())
            raise InvalidState(
                f"the lab has no host {name!r}", f"there are {made}" if made else "make one: xlpy lab up"
            )
        return host

    def up(self, name: str, wish: Wish) -> LabHost:
        """A running host of this name, made if there is none. Raises UsageError, MissingProgram, EngineError."""
        if not _NAME.fullmatch(name):
            raise UsageError(f"{name!r} is no name for a host", "small letters, digits and dashes, e.g. lab1")
        require_programs(TO_RUN)
        if wish.guest is not None:
            require_guest(wish.guest)
        os.makedirs(self._places.cache, mode=0o700, exist_ok=True)
        with self._changing(name):
            self._roll.require_free(name)
            host = self._running(name, wish)
            self._roll.enter(host)
        return host

    def _running(self, name: str, wish: Wish) -> LabHost:
        host = read_host(self._places.host(name))
        if host is None or not host.is_whole:
            return self._make(name, wish)
        _refuse_changes(host.record, wish)
        if host.pid is None:
            host = self._start_again(host)
        elif not host.is_settled:
            host.settle()  # whoever started it was killed
        if wish.guest is not None:
            host.copy_guest(wish.guest)
        return host

    def down(self, name: str) -> None:
        """End the host and forget it, with its snapshots. Raises InvalidState, EngineError."""
        with self._changing(name):
            try:
                self.host(name).remove()
            finally:
                self._roll.strike(name)

    def save_snapshot(self, name: str, snapshot: str) -> None:
        """Keep the host's present state. Raises InvalidState, EngineError."""
        if not _NAME.fullmatch(snapshot):
            raise UsageError(f"{snapshot!r} is no name for a snapshot", "small letters, digits and dashes")
        with self._changing(name):
            self.host(name).save_snapshot(snapshot)

    def reset(self, name: str, snapshot: str = READY) -> None:
        """Put the host back into a state that was kept, in a few seconds. Raises InvalidState, EngineError."""
        with self._changing(name):
            host = self.host(name)
            kept = host.snapshots()
            if snapshot not in kept:
                raise InvalidState(f"{name} has no snapshot {snapshot!r}", f"there are {', '.join(kept)}")
            host.stop()
            host.start(self._image_of(host), snapshot)

    def _changing(self, name: str) -> AbstractContextManager[None]:
        """One change of a host at a time."""
        return locked(os.path.join(self._places.hosts, f".{name}.lock"))

    def _make(self, name: str, wish: Wish) -> LabHost:
        memory_mib = wish.memory_mib or MEMORY_MIB
        require_memory(memory_mib)
        self._keys.ensure()
        image = ensure_image(self._places.cache, find_release(wish.xen or DEFAULT_XEN), self._keys, self._say)
        machine = Machine(
            memory_mib=memory_mib,
            dom0_mib=DOM0_MIB,
            cpus=wish.cpus or min(2, max(1, (os.cpu_count() or 1) // 2)),
            accelerator=choose_accelerator(self._places.cache),
        )
        machine, ready = self._ready(image, machine)
        host = self._reserve(name, image, machine)
        try:
            host.write_ssh_files(self._keys)
            host.adopt_disk(ready)
            host.start(image)
            if wish.guest is not None:
                self._say(f"copying the guest's files to {name}")
                host.copy_guest(wish.guest)
                host.save_snapshot(READY)
        except BaseException:
            host.remove()
            raise
        remove_unused_images(self._places.cache, image.release)
        return host

    def _ready(self, image: Image, machine: Machine) -> tuple[Machine, str]:
        """The machine on which Xen boots, and the disk of a host that has booted there."""
        try:
            return machine, ensure_ready(image, machine, self._say)
        except EngineError:
            if machine.accelerator != "kvm" or is_accelerator_chosen():
                raise
        self._say("Xen does not run under KVM here, where other guests do; QEMU translates it instead")
        remember_no_kvm(self._places.cache)
        machine = machine.replace(accelerator="tcg")
        return machine, ensure_ready(image, machine, self._say)

    def _start_again(self, host: LabHost) -> LabHost:
        """Start a host that is down, on another port if somebody has taken its own meanwhile."""
        require_memory(host.record.memory_mib)
        if not _is_free(host.record.ssh_port):
            host = LabHost(host.directory, host.record.replace(ssh_port=_free_port()))
            host.save_record()
            host.write_ssh_files(self._keys)
        host.start(self._image_of(host))
        return host

    def _reserve(self, name: str, image: Image, machine: Machine) -> LabHost:
        """A directory, a number and a port for a new host."""
        with locked(os.path.join(self._places.hosts, ".numbers.lock")):
            taken = {host.record.number for host in self.hosts()}
            record = HostRecord(
                name=name,
                xen=image.release.xen,
                number=_number(name, taken),
                ssh_port=_free_port(),
                image=image.directory,
                **machine.__dict__,
            )
            host = LabHost(self._places.host(name), record)
            os.makedirs(host.directory, mode=0o700, exist_ok=True)
            host.save_record()
            image.note_use(host.directory)
        return host

    def _image_of(self, host: LabHost) -> Image:
        return Image(host.record.image, find_release(host.record.xen))


def _number(name: str, taken: set[int]) -> int:
    """labN gets N, so that lab1 and lab2 are joined; others the lowest that is free."""
    match = _NUMBERED.fullmatch(name)
    if match and int(match[1]) not in taken:
        return int(match[1])
    free = [number for number in range(1, _MOST_HOSTS + 1) if number not in taken]
    if not free:
        raise InvalidState("the lab is full", "end hosts: xlpy lab down NAME")
    return free[0]


def _refuse_changes(record: HostRecord, wish: Wish) -> None:
    """A host that is there stays as it is. Raises InvalidState."""
    for what, wanted, present in (
        ("Xen", wish.xen, record.xen),
        ("MiB of memory", wish.memory_mib, record.memory_mib),
        ("processors", wish.cpus, record.cpus),
    ):
        if wanted is not None and wanted != present:
            text = f"Xen {present}" if what == "Xen" else f"{present} {what}"
            raise InvalidState(
                f"{record.name} is there already, with {text}", f"first: xlpy lab down {record.name}"
            )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _is_free(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False
