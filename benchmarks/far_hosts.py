"""Hosts behind SSH: a real sshd for each of them, its own user, keys, /run and /var/lib, all on this machine."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

from ssh_hosts import IS_ROOT, SshHost, SshLab

from benchmarks.measure import MeasurementFailed, run, wait_until
from benchmarks.xlpy_host import install

AT_ONCE = 50
_PID = "from xlpy.client.broker import broker_status; print(broker_status().pid)"
_STOP = "from xlpy.client.broker import stop_broker; stop_broker(force=True)"


class FarHosts:
    """So many hosts, and a client that knows them all. End it with ``close``."""

    def __init__(self, scratch: Path, count: int) -> None:
        if not IS_ROOT:
            raise MeasurementFailed("hosts of one machine each need namespaces, and those need root")
        self.bin = install(scratch)
        self.lab = SshLab(scratch / "lab")
        self.env = {**self.lab.environ, "PYTHONPATH": str(scratch / "site")}
        self._masters: list[subprocess.Popen[bytes]] = []
        try:
            while len(self.hosts) < count:  # not all at once: two cores start them
                self.lab.add(min(20, count - len(self.hosts)))
        except BaseException:
            self.close()
            raise

    @property
    def hosts(self) -> list[SshHost]:
        """All of them, by number."""
        return self.lab.hosts

    def add(self) -> SshHost:
        """One host more."""
        return self.lab.add()[0]

    def remove(self, host: SshHost) -> None:
        """End a host and forget it."""
        host.stop()
        self.hosts.remove(host)
        shutil.rmtree(host.directory)
        self.lab.write_client()

    # -- our side

    def command(self, *words: str) -> list[str]:
        """An xlpy command line of this client."""
        return [str(self.bin / "xlpy"), *words]

    def xlpy(self, *words: str, timeout_s: float = 120) -> tuple[float, str]:
        """Run xlpy; milliseconds and what it printed. Raises MeasurementFailed when it fails."""
        return run(self.command(*words), timeout_s, self.env)

    def list_all(self) -> float:
        """One list of all hosts; milliseconds."""
        took_ms, text = self.xlpy("-H", "all", "list", "-o", "plain")
        rows = text.count("Domain-0")
        if rows != len(self.hosts):
            raise MeasurementFailed(f"{rows} of {len(self.hosts)} hosts are in the list")
        return took_ms

    def stop_broker(self) -> None:
        """Let the next command begin without a connection."""
        run([sys.executable, "-c", _STOP], env=self.env)
        wait_until(lambda: not Path(self.env["XLPY_BROKER"]).exists(), "the broker's end")

    def set_sockets(self, sockets: dict[str, str]) -> None:
        """Let the inventory say where some hosts' xlpyd listens, and nothing of the others'."""
        self.lab.write_client()
        lines = self.lab.inventory.read_text()
        for name, path in sockets.items():
            lines = lines.replace(f"  {name}: {{", f"  {name}: {{socket: {path}, ")
        self.lab.inventory.write_text(lines)

    def broker_pid(self) -> int:
        """The broker's process."""
        return int(run([sys.executable, "-c", _PID], env=self.env)[1])

    def local_socket(self, host: SshHost) -> str:
        """The socket of a host's xlpyd as this machine sees it."""
        return f"{host.run_dir}/xlpy.sock"

    # -- OpenSSH's side

    @property
    def _ssh(self) -> list[str]:
        return ["ssh", "-F", str(self.lab.ssh_config), "-o", f"ControlPath={self.lab.directory}/cm-%n"]

    def start_masters(self) -> None:
        """A ControlMaster for every host."""
        for host in self.hosts:
            command = [*self._ssh, "-N", "-o", "ControlMaster=yes", host.name]
            self._masters.append(subprocess.Popen(command, stdin=subprocess.DEVNULL))
        for host in self.hosts:
            wait_until((self.lab.directory / f"cm-{host.name}").exists, f"master of {host.name}", 120)

    def ssh_all(self, command: str) -> float:
        """The command on all hosts over their masters, 50 at a time; milliseconds."""
        names = "\n".join(host.name for host in self.hosts)
        each = ["xargs", "-P", str(AT_ONCE), "-I{}", *self._ssh, "{}", command]
        began = time.perf_counter()
        done = subprocess.run(each, input=names, text=True, stdout=subprocess.PIPE, timeout=300, check=False)
        took_ms = (time.perf_counter() - began) * 1000
        if done.returncode:
            raise MeasurementFailed(f"ssh over the masters: exit {done.returncode}")
        return took_ms

    def ssh(self, host: SshHost, command: str) -> list[str]:
        """A command line that runs something on a host."""
        return [*self._ssh, host.name, command]

    def paramiko(self, command: str, *hosts: SshHost) -> float:
        """A new connection to each host and one command on it, by bare paramiko in 50 threads; milliseconds."""
        words = [sys.executable, str(Path(__file__).with_name("bare_paramiko.py"))]
        words += [str(self.lab.identity), str(AT_ONCE), command]
        return run([*words, *(f"{host.user}@{host.address}:{host.port}" for host in hosts)])[0]

    def stop_masters(self) -> None:
        """End OpenSSH's connections."""
        masters, self._masters = self._masters, []
        for master in masters:
            master.terminate()
        for master in masters:
            master.wait()

    def close(self) -> None:
        """End everything: what runs on the hosts ends with them."""
        self.stop_masters()
        try:
            if Path(self.env["XLPY_BROKER"]).exists():
                self.stop_broker()
        finally:
            self.lab.close()
