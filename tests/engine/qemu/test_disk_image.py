"""What is wrong with an image is said in the disk's terms; real images of all formats."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from domain_configs import cdrom, disk

from xlpy.engine.qemu.disk_image import (
    BLOCK_DRIVERS,
    check_disk,
    detect_format,
    explain_open_failure,
    is_block_device,
)
from xlpy.errors import ConfigError, InvalidState, PermissionRefused


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An image of every format, made by qemu-img."""
    directory = tmp_path_factory.mktemp("images")
    made = {}
    for name, driver in BLOCK_DRIVERS.items():
        made[name] = directory / f"disk.{name}"
        subprocess.run(["qemu-img", "create", "-q", "-f", driver, made[name], "4M"], check=True)
    return made


@pytest.mark.parametrize("name", BLOCK_DRIVERS)
def test_every_format_is_known_by_its_marks(images: dict[str, Path], name: str) -> None:
    fd = os.open(images[name], os.O_RDONLY)
    try:
        assert detect_format(fd) == name
    finally:
        os.close(fd)


@pytest.mark.parametrize("name", BLOCK_DRIVERS)
def test_an_image_of_the_right_format_is_accepted(images: dict[str, Path], name: str) -> None:
    check_disk(disk("xvda", images[name], name))


def test_any_file_can_be_raw(images: dict[str, Path]) -> None:
    check_disk(disk("xvda", images["qcow2"], "raw"))


def test_a_wrong_format_is_named_with_the_right_one(images: dict[str, Path]) -> None:
    with pytest.raises(ConfigError, match="is not in vhd format") as caught:
        check_disk(disk("xvda", images["qcow2"], "vhd"))
    assert caught.value.hint == "it looks like qcow2: say format=qcow2"


def test_an_empty_file_is_raw(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with pytest.raises(ConfigError, match="not in qcow2 format"):
        check_disk(disk("xvda", tmp_path / "empty", "qcow2"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"disk xvda: no such file: .*/nothing"):
        check_disk(disk("xvda", tmp_path / "nothing"))


def test_a_directory_and_a_fifo_are_no_disks(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(ConfigError, match="is a directory"):
        check_disk(disk("xvda", tmp_path))
    with pytest.raises(ConfigError, match="neither a file nor a block device"):
        check_disk(disk("xvda", tmp_path / "fifo"))


def test_a_relative_path_is_refused() -> None:
    with pytest.raises(ConfigError, match="no absolute path"):
        check_disk(disk("xvda", "images/a"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_opened_is_a_matter_of_permission(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.touch(mode=0o400)
    check_disk(disk("xvda", secret, readwrite=0))
    with pytest.raises(PermissionRefused, match="no permission to read and write"):
        check_disk(disk("xvda", secret))


def test_a_drive_may_be_empty_and_a_disk_may_not() -> None:
    check_disk(cdrom("hdc"))
    with pytest.raises(ConfigError, match="only a CD drive may be empty"):
        check_disk(disk("xvda", image_format="empty"))


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown format 'qcow3'"):
        check_disk(disk("xvda", tmp_path / "a", "qcow3"))


def test_a_locked_image_is_in_use() -> None:
    disks = (disk("xvda", "/images/a"), disk("xvdb", "/images/b"))
    said = "Is another process using the image [/images/b]?"
    error = explain_open_failure(said, disks)
    assert isinstance(error, InvalidState)
    assert error.message == "disk xvdb: /images/b is in use by another domain"
    assert error.detail == said


def test_a_locked_image_alone_needs_no_name() -> None:
    error = explain_open_failure('Failed to get "write" lock', (disk("xvdb", "/images/b"),))
    assert isinstance(error, InvalidState)


def test_other_complaints_are_not_blamed_on_disks() -> None:
    disks = (disk("xvda", "/images/a"), disk("xvdb", "/images/b"))
    assert explain_open_failure("could not load kernel '/vmlinuz'", disks) is None
    assert explain_open_failure("could not load kernel '/vmlinuz'", disks[:1]) is None


def test_a_path_that_is_not_there_is_no_block_device(tmp_path: Path) -> None:
    assert not is_block_device(str(tmp_path / "nothing"))
    assert not is_block_device("/dev/null")
