"""Many hosts in one process: an xlpyd over the fake engine for each, all real but for sharing an interpreter.

    python host_farm.py DIRECTORY COUNT DOMAINS

serves h0, h1 ... at DIRECTORY/hN/xlpy.sock until its standard input ends.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from fake_engine import FakeEngine

from xlpy.agent.daemon import Daemon
from xlpy.agent.listener import listen, make_private_dir
from xlpy.agent.supervisor import Supervisor
from xlpy.model.domain import DomainInfo
from xlpy.model.domain_config import DomainBuildInfo, DomainConfig, DomainCreateInfo


class HostFarm:
    """The process, as a context manager; ``addresses`` has one for each host."""

    def __init__(self, directory: Path, count: int, domains: int = 1) -> None:
        self._arguments = [sys.executable, __file__, str(directory), str(count), str(domains)]
        self.addresses = [f"unix://{directory}/h{number}/xlpy.sock" for number in range(count)]

    def __enter__(self) -> HostFarm:
        self._process = subprocess.Popen(self._arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=60)


class FarmHost:
    """One xlpyd of this process: ``engine`` is for tests to look at and to change, ``address`` to connect to."""

    def __init__(self, directory: Path, hostname: str, names: tuple[str, ...] = ()) -> None:
        make_private_dir(str(directory))
        self.engine = FakeEngine()
        self.engine.host = self.engine.host.replace(host=hostname)
        self.names = {name: add_domain(self.engine, name) for name in names}
        self.address = f"unix://{directory}/xlpy.sock"
        (directory / "state").mkdir(mode=0o700)
        self._supervisor = Supervisor(self.engine, str(directory / "state"))
        self._supervisor.take_up()
        self._listener = listen(f"{directory}/xlpy.sock")
        self._daemon = Daemon(self._listener, self._supervisor)
        self._thread = threading.Thread(target=self._daemon.run, name=hostname)
        self._thread.start()

    def close(self) -> None:
        """Hang up its clients and end."""
        self._daemon.stop()
        self._thread.join(60)
        assert not self._thread.is_alive()
        self._listener.close()
        self._daemon.close()
        self._supervisor.close()


def add_domain(engine: FakeEngine, name: str) -> int:
    """Have a running domain of this name; its domid is returned."""
    domid = max(engine.guests) + 1
    uuid = f"{abs(hash((id(engine), name))) & 0xFFFFFFFF:08x}-0000-4000-8000-{domid:012x}"
    info = DomainInfo(
        domid=domid,
        uuid=uuid,
        name=name,
        running=True,
        current_memory_kib=(64 + domid) << 10,
        max_memory_kib=(64 + domid) << 10,
        vcpu_online=1,
        start_time_s=engine.now() - 60,
    )
    engine.add(
        info,
        DomainConfig(
            c_info=DomainCreateInfo(name=name, uuid=uuid),
            b_info=DomainBuildInfo(max_memkb=info.max_memory_kib, target_memkb=info.max_memory_kib),
        ),
    )
    return domid


def main() -> None:
    """Serve until standard input ends."""
    directory, count, domains = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    hosts = [
        FarmHost(directory / f"h{number}", f"h{number}", tuple(f"vm{number}-{i}" for i in range(domains)))
        for number in range(count)
    ]
    print("ready", flush=True)
    sys.stdin.read()
    for host in hosts:
        host.close()


if __name__ == "__main__":
    main()
