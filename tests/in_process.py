"""The agent and its clients in one process, joined by socket pairs: no daemon, no files but the database."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

from xlpy.agent.channel import PeerChannel
from xlpy.agent.serve import Service
from xlpy.agent.session import Session
from xlpy.agent.supervisor import Supervisor
from xlpy.client.host import Host
from xlpy.engine.base import Engine
from xlpy.errors import ConnectError
from xlpy.transport.unix import UnixChannel

_hosts_by_address: dict[str, InProcessHost] = {}


class InProcessHost:
    """An agent over ``engine``. ``connect`` gives a Host; ``close`` ends everything and waits for it.

    Several of them find each other by their addresses, as xlpyds do when one asks another about a migration.
    """

    def __init__(self, engine: Engine, state_dir: Path, address: str = "unix:///test/a") -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        self.engine = engine
        self.address = address
        self.supervisor = Supervisor(engine, str(state_dir), ask=ask_by_address)
        self.supervisor.take_up()
        self._threads: list[threading.Thread] = []
        self._hosts: list[Host] = []
        self._channels: list[PeerChannel] = []
        _hosts_by_address[address] = self

    def connect(self) -> Host:
        """A new client."""
        host = Host(self.open_channel, self.address)
        self._hosts.append(host)
        return host

    def open_channel(self) -> UnixChannel:
        """The client's end of a new connection."""
        near, far = socket.socketpair()
        thread = threading.Thread(target=self._serve, args=(far,), name="agent", daemon=True)
        self._threads.append(thread)
        thread.start()
        return UnixChannel(near, f"xlpyd at {self.address}")

    def hang_up(self) -> None:
        """Break all connections, as a killed daemon does."""
        for channel in self._channels:
            channel.hang_up()
        self._channels.clear()

    def close(self) -> None:
        """Hang up every client, let the agent's threads end, close the engine."""
        _hosts_by_address.pop(self.address, None)
        for host in self._hosts:
            host.close()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive(), "an agent's thread doesn't end with its client"
        self.supervisor.close()

    def _serve(self, connected: socket.socket) -> None:
        channel = PeerChannel(connected)
        self._channels.append(channel)
        session = Session(self.supervisor, os.getuid(), channel.fileno())
        try:
            Service(channel, session).run()
        except OSError:
            pass  # the client hung up in the middle
        finally:
            session.settle()
            if channel in self._channels:
                self._channels.remove(channel)
            channel.close()


def ask_by_address(address: str, transfer_id: str) -> str:
    """How an agent in this process asks another one."""
    peer = _hosts_by_address.get(address)
    if peer is None:
        raise ConnectError(f"{address} does not answer")
    return peer.supervisor.restored_outcome(transfer_id)
