"""A host with something of everything, and all that a command line could have changed there."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from pathlib import Path
from uuid import NAMESPACE_DNS, uuid5

import pytest
from command_line import Call, Result
from fake_engine import FakeEngine
from fake_guest import FakeGuest

from xlpy.client.host import Host
from xlpy.lab.host import HostRecord
from xlpy.lab.places import Places
from xlpy.model.codec import to_wire
from xlpy.model.device import UsbctrlInfo, UsbPort, VdisplInfo, VkbInfo, VtpmInfo
from xlpy.model.device_config import PciConfig, VsndConfig
from xlpy.model.host import Cpupool
from xlpy.model.hypervisor import PsrHardware, PsrMonitoring
from xlpy.model.record import Record
from xlpy.model.sound import VsndInfo

CONFIG = 'name = "{name}"\nuuid = "{uuid}"\ntype = "pvh"\nmemory = 32\nvcpus = 2\nkernel = "{directory}/disk.img"\n'
EDITOR = "#!/bin/sh\nsed -i 's/memory = .*/memory = 40/' \"$1\"\n"


class World:
    """A host with something of everything, and ``state()``: all that a command could have changed."""

    def __init__(self, call: Call, fake: FakeEngine, host: Host, directory: Path) -> None:
        self.call = call
        self.fake = fake
        self.host = host
        self.directory = directory
        self._files()
        self._domains()
        self._devices()
        self._hypervisor()

    def words(self, line: str) -> list[str]:
        return [word.replace("{dir}", str(self.directory)) for word in line.split()]

    def run(self, line: str, *more: str) -> Result:
        return self.call(*self.words(line), *more)

    def state(self) -> object:
        return [frozen(self.fake), self._known(), self._tree()]

    def _known(self) -> object:
        definitions = self.host.list_definitions()
        versions = [self.host.definition_versions(defined.name) for defined in definitions]
        return frozen([definitions, versions, self.host.list_events()])

    def _tree(self) -> dict[str, tuple[int, int, str]]:
        """The files, but those of the agent's own record."""
        paths = [path for path in self.directory.rglob("*") if "state" not in path.parts and path.is_file()]
        return {
            str(path): (
                path.stat().st_mode,
                path.stat().st_mtime_ns,
                hashlib.sha256(path.read_bytes()).hexdigest(),
            )
            for path in paths
        }

    def _files(self) -> None:
        for name in ("web", "sleepy", "new", "kept", "old", "incredit", "inrt"):
            text = CONFIG.format(name=name, uuid=uuid5(NAMESPACE_DNS, name), directory=self.directory)
            if name == "web":
                text += f'disk = ["{self.directory}/disk.img,raw,xvda,w", ",raw,xvdc,cdrom"]\nvif = ["bridge=br0"]\n'
            (self.directory / f"{name}.cfg").write_text(text)
        (self.directory / "ugly.cfg").write_text('memory=32;name="ugly"')
        (self.directory / "disk.img").write_bytes(bytes(4096))
        (self.directory / "pool.cfg").write_text('name = "more"\nsched = "credit2"\ncpus = ["5"]\n')
        (self.directory / "hosts.yaml").write_text("hosts:\n  h1: {address: h1.example.org}\n")
        editor = self.directory / "editor"
        editor.write_text(EDITOR)
        editor.chmod(0o755)

    def _domains(self) -> None:
        fake = self.fake
        fake.host = fake.host.replace(max_cpu_id=5, nr_cpus=6)
        fake.topology = tuple(fake.topology[0].replace(cpu=cpu) for cpu in range(6))
        for name in ("old", "web", "sleepy", "incredit", "inrt"):
            assert self.run(f"create {{dir}}/{name}.cfg").status == 0
        assert self.run("save old {dir}/old.save").status == 0
        assert self.run("pause sleepy").status == 0
        assert self.run("define {dir}/kept.cfg").status == 0
        assert self.run("define {dir}/kept.cfg memory=33").status == 0
        assert self.run("autostart kept").status == 0
        self.web = self.host.find_domain("web").domid

    def _devices(self) -> None:
        domid = self.web
        self.fake.assignable = [PciConfig(bus=1), PciConfig(bus=2)]
        for device in (
            PciConfig(bus=2),
            UsbctrlInfo(
                devid=0,
                type="pv",
                version=2,
                ports=(UsbPort(port=1, hostbus=1, hostaddr=18), UsbPort(port=2)),
            ),
            VtpmInfo(devid=0, uuid="12345678-1234-1234-1234-000000000000"),
            VkbInfo(devid=0),
            VdisplInfo(devid=0),
            VsndInfo(devid=0, card=VsndConfig()),
        ):
            self.fake.plugged.setdefault((type(device).__name__, domid), []).append(device)

    def _hypervisor(self) -> None:
        fake = self.fake
        fake.ring = "(XEN) hello\n"
        fake.flask = False
        fake.pools = (
            Cpupool(poolid=0, name="Pool-0", scheduler="credit2", domain_count=1, cpus=(0, 1)),
            Cpupool(poolid=1, name="spare", scheduler="credit2", domain_count=0, cpus=(2,)),
            Cpupool(poolid=2, name="pool-c", scheduler="credit", domain_count=0, cpus=(3,)),
            Cpupool(poolid=3, name="pool-r", scheduler="rtds", domain_count=0, cpus=(4,)),
        )
        for name, poolid, scheduler in (("incredit", 2, "credit"), ("inrt", 3, "rtds")):
            guest = fake.guests[self.host.find_domain(name).domid]
            guest.info = guest.info.replace(cpupool=poolid)
            guest.sched = guest.sched.replace(scheduler=scheduler)
        fake.psr = (
            PsrHardware(feature="l3", socket=0, cos_max=15, cbm_length=11, cache_kib=25344),
            PsrHardware(feature="mba", socket=0, cos_max=7, thrtl_max=90, linear=True),
        )
        sleepy = self.host.find_domain("sleepy").domid
        fake.suspended.add(sleepy)
        fake.monitoring = PsrMonitoring(
            enabled=True, kinds=("cache-occupancy",), sockets=(0,), domids=(sleepy,)
        )


@pytest.fixture
def world(call: Call, fake: FakeEngine, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XLPY_INVENTORY", str(tmp_path / "hosts.yaml"))
    monkeypatch.setenv("EDITOR", str(tmp_path / "editor"))
    monkeypatch.delenv("VISUAL", raising=False)
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    return World(call, fake, host, tmp_path)


def frozen(value: object) -> object:
    """A value that later changes of this one leave as it is, and that can be compared."""
    if isinstance(value, (Record, FakeGuest, FakeEngine)):
        return type(value).__name__, {
            name: frozen(each)
            for name, each in vars(value).items()
            if not isinstance(each, (type(threading.Lock()), type(threading.RLock()), threading.Event, Path))
            and not callable(each)
        }
    if isinstance(value, dict):
        return {key: frozen(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [frozen(each) for each in (sorted(value) if isinstance(value, (set, frozenset)) else value)]
    return bytes(value) if isinstance(value, bytearray) else value


def make_lab_host() -> None:
    """Have a host of the lab called lab1, which doesn't run."""
    place = Path(Places(os.environ).host("lab1"))
    place.mkdir(parents=True)
    record = HostRecord(
        name="lab1", xen="4.17", number=1, ssh_port=2222, image="x", memory_mib=1536, dom0_mib=512, cpus=1,
        accelerator="tcg",
    )  # fmt: skip
    (place / "host.json").write_text(json.dumps(to_wire(record)))
