"""What script/build-guest writes: archives, module tables, partition tables, and the guest's own commands."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from guestbuild.cpio import Archive
from guestbuild.disk import BOOT_SIZE, BOOT_START, DATA_START, SECTOR, master_boot_record, partition_entry
from guestbuild.initramfs import ROOT
from guestbuild.modules import ModuleTree, alias_table, dependency_table
from guestbuild.packages import BuildError, run

SCRIPTS = sorted(
    path for path in ROOT.rglob("*") if path.is_file() and path.read_bytes().startswith(b"#!/bin/sh")
)


def archive_of_everything() -> bytes:
    file = io.BytesIO()
    archive = Archive(file)
    archive.directory("dev")
    archive.character_device("dev/console", 5, 1)
    archive.regular_file("init", b"#!/bin/sh\n", 0o100755)
    archive.symlink("sh", "init")
    archive.close()
    return file.getvalue()


def entries(archive: bytes) -> dict[str, tuple[int, bytes, tuple[int, int]]]:
    """Name: mode, content, device; as the kernel would read it."""
    found = {}
    place = 0
    while True:
        assert archive[place : place + 6] == b"070701"
        fields = [int(archive[place + 6 + 8 * i : place + 14 + 8 * i], 16) for i in range(13)]
        name_end = place + 110 + fields[11]
        name = archive[place + 110 : name_end - 1].decode()
        start = name_end + -name_end % 4
        end = start + fields[6]
        if name == "TRAILER!!!":
            return found
        found[name] = (fields[1], archive[start:end], (fields[9], fields[10]))
        place = end + -end % 4


def test_archive_holds_what_was_put_in() -> None:
    assert entries(archive_of_everything()) == {
        "dev": (0o040755, b"", (0, 0)),
        "dev/console": (0o020600, b"", (5, 1)),
        "init": (0o100755, b"#!/bin/sh\n", (0, 0)),
        "sh": (0o120777, b"init", (0, 0)),
    }


@pytest.mark.skipif(shutil.which("cpio") is None, reason="no cpio here")
def test_cpio_agrees() -> None:
    listed = subprocess.run(
        ["cpio", "-it", "--quiet"], input=archive_of_everything(), capture_output=True, check=True
    )
    assert listed.stdout.split() == [b"dev", b"dev/console", b"init", b"sh"]
    assert not listed.stderr


@pytest.fixture
def tree(tmp_path: Path) -> ModuleTree:
    """A kernel with four modules: net needs core and queue, queue needs core, disk nothing."""
    directory = tmp_path / "lib/modules/6.1/kernel"
    directory.mkdir(parents=True)

    def module(name: str, depends: str, alias: str) -> None:
        info = f"\0license=GPL\0alias={alias}\0depends={depends}\0name={name}\0"
        (directory / f"{name}.ko").write_bytes(b"\x7fELF" + info.encode() + b"\xff")

    module("v-core", "", "pci:v1*")
    module("v_queue", "v_core", "")
    module("v_net", "v_queue,v-core", "virtio:d1v*")
    module("disk", "", "pci:v2*")
    return ModuleTree(tmp_path)


def test_modules_come_with_what_they_need(tree: ModuleTree) -> None:
    assert tree.release == "6.1"
    assert list(tree.closure(["v-net", "no-such"])) == ["v_core", "v_net", "v_queue"]


def test_dependencies_are_loaded_from_the_end_of_the_line(tree: ModuleTree) -> None:
    table = dependency_table(tree.closure(["v_net"]))
    assert table.splitlines() == ["v-core.ko:", "v_net.ko: v_queue.ko v-core.ko", "v_queue.ko: v-core.ko"]


def test_aliases_tell_which_devices_a_module_is_for(tree: ModuleTree) -> None:
    table = alias_table(tree.closure(["v_net", "disk"]))
    assert table.splitlines() == [
        "alias pci:v2* disk",
        "alias pci:v1* v_core",
        "alias virtio:d1v* v_net",
    ]


def test_boot_sector_has_code_partitions_and_signature() -> None:
    code = bytes(range(256)) * 2
    sector = master_boot_record(code)
    assert len(sector) == SECTOR
    assert sector[:440] == code[:440]
    assert sector[510:] == b"\x55\xaa"
    active, kind, start, size = struct.unpack_from("<B3xB3xII", sector, 446)
    assert (active, kind, start, size) == (0x80, 0xEF, BOOT_START // SECTOR, BOOT_SIZE // SECTOR)
    assert struct.unpack_from("<I", sector, 446 + 16 + 8) == (DATA_START // SECTOR,)
    assert sector[446 + 32 : 510] == bytes(32)


def test_partition_is_not_active_unless_asked_for() -> None:
    assert partition_entry(0x83, 0, SECTOR)[0] == 0


def test_failed_program_says_what_it_said() -> None:
    with pytest.raises(BuildError, match=r"(?s)sh -c .*failed: no luck"):
        run("sh", "-c", "echo no luck >&2; false")


def test_missing_program_is_named() -> None:
    with pytest.raises(BuildError, match="cannot run no-such-program"):
        run("no-such-program")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_scripts_of_the_guest_are_shell(path: Path) -> None:
    assert path.stat().st_mode & 0o111
    subprocess.run(["sh", "-n", path], check=True)


def test_help_knows_every_command() -> None:
    listed = (ROOT / "bin/help-guest").read_text()
    for path in (ROOT / "bin").iterdir():
        if not path.name.endswith("-daemon"):
            assert f" {path.name}" in listed
            assert path.read_text().splitlines()[1].startswith(f"# {path.name}")
