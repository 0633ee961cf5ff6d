"""Many bytes from host to host through the client's broker, against two ssh with a pipe between them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.far_hosts import FarHosts
from benchmarks.measure import MeasurementFailed, Series, alternate, run, stop, wait_until
from benchmarks.scene import Scene

SPEED_BYTES = 512 << 20
MEMORY_BYTES = 4 << 30
WARM_UP_BYTES = 256 << 20
MOST_GROWTH_MIB = 8.0
_SOCKET = "/run/xlpy-relay/peer.sock"  # on the hosts
_HERE = Path(__file__).parent


class Relay:
    """Two hosts with a ``relay_peer`` on each."""

    def __init__(self, far: FarHosts) -> None:
        self.far = far
        self.source, self.target = far.hosts[:2]
        self._peers = []
        for host in (self.source, self.target):
            path = host.root / _SOCKET.removeprefix("/")
            path.unlink(missing_ok=True)
            self._peers.append(subprocess.Popen([sys.executable, _HERE / "relay_peer.py", path]))
            wait_until(path.exists, "relay_peer listens")

    def pass_on(self, count: int) -> tuple[float, float]:
        """Let so many bytes flow; milliseconds, and the most memory that the client had, in MiB."""
        command = [sys.executable, str(_HERE / "relay_client.py"), self.source.name, self.target.name]
        took_ms, said = run([*command, _SOCKET, str(count)], 600, self.far.env)
        return took_ms, int(said) / 1024

    def ssh(self, count: int) -> float:
        """The same bytes by ``ssh … | ssh …``; milliseconds."""
        ssh = ["ssh", "-F", str(self.far.lab.ssh_config)]
        began = time.perf_counter()
        with subprocess.Popen(
            [*ssh, self.source.name, f"head -c {count} /dev/zero"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        ) as source:
            target = subprocess.run(
                [*ssh, self.target.name, "cat | wc -c"], stdin=source.stdout, capture_output=True, text=True
            )
        if target.stdout.strip() != str(count):
            raise MeasurementFailed(f"ssh | ssh: {target.stdout} of {count} bytes: {target.stderr}")
        return (time.perf_counter() - began) * 1000

    def agents(self) -> list[int]:
        """The far relays on both hosts: the processes below their sshd that are Python."""
        found = []
        for host in (self.source, self.target):
            for pid in host.connections():
                children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
                found += [int(child) for child in children if _is_python(int(child))]
        return found

    def close(self) -> None:
        """End the peers."""
        for peer in self._peers:
            stop(peer)


def speed(scene: Scene) -> None:
    """Bytes from host to host through the broker, against ssh piped to ssh."""
    relay = Relay(scene.far)
    try:
        relay.pass_on(1 << 20)
        ours, theirs = alternate(
            min(scene.rounds, 5), lambda: relay.pass_on(SPEED_BYTES)[0], lambda: relay.ssh(SPEED_BYTES)
        )
    finally:
        relay.close()
    # at least 0.7 of the speed is at most 1/0.7 of the time
    scene.report.compare(f"{SPEED_BYTES >> 20} MiB from host to host", ours, "ssh | ssh", theirs, 1 / 0.7)


def memory(scene: Scene) -> None:
    """What the client, the broker and the agents grow by while 4 GiB pass."""
    far = scene.far
    relay = Relay(far)
    try:
        client_before = relay.pass_on(WARM_UP_BYTES)[1]
        watched = {"broker": far.broker_pid(), **{f"agent {pid}": pid for pid in relay.agents()}}
        before = {name: _most_resident_mib(pid) for name, pid in watched.items()}
        client_after = relay.pass_on(MEMORY_BYTES)[1]
        growth = {name: _most_resident_mib(pid) - before[name] for name, pid in watched.items()}
    finally:
        relay.close()
    growth["client"] = client_after - client_before
    for name, mib in growth.items():
        at_most = Series([mib], "MiB")
        scene.report.bound(f"growth of the {name.split()[0]} while 4 GiB pass", at_most, MOST_GROWTH_MIB)


def _is_python(pid: int) -> bool:
    return "python" in os.readlink(f"/proc/{pid}/exe")


def _most_resident_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise MeasurementFailed(f"process {pid} is gone")
