"""Migration, save and restore between hosts behind real sshds, by the command line; the hosts have nothing installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from live_guest import PROJECT
from ssh_hosts import SshLab

pytestmark = pytest.mark.qemu

if os.getuid() != 0:
    pytest.skip("only root can give each host its own /srv for disks", allow_module_level=True)

DISK_MIB = 8


class Desk:
    """An administrator's machine, from where two hosts are seen."""

    def __init__(self, lab: SshLab) -> None:
        self.lab = lab
        lab.add(2)
        self._environ = {**lab.environ, "PYTHONPATH": str(PROJECT)}
        for host in lab.hosts:
            (host.root / "srv" / "disks").mkdir()
        self.image(0).write_bytes(os.urandom(1 << 20))
        os.truncate(self.image(0), DISK_MIB << 20)

    def image(self, which: int) -> Path:
        """The domain's disk, /srv/disks/web.img on its host, seen from here."""
        return self.lab.hosts[which].root / "srv" / "disks" / "web.img"

    def xlpy(self, *words: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "xlpy", *words]
        return subprocess.run(
            argv, env=self._environ, capture_output=True, text=True, timeout=120, check=False
        )

    def well(self, *words: str) -> str:
        done = self.xlpy(*words)
        assert done.returncode == 0, f"xlpy {' '.join(words)}: {done.stderr}"
        return done.stdout

    def create(self) -> None:
        config = self.lab.directory / "web.cfg"
        config.write_text(
            'name = "web"\ntype = "hvm"\nmemory = 32\nvnc = 0\non_crash = "preserve"\ndisk = ["/srv/disks/web.img,raw,xvda,rw"]\n'
        )
        self.well("-H", "host1", "create", str(config))

    def where(self) -> list[str]:
        """The hosts that have the domain."""
        names = self.well("-H", "host1,host2", "list", "--columns", "host,name", "--no-headers")
        return [line.split()[0] for line in names.splitlines() if line.split()[1].startswith("web")]

    def close(self) -> None:
        for name in self.where():
            self.xlpy("-H", name, "destroy", "web")
        self.xlpy("broker", "stop")


@pytest.fixture
def desk(ssh_lab: SshLab) -> Iterator[Desk]:
    desk = Desk(ssh_lab)
    desk.create()
    yield desk
    desk.close()


def test_disks_go_along(desk: Desk) -> None:
    """There is no shared storage: without them it is refused, with them it moves, and back."""
    refused = desk.xlpy("-H", "host1", "migrate", "web", "host2")
    assert refused.returncode == 1
    assert "at host2: disk xvda: no such file: /srv/disks/web.img" in refused.stderr
    desk.well("-H", "host1", "migrate", "--with-disks", "web", "host2")
    assert desk.where() == ["host2"]
    assert desk.image(0).read_bytes() == desk.image(1).read_bytes()
    assert desk.image(1).stat().st_blocks * 512 < DISK_MIB << 20, "what is empty was not sent"
    again = desk.xlpy("-H", "host2", "migrate", "--with-disks", "web", "host1")
    assert "/srv/disks/web.img exists already, and is not overwritten" in again.stderr
    desk.image(0).unlink()
    desk.well("-H", "host2", "migrate", "--with-disks", "web", "host1")
    assert desk.where() == ["host1"]


def test_from_host_to_host(desk: Desk) -> None:
    shutil.copy(desk.image(0), desk.image(1))
    refused = desk.xlpy("-H", "host1", "migrate", "--direct", "web", "host2")
    assert refused.returncode == 1
    assert (
        "the domain runs on at host1: ssh on the source's host says: Host key verification failed"
        in refused.stderr
    )
    one, other = desk.lab.hosts
    shutil.copy(desk.lab.known_hosts, one.home / ".ssh" / "known_hosts")
    refused = desk.xlpy("-H", "host1", "migrate", "--direct", "web", "host2")
    assert "Permission denied" in refused.stderr
    shutil.copy(desk.lab.identity, one.home / ".ssh" / "id_ed25519")
    desk.well("-H", "host1", "migrate", "--direct", "web", "host2")
    assert desk.where() == ["host2"]
    assert not list((other.run_dir / "meetings").iterdir())
    shutil.copy(desk.lab.known_hosts, other.home / ".ssh" / "known_hosts")
    shutil.copy(desk.lab.identity, other.home / ".ssh" / "id_ed25519")
    desk.well("-H", "host2", "migrate", "-s", f"ssh -p {one.port} -o BatchMode=yes", "web", "host1")
    assert desk.where() == ["host1"]
    command = f"ssh -p {other.port} root@{other.address}"
    desk.well("-H", "host1", "migrate", "-s", "", "--target", "host2", "web", command)
    assert desk.where() == ["host2"]


def test_a_file_on_the_desk(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "web.save"
    desk.well("-H", "host1", "save", "web", str(file))
    assert desk.where() == []
    shutil.copy(desk.image(0), desk.image(1))
    desk.well("-H", "host2", "restore", str(file))
    assert desk.where() == ["host2"]
    said = desk.xlpy("-v", "-H", "host2", "save", "-c", "web", str(tmp_path / "again")).stderr
    assert "MiB of memory and devices are in" in said
    desk.well("-H", "host2", "destroy", "web")
    desk.well("-H", "host1", "restore", str(tmp_path / "again"))
    assert desk.where() == ["host1"]
