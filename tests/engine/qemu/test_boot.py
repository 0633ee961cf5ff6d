from __future__ import annotations

from pathlib import Path

import pytest
from domain_configs import HVM, disk, domain_config

from xlpy.engine.qemu.block import plan_disks
from xlpy.engine.qemu.boot import (
    boot_arguments,
    boot_notes,
    can_boot_quickly,
    check_boot_files,
    firmware_path,
    kernel_command_line,
)
from xlpy.errors import ConfigError
from xlpy.model.domain_config import HvmInfo


def command_line(cmdline: str | None, *vdevs: str) -> str:
    config = domain_config(disks=tuple(disk(vdev) for vdev in vdevs), kernel="/k", cmdline=cmdline)
    return kernel_command_line(config, plan_disks(config))[0]


@pytest.mark.parametrize(
    ("given", "vdevs", "expected"),
    [
        (None, (), "console=hvc0"),
        ("quiet", (), "quiet console=hvc0"),
        ("console=ttyS0", (), "console=ttyS0"),
        ("root=/dev/xvda1 ro", ("xvda",), "root=/dev/vda1 ro console=hvc0"),
        ("root=/dev/xvdb2 console=hvc0", ("xvdb", "xvda"), "root=/dev/vdb2 console=hvc0"),
        ("root=/dev/xvdb2 console=hvc0", ("xvdb",), "root=/dev/vda2 console=hvc0"),
        ("root=/dev/hda1 console=hvc0", ("hda",), "root=/dev/vda1 console=hvc0"),
        ("root=/dev/sda console=hvc0", ("sda",), "root=/dev/vda console=hvc0"),
        ("root=/dev/xvda2 console=hvc0", ("xvda1", "xvda2"), "root=/dev/vdb console=hvc0"),
        ("root=/dev/xvda1 resume=/dev/xvdb console=hvc0", ("xvda", "xvdb"),
         "root=/dev/vda1 resume=/dev/vdb console=hvc0"),
        ("root=/dev/xvdc1 console=hvc0", ("xvda",), "root=/dev/xvdc1 console=hvc0"),
        ("root=LABEL=/dev/xvda noconsole=1", ("xvda",), "root=LABEL=/dev/vda noconsole=1 console=hvc0"),
        ("init=/dev/xvdafile console=hvc0", ("xvda",), "init=/dev/xvdafile console=hvc0"),
    ],
)  # fmt: skip
def test_a_xen_guests_command_line(given: str | None, vdevs: tuple[str, ...], expected: str) -> None:
    assert command_line(given, *vdevs) == expected


def test_every_translation_is_told() -> None:
    config = domain_config(disks=(disk("xvda"),), kernel="/k", cmdline="root=/dev/xvda1")
    assert boot_notes(config, plan_disks(config)) == [
        "the guest's /dev/xvda1 is /dev/vda1 here: the command line is changed",
        "console=hvc0 is added to the command line",
    ]


def test_an_hvm_guests_command_line_is_left_alone() -> None:
    config = domain_config(HVM, disks=(disk("hda"),), kernel="/k", cmdline="root=/dev/hda1")
    assert boot_arguments(config, plan_disks(config)) == ["-kernel", "/k", "-append", "root=/dev/hda1"]
    assert boot_notes(config, plan_disks(config)) == []


def test_without_a_kernel_the_disk_boots() -> None:
    config = domain_config(disks=(disk("xvda"),), bootloader="pygrub")
    assert boot_arguments(config, plan_disks(config)) == []
    assert boot_notes(config, ()) == ["pygrub is not run: the disk's own boot loader starts under a BIOS"]


def test_a_given_kernel_needs_no_full_bios(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    qboot = tmp_path / "qboot.rom"
    monkeypatch.setattr("xlpy.engine.qemu.boot._QBOOT_PATHS", (str(qboot),))
    config = domain_config(kernel="/k")
    assert not can_boot_quickly(config)
    with pytest.raises(ConfigError, match="qboot, which is not installed here"):
        boot_arguments(config, (), quick_boot=True)
    qboot.write_bytes(b"")
    assert can_boot_quickly(config)
    assert boot_arguments(config, (), quick_boot=True)[:2] == ["-bios", str(qboot)]
    assert not can_boot_quickly(domain_config(bootloader="pygrub"))
    assert not can_boot_quickly(domain_config(HVM, kernel="/k"))


def test_files_that_are_not_there(tmp_path: Path) -> None:
    kernel = tmp_path / "vmlinuz"
    with pytest.raises(ConfigError, match=f"kernel {kernel}: no such file"):
        check_boot_files(domain_config(kernel=str(kernel)))
    kernel.write_bytes(b"")
    with pytest.raises(ConfigError, match="ramdisk /nowhere: no such file"):
        check_boot_files(domain_config(kernel=str(kernel), ramdisk="/nowhere"))
    with pytest.raises(ConfigError, match="not a file"):
        check_boot_files(domain_config(kernel=str(tmp_path)))
    with pytest.raises(ConfigError, match="a ramdisk needs a kernel"):
        check_boot_files(domain_config(ramdisk=str(kernel)))
    check_boot_files(domain_config(kernel=str(kernel), ramdisk=str(kernel)))


def test_firmware(tmp_path: Path) -> None:
    own = tmp_path / "bios.bin"
    own.write_bytes(b"")
    assert firmware_path(domain_config(HVM)) is None
    assert firmware_path(domain_config(HVM, hvm=HvmInfo(bios="seabios"))) is None
    assert firmware_path(domain_config(HVM, hvm=HvmInfo(system_firmware=str(own)))) == str(own)
    assert (firmware_path(domain_config(HVM, hvm=HvmInfo(bios="ovmf"))) or "").lower().count("ovmf")
    with pytest.raises(ConfigError, match="no rombios"):
        firmware_path(domain_config(HVM, hvm=HvmInfo(bios="rombios")))
