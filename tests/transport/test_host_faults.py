"""Hosts of which each has something wrong with it, in one command: a whole one's answer is there, and every other's reason."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fake_daemon import FakeDaemon
from half_answer import HalfAnswer
from source_tree import ROOT
from ssh_hosts import IS_ROOT, SshHost, SshLab

pytestmark = pytest.mark.skipif(not IS_ROOT, reason="machines of their own need root")


class Scene:
    """Hosts that use one xlpyd, unless something is wrong with them; ``tell`` writes the inventory."""

    def __init__(self, lab: SshLab, directory: Path) -> None:
        self.lab = lab
        self.daemon = FakeDaemon(directory / "xlpyd")
        self.daemon.start()
        self._lines: dict[str, str] = {}
        self._half: list[HalfAnswer] = []

    def add(self, name: str, fault: Callable[[Scene, SshHost], str]) -> None:
        """One host more, with its fault, which returns more settings for the inventory."""
        (host,) = self.lab.add()
        settings = [f"address: {host.name}"]
        more = fault(self, host)
        if "user:" not in more:
            settings.append("user: root")
        if "socket:" not in more and fault is not full_disk:
            settings.append(f"socket: {self.daemon.socket}")
        self._lines[name] = ", ".join([*settings, *filter(None, [more])])

    def half_answer(self, host: SshHost) -> str:
        self._half.append(HalfAnswer(host.run_dir / "half.sock"))
        return "socket: /run/xlpy/half.sock"

    def list(self, *words: str) -> subprocess.CompletedProcess[str]:
        """``xlpy list`` of them all."""
        hosts = "\n".join(f"  {name}: {{{settings}}}" for name, settings in self._lines.items())
        self.lab.inventory.write_text(f"version: 1\nhosts:\n{hosts}\n")
        return subprocess.run(
            [sys.executable, "-m", "xlpy", "-H", "all", *words, "list", "-o", "csv", "--columns", "name"],
            cwd=ROOT,
            env=self.lab.environ,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def close(self) -> None:
        stopping = "from xlpy.client.broker import stop_broker; stop_broker(force=True)"
        subprocess.run([sys.executable, "-c", stopping], cwd=ROOT, env=self.lab.environ, check=True)
        for half in self._half:
            half.close()
        self.daemon.stop()


@pytest.fixture
def scene(ssh_lab: SshLab, tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(ssh_lab, tmp_path)
    yield scene
    scene.close()


def whole(scene: Scene, host: SshHost) -> str:
    return ""


def refusing(scene: Scene, host: SshHost) -> str:
    host.stop()
    return ""


def hanging(scene: Scene, host: SshHost) -> str:
    host.pause()
    return ""


def dying(scene: Scene, host: SshHost) -> str:
    return scene.half_answer(host)


def noisy(scene: Scene, host: SshHost) -> str:
    (host.home / ".bashrc").write_text("for i in $(seq 3000); do echo noise $i; echo noise $i >&2; done\n")
    return ""


def slow_login(scene: Scene, host: SshHost) -> str:
    (host.home / ".bashrc").write_text("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done\n")
    return ""


def c_shell(scene: Scene, host: SshHost) -> str:
    passwd = host.root / "etc" / "passwd"
    shell = shutil.which("tcsh") or shutil.which("csh") or "/bin/bash"
    passwd.write_text(passwd.read_text().replace("/srv/root:/bin/bash", f"/srv/root:{shell}"))
    return ""


def no_python(scene: Scene, host: SshHost) -> str:
    return "python: /usr/bin/python3.0"


def old_python(scene: Scene, host: SshHost) -> str:
    program = host.home / "python3.4"
    program.write_text("#!/bin/sh\nprintf 'Python 3.4' >&2\nexit 98\n")
    program.chmod(0o755)
    return "python: /srv/root/python3.4"


def no_sudo(scene: Scene, host: SshHost) -> str:
    return "user: admin, sudo: true"


def full_disk(scene: Scene, host: SshHost) -> str:
    inside = ["nsenter", "--mount", "--target", str(host.sshd_pid)]
    subprocess.run([*inside, "mount", "-t", "tmpfs", "-o", "size=16k", "none", "/run"], check=True)
    subprocess.run([*inside, "mkdir", "/run/sshd"], check=True)
    return ""


FAULTS = {
    "refusing": (refusing, "refused"),
    "hanging": (hanging, "no answer within 10 s"),
    "dying": (dying, "the connection broke while list domains was running"),
    "no-python": (no_python, "there is no /usr/bin/python3.0"),
    "old-python": (old_python, "its Python is too old"),
    "no-sudo": (no_sudo, "sudo"),
    "full-disk": (full_disk, "No space left on device"),
}
ODD = {"noisy": noisy, "slow-login": slow_login, "c-shell": c_shell}


@pytest.mark.parametrize("broker", [True, False])
def test_every_fault_has_its_sentence_and_costs_nobody_else_a_row(scene: Scene, broker: bool) -> None:
    scene.add("first", whole)
    for name, (fault, _) in FAULTS.items():
        scene.add(name, fault)
    for name, oddity in ODD.items():
        scene.add(name, oddity)
    scene.add("last", whole)
    result = scene.list("--timeout", "10", *([] if broker else ["--no-broker"]))
    rows = [line.split(",")[0] for line in result.stdout.splitlines()[1:]]
    assert rows == ["first", *ODD, "last"], result.stderr
    said = [line for line in result.stderr.splitlines() if line.startswith("xlpy: ")]
    assert len(said) == len(FAULTS), result.stderr
    for line, (name, (_, reason)) in zip(said, FAULTS.items(), strict=True):
        assert line.startswith(f"xlpy: {name}: "), result.stderr
        assert reason in result.stderr[result.stderr.index(line) :], line
    assert result.returncode == 4
