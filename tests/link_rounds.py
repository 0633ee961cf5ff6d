"""Rounds of a migration whose link is cut at a random moment: to the source or to the target, by the death of sshd's
connection or by the cable. Afterwards ``--resume`` or ``--abort`` settles it, and exactly one copy runs.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eventually import eventually
from live_guest import guest_directory
from ssh_hosts import SshHost, SshLab, ssh_hosts

from xlpy.client.host import Host, connect
from xlpy.errors import XlError

PROJECT = Path(__file__).resolve().parent.parent
# both ends notice a cable that was pulled within seconds, not minutes
ALIVE_CLIENT = "Host *\n  ServerAliveInterval 1\n  ServerAliveCountMax 3\n"
ALIVE_HOST = "ClientAliveInterval 1\nClientAliveCountMax 3"
CLIENT_TIMEOUT_S = 120
WATCH_INTERVAL_S = 0.02
DISK = "/srv/disks/web.img"


class LinkRounds:
    """Two hosts with QEMU, and a domain that goes from one to the other; ``play`` is one round.

    ``with_disks`` gives it a disk that is copied along each time, under one path on both hosts; that takes root.
    """

    def __init__(self, lab: SshLab, seed: int, with_disks: bool = False) -> None:
        self._lab = lab
        self._with_disks = with_disks
        self._random = random.Random(seed)
        self._environ = {**lab.environ, "PYTHONPATH": str(PROJECT)}
        lab.add(2, extra=ALIVE_HOST + "\nSetEnv XLPY_ACCEL=tcg" * (os.getuid() != 0))
        lab.ssh_config.write_text(lab.ssh_config.read_text() + ALIVE_CLIENT)
        for host in lab.hosts:  # for --direct
            shutil.copy(lab.identity, host.home / ".ssh" / "id_ed25519")
            shutil.copy(lab.known_hosts, host.home / ".ssh" / "known_hosts")
        self.hosts = {host.name: host for host in lab.hosts}
        self.reached: Counter[str] = Counter()
        config = lab.directory / "web.cfg"
        files = guest_directory()
        config.write_text(
            f'name = "web"\ntype = "pvh"\nmemory = 128\n'
            f'kernel = "{files}/vmlinuz"\nramdisk = "{files}/initrd.img"\n'
        )
        if with_disks:
            self._make_disk(config)
        self.call("-H", "host1", "create", str(config))
        self.call("-H", "host2", "list")
        self.inside = {name: connect(f"unix://{host.run_dir}/xlpy.sock") for name, host in self.hosts.items()}
        self.longest_s = self._measure()

    def play(self, number: int) -> None:
        """One round. Raises AssertionError when the domain is lost, doubled or left standing still."""
        source, target = self._where()
        victim = self.hosts[self._random.choice([source, target])]
        way = self._random.choice(["connection", "cable"] if self._lab.network else ["connection"])
        moment_s = self._random.random() * self.longest_s
        how_sent = ["--with-disks"] if self._with_disks else self._random.choice([[], ["--direct"]])
        if self._with_disks:
            self._image(target).unlink(missing_ok=True)  # what is left of the round before
        what = f"round {number}: {' '.join(how_sent)} {way} of the {'source' if victim.name == source else 'target'} cut at {moment_s:.2f} s"
        with self._at_most_one(source, target, what):
            client = self._begin("-H", source, "migrate", *how_sent, "web", target)
            threading.Event().wait(moment_s)
            cut(victim, way)
            if way == "cable":
                threading.Event().wait(self._random.random() * 6)  # longer or shorter than it takes to notice
                victim.restore()
            said = client.communicate(timeout=CLIENT_TIMEOUT_S)[1].strip()
            how = self._settle(source, target, what)
        self.reached[f"{way}, {'source' if victim.name == source else 'target'}: {how}"] += 1
        where = f"{what}; the client said {client.returncode} {said!r}; {how}"
        self._check(where)
        if self._with_disks:
            self._check_disks(source, target, where)

    def _check_disks(self, source: str, target: str, where: str) -> None:
        """What runs has its disk, and of a copy that came to nothing nothing is left."""
        runner, _ = self._where()
        assert self._image(runner).exists(), f"{where}: the domain has lost its disk"
        if runner == source:
            try:  # the target may still have to notice that nobody is there any more
                eventually(lambda: not self._image(target).exists(), timeout_s=60)
            except AssertionError:
                raise AssertionError(f"{where}: half a disk is left at the target") from None
        else:
            same = self._image(source).read_bytes() == self._image(target).read_bytes()
            assert same, f"{where}: the disks differ"

    def _make_disk(self, config: Path) -> None:
        for name in self.hosts:
            self._image(name).parent.mkdir()
        self._image("host1").write_bytes(os.urandom(8 << 20))
        with config.open("a") as file:
            file.write(f'disk = ["{DISK},raw,xvda,rw"]\n')

    def _image(self, name: str) -> Path:
        """The disk on this host, seen from here."""
        return self.hosts[name].root / DISK.lstrip("/")

    def _settle(self, source: str, target: str, what: str) -> str:
        """As a user does whose migration was cut off; what it took."""
        if (
            self._running()
            and not self.inside[source].list_transfers()
            and not self.inside[target].list_transfers()
        ):
            return "settled by itself"
        option = self._random.choice(["--resume", "--abort"])

        def settled() -> bool:
            transfers = self.inside[source].list_transfers()
            if not any(transfer.state == "sent" for transfer in transfers):
                return True
            self.last = self._try("-H", source, "migrate", option, "web", target)
            return not self.inside[source].list_transfers()

        self.last = ""
        try:
            eventually(settled, timeout_s=60)
        except AssertionError:
            raise AssertionError(f"{what}: {option} does not settle it: {self.last}") from None
        return option

    def _check(self, where: str) -> None:
        """Exactly one copy runs, and the other host has nothing left of it."""

        def one() -> bool:
            left = [name for name in self.inside if self._copies(name)]
            return len(left) == 1 and left == self._running()

        try:
            eventually(one, timeout_s=60)
        except AssertionError:
            copies = {name: self._copies(name) for name in self.inside}
            events = {name: host.list_events()[-8:] for name, host in self.inside.items()}
            raise AssertionError(f"{where}: {copies}; {events}") from None

    def _copies(self, name: str) -> list[tuple[str | None, bool]]:
        """Every copy at this host by its name there, and whether it runs."""
        return [
            (info.name, info.running or info.blocked)
            for info in self.inside[name].list_domains()
            if info.domid
        ]

    def _running(self) -> list[str]:
        return [name for name in self.inside if any(runs for _, runs in self._copies(name))]

    def _where(self) -> tuple[str, str]:
        """The host that has it, and the other one."""
        (source,) = self._running()
        return source, "host2" if source == "host1" else "host1"

    @contextmanager
    def _at_most_one(self, source: str, target: str, what: str) -> Iterator[None]:
        """Watch both hosts meanwhile. The target is looked at first: what runs there must not run at the source after."""
        both: list[str] = []
        over = threading.Event()
        eyes = {name: connect(f"unix://{self.hosts[name].run_dir}/xlpy.sock") for name in (target, source)}

        def runs(host: Host) -> bool:
            try:
                return any(info.domid and (info.running or info.blocked) for info in host.list_domains())
            except XlError:
                return False

        def watch() -> None:
            while not over.wait(WATCH_INTERVAL_S):
                if all(runs(host) for host in eyes.values()):
                    both.append(what)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()
            for host in eyes.values():
                host.close()
        assert not both, f"{what}: two copies ran at once"

    # -- the client

    def call(self, *words: str) -> str:
        """What a command of xlpy says that has to succeed."""
        client = self._begin(*words)
        out, said = client.communicate(timeout=CLIENT_TIMEOUT_S)
        assert client.returncode == 0, f"xlpy {' '.join(words)}: {said}"
        return out

    def _try(self, *words: str) -> str:
        return self._begin(*words).communicate(timeout=CLIENT_TIMEOUT_S)[1]

    def _begin(self, *words: str) -> subprocess.Popen[str]:
        argv = [sys.executable, "-m", "xlpy", *words]
        return subprocess.Popen(
            argv, env=self._environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def _measure(self) -> float:
        """How long a migration takes when nothing is cut."""
        begin = time.monotonic()
        options = ["--with-disks"] if self._with_disks else []
        self.call("-H", "host1", "migrate", *options, "web", "host2")
        return time.monotonic() - begin

    def close(self) -> None:
        """End the broker, the xlpyds and the domain."""
        for host in self.inside.values():
            for info in host.list_domains():
                if info.domid:
                    host.destroy_domain(info.domid)
            host.close()
        self._try("broker", "stop")


def cut(host: SshHost, way: str) -> None:
    """Break the connections to this host."""
    if way == "cable":
        host.cut()
    else:
        host.drop_connections()


@contextmanager
def link_rounds(place: Path, seed: int, network: bool, with_disks: bool = False) -> Iterator[LinkRounds]:
    """Rounds between two hosts that live as long as the block runs; ``network`` has cables to be cut (as root)."""
    with ssh_hosts(place, 0, network=network) as lab:
        rounds = LinkRounds(lab, seed, with_disks)
        try:
            yield rounds
        finally:
            rounds.close()
