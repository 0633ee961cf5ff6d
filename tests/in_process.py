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
from xlpy.model.migration import Peer
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
        self._killed = False
        self._threads: list[threading.Thread] = []
        self._hosts: list[Host] = []
        self._channels: list[PeerChannel] = []
        _hosts_by_address[address] = self

    def connect(self) -> Host:
        """A new client."""
        host = Host(lambda: open_by_address(self.address), self.address)
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
        broken, self._channels = self._channels, []
        for channel in broken:
            channel.hang_up()

    def kill(self) -> None:
        """End as a killed daemon does: nothing is settled any more. Its clients find the next one at its address."""
        self._killed = True
        _hosts_by_address.pop(self.address, None)
        self.hang_up()
        self._end()

    def close(self) -> None:
        """Hang up every client, let the agent's threads end, close the engine."""
        self.close_clients()
        _hosts_by_address.pop(self.address, None)
        self._end()

    def close_clients(self) -> None:
        """Hang up on behalf of every client."""
        for host in self._hosts:
            host.close()

    def _end(self) -> None:
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive(), "an agent's thread doesn't end with its client"
        self.supervisor.close()

    def _serve(self, connected: socket.socket) -> None:
        channel = PeerChannel(connected)
        self._channels.append(channel)
        session = Session(self.supervisor, os.getuid(), channel.fileno())
        try:
            Service(channel, session, self.supervisor.instance).run()
        except OSError:
            pass  # the client hung up in the middle
        finally:
            if not self._killed:
                session.settle()
            if channel in self._channels:
                self._channels.remove(channel)
            channel.close()


def open_by_address(address: str) -> UnixChannel:
    """How a client in this process connects."""
    agent = _hosts_by_address.get(address)
    if agent is None:
        raise ConnectError(f"no xlpyd at {address}")
    return agent.open_channel()


def ask_by_address(asked: Peer, transfer_id: str) -> str:
    """How an agent in this process asks another one."""
    peer = _hosts_by_address.get(asked.address or "")
    if peer is None or peer.supervisor.instance != asked.instance:
        raise ConnectError(f"{asked.name} does not answer")
    return peer.supervisor.restored_outcome(transfer_id)
