"""kill -9 of xlpyd at a random moment of a domain's life and travels: afterwards there is exactly one of it, or none.

One round: create on a, migrate to b, save, restore, migrate back, destroy; meanwhile one of both xlpyds, or the client, is
killed. Then the killed one is started again, and what is there is compared with what the client was told.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from eventually import eventually
from fake_daemon import FakeDaemon
from sample_configs import tiny

from xlpy.client.host import Host, connect
from xlpy.client.migrate import migrate
from xlpy.client.restore import restore_from_file
from xlpy.client.save import save_to_file
from xlpy.errors import DomainNotFound, XlError
from xlpy.model.domain import DomainInfo

STEPS = ("create", "migrate", "save", "restore", "migrate back", "destroy")
# How many copies there may be when the client got no further than this step.
COPIES = {
    "create": {0, 1},
    "migrate": {1},
    "save": {1},
    "restore": {0, 1},
    "migrate back": {1},
    "destroy": {0, 1},
    "done": {0},
}


class KillRounds:
    """Two daemons; ``play`` is one round. ``longest_s`` is about how long a round takes undisturbed."""

    def __init__(
        self, place: Path, seed: int, longest_s: float, program: tuple[str, ...] | None = None
    ) -> None:
        self._random = random.Random(seed)
        self._longest_s = longest_s
        self._place = place
        self._daemons = {
            name: FakeDaemon(place / name, program) if program else FakeDaemon(place / name) for name in "ab"
        }
        self.reached: Counter[tuple[str, str]] = Counter()
        for daemon in self._daemons.values():
            daemon.start()

    def play(self, number: int) -> None:
        """One round. Raises AssertionError when a domain is lost, doubled, half made or left standing still."""
        name = f"d{number}"
        save_file = self._place / f"{name}.save"
        hear, tell = multiprocessing.Pipe(duplex=False)
        addresses = [daemon.address for daemon in self._daemons.values()]
        client = multiprocessing.get_context("fork").Process(
            target=travel, args=(tell, *addresses, name, str(save_file))
        )
        client.start()
        tell.close()
        victim = self._random.choice(["a", "b", "client"])
        hear.poll(60)  # the first word: it begins
        threading.Event().wait(self._random.random() * self._longest_s)
        if victim == "client":
            assert client.pid
            os.kill(client.pid, signal.SIGKILL)
        else:
            self._daemons[victim].kill()
        client.join(60)
        assert not client.is_alive(), "the client hangs"
        client.close()
        step = last_word(hear)
        self.reached[victim, step] += 1
        if victim != "client":
            self._daemons[victim].start()
        self._check(name, step, save_file, f"round {number}, {victim} killed in {step}")
        save_file.unlink(missing_ok=True)

    def _check(self, name: str, step: str, save_file: Path, where: str) -> None:
        """A killed client may have asked for one thing more: what that ends may go away while this looks."""
        allowed = COPIES[step] | ({0} if step == "save" and save_file.exists() else set())
        hosts = [connect(daemon.address) for daemon in self._daemons.values()]
        copies: list[tuple[Host, DomainInfo]] = []

        def settled() -> bool:
            copies[:] = [
                (host, info)
                for host in hosts
                for info in host.list_domains()
                if info.name in (name, f"{name}--incoming")
            ]
            return len(copies) in allowed and all(_lives(host, info, name) for host, info in copies)

        try:
            eventually(settled, timeout_s=60)
        except AssertionError:
            events = [list(host.list_events(limit=10)) for host in hosts]
            raise AssertionError(f"{where}: {allowed} copies expected, found {copies}; {events}") from None
        for host, info in copies:
            try:
                host.destroy_domain(info.domid)
            except DomainNotFound:
                assert 0 in allowed, where
        assert not list(self._place.glob(".*.part")), f"{where}: half a file"
        for host in hosts:
            host.close()

    def close(self) -> None:
        """Destroy what is left, and end both daemons.

        A create may come to its end after its client's; what is half made then goes with the next start.
        """
        names: Counter[str | None] = Counter()
        for daemon in self._daemons.values():
            daemon.kill()
            daemon.start()
            host = connect(daemon.address)
            for info in host.list_domains():
                if info.domid:
                    names[info.name] += 1
                    host.destroy_domain(info.domid)
            host.close()
            daemon.kill()
        assert all(count == 1 for count in names.values()), f"more than one of a name: {names}"


def _lives(host: Host, info: DomainInfo, name: str) -> bool:
    """Whether it goes on, and is found by its name."""
    if info.dying or not (info.running or info.blocked):
        return False
    try:
        return bool(host.find_domain(name).domid == info.domid)
    except DomainNotFound:
        return False


def last_word(hear: Connection) -> str:
    step = "create"
    try:
        while hear.poll(0):
            step = hear.recv()
    except EOFError:
        pass
    hear.close()
    return step


def travel(tell: Connection, address_a: str, address_b: str, name: str, save_file: str) -> None:
    """The client: tells each step before it takes it."""
    a, b = connect(address_a), connect(address_b)

    def step(word: str, work: Callable[[], object]) -> object:
        tell.send(word)
        return work()

    try:
        tell.send("create")
        domid = step("create", lambda: a.create_domain(tiny(name)))
        there = step("migrate", lambda: migrate(a, b, domid)[0])  # type: ignore[arg-type]
        step("save", lambda: save_to_file(b, there, save_file))  # type: ignore[arg-type]
        again = step("restore", lambda: restore_from_file(b, save_file))
        back = step("migrate back", lambda: migrate(b, a, again)[0])  # type: ignore[arg-type]
        step("destroy", lambda: a.destroy_domain(back))  # type: ignore[arg-type]
        tell.send("done")
    except XlError:
        pass  # as the last word says
    os._exit(0)


def measure(place: Path, program: tuple[str, ...] | None = None) -> float:
    """How long a round takes when nobody is killed."""
    rounds = KillRounds(place, 0, 0, program)
    begin = time.monotonic()
    hear, tell = multiprocessing.Pipe(duplex=False)
    addresses = [daemon.address for daemon in rounds._daemons.values()]
    client = multiprocessing.get_context("fork").Process(
        target=travel, args=(tell, *addresses, "measured", str(place / "measured.save"))
    )
    client.start()
    client.join(120)
    took = time.monotonic() - begin
    tell.close()
    word = last_word(hear)
    rounds.close()
    assert word == "done", f"an undisturbed round ended in {word}"
    return took
