"""Building an image: once for all who ask, and whole or not at all. In mmdebstrap's place stands a quick program."""

from __future__ import annotations

import gzip
import io
import os
import signal
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from eventually import eventually
from kernel_images import KERNEL, bz_image

from xlpy.errors import EngineError
from xlpy.lab.image import ensure_image
from xlpy.lab.keys import Keys
from xlpy.lab.recipe import find_release

RELEASE = find_release("4.17")
ASK = """
import sys
from xlpy.lab.image import ensure_image
from xlpy.lab.keys import Keys
from xlpy.lab.recipe import find_release
keys = Keys(sys.argv[1] + "/keys")
keys.ensure()
print(ensure_image(sys.argv[1], find_release("4.17"), keys, lambda text: None).directory)
"""


class Builder:
    """A program called mmdebstrap that notes each call, then waits until it may go on."""

    def __init__(self, directory: Path) -> None:
        self.calls = directory / "calls"
        self.gate = directory / "gate"
        self._boot = directory / "boot.tar"
        self._write_boot_files()
        programs = directory / "bin"
        programs.mkdir()
        os.mkfifo(self.gate)
        self.write(programs, f'echo $$ >>{self.calls}\nread -r go <{self.gate}\n[ "$go" = go ] || exit 25\n')
        self.path = f"{programs}:{os.environ['PATH']}"

    def write(self, programs: Path, before: str) -> None:
        script = programs / "mmdebstrap"
        script.write_text(
            f"#!/bin/sh\nset -e\ntest -s overlay.tar\n{before}cp {self._boot} boot.tar\necho disk >disk.qcow2\n"
        )
        script.chmod(script.stat().st_mode | stat.S_IXUSR)

    def open_gate(self, word: str = "go") -> None:
        """Let the program that waits go on."""
        with self.gate.open("w") as gate:
            gate.write(f"{word}\n")

    def pids(self) -> list[int]:
        """Who was called so far."""
        return [int(line) for line in self.calls.read_text().split()] if self.calls.exists() else []

    def _write_boot_files(self) -> None:
        files = {"xen.gz": gzip.compress(b"hypervisor"), "vmlinuz": bz_image(KERNEL), "initrd.img": b"initrd"}
        with tarfile.open(self._boot, "w") as archive:
            for name, content in files.items():
                entry = tarfile.TarInfo(f"lab/{name}")
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))


@pytest.fixture
def builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Builder:
    builder = Builder(tmp_path)
    monkeypatch.setenv("PATH", builder.path)
    return builder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    cache = tmp_path / "cache"
    cache.mkdir()
    return cache


def ask(cache: Path) -> subprocess.Popen[str]:
    """Another process that wants the image."""
    return subprocess.Popen([sys.executable, "-c", ASK, str(cache)], stdout=subprocess.PIPE, text=True)


def test_all_who_ask_at_once_get_the_one_that_is_built(builder: Builder, cache: Path) -> None:
    askers = [ask(cache) for _ in range(3)]
    eventually(builder.pids)
    builder.open_gate()
    answers = {asker.communicate(timeout=30)[0].strip() for asker in askers}
    assert len(builder.pids()) == 1
    (answer,) = answers
    image = Path(answer)
    assert (image / "xen").read_bytes() == b"hypervisor"
    assert (image / "vmlinux").read_bytes() == KERNEL
    assert sorted(path.name for path in image.iterdir()) == ["disk.qcow2", "initrd.img", "vmlinux", "xen"]


def test_whoever_is_killed_leaves_nothing_that_could_be_taken_for_an_image(
    builder: Builder, cache: Path
) -> None:
    first = ask(cache)
    eventually(builder.pids)
    first.kill()
    first.communicate()
    second = ask(cache)
    eventually(lambda: len(builder.pids()) == 2)
    os.kill(builder.pids()[0], signal.SIGKILL)
    builder.open_gate()
    image = second.communicate(timeout=30)[0].strip()
    assert second.returncode == 0
    directories = [path for path in cache.iterdir() if path.is_dir()]
    assert sorted(path.name for path in directories) == sorted([Path(image).name, "keys"])


def test_an_interrupted_build_ends_its_program(builder: Builder, cache: Path) -> None:
    asker = ask(cache)
    eventually(builder.pids)
    (pid,) = builder.pids()
    pidfd = os.pidfd_open(pid)
    asker.send_signal(signal.SIGINT)
    asker.communicate(timeout=30)
    assert asker.returncode != 0
    os.set_blocking(pidfd, False)
    with pytest.raises(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, 0)
    os.close(pidfd)
    assert [path.name for path in cache.iterdir() if path.is_dir()] == ["keys"]


def test_a_failure_says_what_the_program_said(builder: Builder, cache: Path) -> None:
    keys = Keys(str(cache / "keys"))
    keys.ensure()
    builder.write(Path(builder.path.split(":")[0]), "echo 'E: no such mirror' >&2\nexit 25\n")
    with pytest.raises(EngineError, match=r"cannot build a host with Xen 4\.17: mmdebstrap failed") as caught:
        ensure_image(str(cache), RELEASE, keys, lambda text: None)
    assert caught.value.detail == "E: no such mirror"
    assert [path.name for path in cache.iterdir() if path.is_dir()] == ["keys"]
