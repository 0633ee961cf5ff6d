"""A real xlpyd over the fake engine, reached as one on another machine is: through both relays, and the shipped code."""

from __future__ import annotations

import socket
from pathlib import Path

from fake_daemon import FakeDaemon
from subprocess_link import SubprocessLink, private_environment

from xlpy.client.host import Host
from xlpy.protocol.introduction import Introduction
from xlpy.transport.boot_line import introduce, remote_command
from xlpy.transport.near_relay import NearRelay
from xlpy.transport.unix import UnixChannel


class Box:
    """A "machine" below ``directory``; its agent is a process of its own, started as sshd would."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.daemon = FakeDaemon(directory / "run")
        self.links: list[SubprocessLink] = []
        self.relays: list[NearRelay] = []
        self.hosts: list[Host] = []
        self.introduction: Introduction | None = None

    def log_in(self) -> NearRelay:
        """Start an agent there and a relay to it; xlpyd is found or started."""
        link = SubprocessLink(f"exec {remote_command()}", private_environment(self.directory))
        self.links.append(link)
        self.introduction = introduce(link, socket=str(self.daemon.socket))
        relay = NearRelay(link)
        self.relays.append(relay)
        relay.start()
        return relay

    def connect(self) -> Host:
        """A client by way of the latest relay."""
        host = Host(self.open_channel, f"box://{self.directory}")
        self.hosts.append(host)
        return host

    def open_channel(self) -> UnixChannel:
        """A new connection by way of the latest relay."""
        client, carried = socket.socketpair()
        try:
            self.relays[-1].attach(carried)
        except BaseException:
            client.close()
            raise
        return UnixChannel(client, "xlpyd on box")

    def close(self) -> None:
        """End everything."""
        for host in self.hosts:
            host.close()
        for relay in self.relays:
            relay.close()
        for link in self.links:
            link.dispose()
        lock = self.daemon.run_dir / "xlpyd.lock"
        if not self.daemon.pid and lock.exists():
            self.daemon.pid = int(lock.read_text() or "0")
        self.daemon.stop()
