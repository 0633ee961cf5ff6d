"""A home directory with an .ssh of its own, for one test."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ssh_hosts import SshHost, SshLab

from xlpy.inventory.entry import HostEntry
from xlpy.transport.ssh import Client


class SshHome:
    """What a user's ~/.ssh says. It knows the hosts of ``lab`` and has its key, until a test changes that."""

    def __init__(self, directory: Path, lab: SshLab) -> None:
        self.home = directory
        self.ssh = directory / ".ssh"
        self.ssh.mkdir(parents=True)
        self.known_hosts = self.ssh / "known_hosts"
        self.key = self.ssh / "id_ed25519"
        self.agent_socket: str | None = None
        shutil.copy(lab.identity, self.key)
        shutil.copy(f"{lab.identity}.pub", f"{self.key}.pub")
        self.known_hosts.write_text(lab.known_hosts.read_text())
        self._hosts = "".join(
            f"Host {host.name}\n HostName {host.address}\n Port {host.port}\n User {host.user}\n"
            for host in lab.hosts
        )
        self.write("")

    def write(self, first: str, last: str = "") -> None:
        """Write the config: ``first``, the hosts of the lab, ``last``."""
        usual = f"Host *\n GlobalKnownHostsFile /dev/null\n{last}\n HashKnownHosts no\n"
        (self.ssh / "config").write_text(f"{first}\n{self._hosts}{usual}")

    def without_key(self) -> None:
        """Have none."""
        self.key.unlink()
        Path(f"{self.key}.pub").unlink()

    @property
    def client(self) -> Client:
        """Who connects."""
        return Client(str(self.home), self.agent_socket)

    @contextmanager
    def agent(self, *keys: Path) -> Iterator[None]:
        """An ssh-agent that holds these keys."""
        path = self.home / "agent"
        process = subprocess.Popen(
            ["ssh-agent", "-D", "-a", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert process.stdout is not None
        process.stdout.readline()  # it listens now
        try:
            environ = {**os.environ, "SSH_AUTH_SOCK": str(path)}
            if keys:
                subprocess.run(
                    ["ssh-add", "-q", *keys], env=environ, check=True, timeout=60, stdin=subprocess.DEVNULL
                )
            self.agent_socket = str(path)
            yield
        finally:
            self.agent_socket = None
            process.terminate()
            process.communicate(timeout=30)


def entry(host: SshHost | str, **more: object) -> HostEntry:
    """The inventory's entry of a host that is all in ~/.ssh/config."""
    name = host if isinstance(host, str) else host.name
    return HostEntry(name=name, address=name, **more)  # type: ignore[arg-type]
