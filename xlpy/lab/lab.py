"""All hosts of the lab."""

from __future__ import annotations

import os
import re
import shutil
import socket

from xlpy.errors import InvalidState, UsageError
from xlpy.lab.accelerator import choose_accelerator
from xlpy.lab.host import HostRecord, LabHost, read_host
from xlpy.lab.image import Image, ensure_image
from xlpy.lab.keys import Keys
from xlpy.lab.machine import DISK, READY, Machine
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
    """What hosts shall be like.

    ``cpus`` None is as many as this machine can spare, one or two; ``guest`` is a directory with a guest's kernel,
    initrd and disk.
    """

    xen: str = DEFAULT_XEN
    memory_mib: int = MEMORY_MIB
    cpus: int | None = None
    guest: str | None = None


class Lab:
    """The hosts of this user."""

    def __init__(self, places: Places, say: Say) -> None:
        self._places = places
        self._say = say
        self._keys = Keys(os.path.join(places.cache, "keys"))

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
        os.makedirs(self._places.cache, mode=0o700, exist_ok=True)
        with self._changing(name):
            host = read_host(self._places.host(name))
            if host is None:
                return self._make(name, wish)
            if host.record.xen != wish.xen:
                raise InvalidState(
                    f"{name} is there already, with Xen {host.record.xen}", f"first: xlpy lab down {name}"
                )
            if host.pid is None:
                host.start(self._image_of(host))
            return host

    def down(self, name: str) -> None:
        """End the host and forget it, with its snapshots. Raises InvalidState, EngineError."""
        with self._changing(name):
            self.host(name).remove()

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
        release = find_release(wish.xen)
        self._keys.ensure()
        image = ensure_image(self._places.cache, release, self._keys, self._say)
        machine = Machine(
            memory_mib=wish.memory_mib,
            dom0_mib=DOM0_MIB,
            cpus=wish.cpus or min(2, max(1, (os.cpu_count() or 1) // 2)),
            accelerator=choose_accelerator(self._places.cache),
        )
        ready = ensure_ready(image, machine, self._say)
        host = self._reserve(name, image, machine)
        try:
            shutil.copyfile(ready, os.path.join(host.directory, DISK))
            host.write_ssh_files(self._keys)
            host.start(image)
            if wish.guest is not None:
                self._say(f"copying the guest's files to {name}")
                host.copy_guest(wish.guest)
                host.save_snapshot(READY)
        except BaseException:
            host.remove()
            raise
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


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
