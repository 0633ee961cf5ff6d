"""kill -9 of xlpyd at a random moment of create, save, restore, migrate or destroy on real Xen hosts.

One round does one of these with the one domain there is, kills the xlpyd of one of the hosts meanwhile, and looks at
all hosts: one copy runs, or there is the file and none, or none after a create or destroy; nothing is half made, and
xlpy lists what xl lists.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from collections import Counter

from eventually import eventually
from xen_hosts import XenHost
from xen_rounds import PLACE, install

NAME = "web"
CONFIG_FILE = "/var/tmp/web.cfg"
STATE_FILE = "/var/tmp/web.save"
CONFIG = f"""\
name = "{NAME}"
type = "pvh"
kernel = "/srv/guest/vmlinuz"
ramdisk = "/srv/guest/initrd.img"
extra = "console=hvc0 quiet"
memory = 96
vif = ["bridge=xenbr0"]
"""
CLIENT_TIMEOUT_S = 600.0
SETTLED_WITHIN_S = 180.0
UP_WITHIN_S = 300.0
# A guest that says so has the drivers that help with a save.
READY = f'test "$(xenstore-read /local/domain/$(xl domid {NAME})/control/feature-suspend)" = 1'
# What is left of a domain beside what xl lists, by the number of each domain that there is, one kind a line.
TRACES = r"""
xl list | sed 1d | while read -r name id rest; do echo "domain $id $name"; done
xenstore-list /local/domain | sed 's/^/xenstore /'
xenstore-list /libxl | sed 's/^/libxl /'
ls /sys/class/net | sed -n 's/^vif\([0-9]*\)\..*/vif \1/p'
ls /var/lib/xen | sed -n 's/^userdata-[dn]\.\([0-9]*\)\..*/userdata \1/p' | sort -u
ps -eo args= | sed -n 's/.*libxl-save-hel[p]er.*/helper -/p'
ls -A /var/tmp | sed -n 's/.*\.part$/part -/p'
"""
KINDS = ("xenstore", "libxl", "vif", "userdata", "helper", "part")
# How many copies there may be after each, whether or not it was done; a save that is done leaves the file alone.
COPIES = {"create": {0, 1}, "save": {0, 1}, "restore": {0, 1}, "migrate": {1}, "destroy": {0, 1}}


class XenKillRounds:
    """One domain on one host or two; ``play`` is one round. ``environ`` is what xlpy on this side knows the hosts by."""

    def __init__(self, hosts: list[XenHost], environ: dict[str, str], seed: int) -> None:
        self._hosts = {host.name: host for host in hosts}
        self._environ = environ
        self._random = random.Random(seed)
        self._longest_s: dict[str, float] = {}
        self._up = False  # once it is, it stays so wherever it goes, and says so no more
        self.reached: Counter[str] = Counter()
        for host in hosts:
            install(host)
            host.put(CONFIG_FILE, CONFIG)
            self._xlpy(host.name, "list")

    def play(self, number: int) -> str:
        """One round; what it was. Raises AssertionError when a domain is lost, doubled, half made or wrongly listed."""
        operation, source = self._next()
        if operation not in self._longest_s:
            self._longest_s[operation] = self._undisturbed(operation, source)
            operation, source = self._next()
        longest_s = self._longest_s.get(operation) or max(self._longest_s.values())
        victim = self._random.choice(list(self._hosts)) if operation == "migrate" else source
        moment_s = self._random.random() * longest_s
        client = self._begin(operation, source)
        threading.Event().wait(moment_s)
        self._hosts[victim].sh("kill -9 $(cat /run/xlpy/xlpyd.lock)")
        said = client.communicate(timeout=CLIENT_TIMEOUT_S)[1].strip()
        done = "done" if client.returncode == 0 else "not done"
        where = (
            f"round {number}: {operation} from {source}, xlpyd of {victim} killed after {moment_s:.1f} s;"
            f" {done}: {said!r}"
        )
        self._settle(where)
        self._check(operation, source, where)
        self.reached[f"{operation} {done}"] += 1
        return where

    # -- what is done

    def _next(self) -> tuple[str, str]:
        """An operation that is possible now, and the host it begins at."""
        for name, host in self._hosts.items():
            if NAME in {domain for _, domain in self._domains(name)}:
                self._wait_until_up(host)
                return self._random.choice(
                    ["save", "migrate", "migrate", "destroy"] if len(self._hosts) > 1 else ["save", "destroy"]
                ), name
        for name, host in self._hosts.items():
            if not self._status(host, f"test -e {STATE_FILE}"):
                return "restore", name
        return "create", self._random.choice(list(self._hosts))

    def _wait_until_up(self, host: XenHost) -> None:
        if not self._up:
            eventually(lambda: not self._status(host, READY), timeout_s=UP_WITHIN_S)
            self._up = True

    def _undisturbed(self, operation: str, source: str) -> float:
        began = time.monotonic()
        client = self._begin(operation, source)
        said = client.communicate(timeout=CLIENT_TIMEOUT_S)[1]
        assert client.returncode == 0, f"{operation} undisturbed: {said}"
        took_s = time.monotonic() - began
        self._check(operation, source, f"{operation} undisturbed")
        return took_s

    def _begin(self, operation: str, source: str) -> subprocess.Popen[str]:
        """The command, in dom0 itself; a migration is led from here."""
        self._up = self._up and operation not in ("create", "destroy")
        if operation == "migrate":
            return self._far("-H", source, "migrate", NAME, self._other(source))
        words = {
            "create": ("create", CONFIG_FILE),
            "save": ("save", NAME, STATE_FILE),
            "restore": ("restore", STATE_FILE),
            "destroy": ("destroy", NAME),
        }[operation]
        argv = self._hosts[source].argv("env", f"PYTHONPATH={PLACE}", "python3", "-m", "xlpy", *words)
        return self._popen(argv)

    def _far(self, *words: str) -> subprocess.Popen[str]:
        return self._popen([sys.executable, "-m", "xlpy", *words])

    def _popen(self, argv: list[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            argv,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _other(self, name: str) -> str:
        return next(other for other in self._hosts if other != name)

    # -- what is there

    def _settle(self, where: str) -> None:
        """As a user does whose migration was cut off."""
        for name in self._hosts:
            self._xlpy(name, "list")  # which starts xlpyd where it is dead
        if len(self._hosts) == 1:
            return
        option = self._random.choice(["--resume", "--abort"])
        said = ""

        def settled() -> bool:
            nonlocal said
            for name in self._hosts:
                rows = json.loads(self._xlpy(name, "migrate", "--list", "-o", "json"))["rows"]
                if any(row["state"] == "sent" for row in rows):
                    said = self._far("-H", name, "migrate", option, NAME, self._other(name)).communicate(
                        timeout=CLIENT_TIMEOUT_S
                    )[1]
                    return False
            return True

        try:
            eventually(settled, timeout_s=SETTLED_WITHIN_S)
        except AssertionError:
            raise AssertionError(f"{where}: {option} does not settle it: {said}") from None

    def _check(self, operation: str, source: str, where: str) -> None:
        """What there is is whole, runs, and is listed."""
        kept = not self._status(self._hosts[source], f"test -e {STATE_FILE}")
        allowed = {1} if operation == "save" and not kept else COPIES[operation]
        found: list[str] = []

        def whole() -> bool:
            found[:] = [fault for name in self._hosts for fault in self._faults(name)]
            copies = sum(len(self._domains(name)) for name in self._hosts)
            if copies not in allowed:
                found.append(f"{copies} copies, not {allowed}")
            return not found

        try:
            eventually(whole, timeout_s=SETTLED_WITHIN_S)
        except AssertionError:
            events = {name: self._xlpy(name, "events")[-1500:] for name in self._hosts}
            raise AssertionError(f"{where}: {found}; {events}") from None
        if kept and any(self._domains(name) for name in self._hosts):
            self._hosts[source].sh(f"rm -f {STATE_FILE}")

    def _faults(self, name: str) -> list[str]:
        """What is wrong with this host."""
        lines = [line.split() for line in self._hosts[name].sh(TRACES).splitlines()]
        domains = {words[1]: words[2] for words in lines if words[0] == "domain"}
        faults = [" ".join(words) for words in lines if words[0] in KINDS and words[1] not in domains]
        faults += [
            f"{domain} is half made" for domain in domains.values() if domain not in ("Domain-0", NAME)
        ]
        rows = json.loads(self._xlpy(name, "list", "-o", "json"))["rows"]
        listed = {str(row["domid"]): row["name"] for row in rows}
        if listed != domains:
            faults.append(f"xlpy lists {listed}, xl {domains}")
        faults += [
            f"{row['name']} stands still" for row in rows if row["state"] in ("paused", "shutdown", "dying")
        ]
        return [f"{name}: {fault}" for fault in faults]

    def _domains(self, name: str) -> list[tuple[str, str]]:
        """The domains that xl lists, but dom0: domid and name."""
        lines = self._hosts[name].sh("xl list").splitlines()[2:]
        return [(line.split()[1], line.split()[0]) for line in lines]

    def _xlpy(self, name: str, *words: str) -> str:
        """What xlpy in that dom0 prints."""
        argv = ("env", f"PYTHONPATH={PLACE}", "python3", "-m", "xlpy", *words)
        return self._hosts[name].run(*argv, timeout_s=CLIENT_TIMEOUT_S).stdout

    def _status(self, host: XenHost, script: str) -> int:
        return host.run("sh", "-c", f"{script} 2>/dev/null", check=False).returncode
