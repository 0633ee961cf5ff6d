"""The guest as a disk image for ``type="hvm"``: an MBR disk that starts under BIOS and under UEFI.

    sector 0       GRUB's boot.img and the partition table
    sector 1       GRUB's core.img; boot.img looks for it there unless told otherwise
    partition 1    FAT: EFI/BOOT/BOOTX64.EFI (GRUB again), vmlinuz, initrd.img
    partition 2    empty, for whoever wants to write to the disk

Only image files are written, nothing is mounted, so that no root is needed.
"""

from __future__ import annotations

import gzip
import os
import struct
from pathlib import Path

from guestbuild.packages import BuildError, run

SECTOR = 512
MIB = 1 << 20
BOOT_START, BOOT_SIZE = 1 * MIB, 32 * MIB
DATA_START, DATA_SIZE = BOOT_START + BOOT_SIZE, 16 * MIB

# tty0 is what VNC shows; the last one is the console.
COMMAND_LINE = "console=tty0 console=ttyS0,115200 quiet"

GRUB_CONFIG = f"""\
linux /vmlinuz {COMMAND_LINE}
initrd /initrd.img
boot
"""
GRUB_MODULES = ("part_msdos", "fat", "linux", "boot")


def write_disk(boot_files: Path, packages: dict[str, Path], target: Path) -> None:
    """Write the image from ``vmlinuz`` and ``initrd.img`` in ``boot_files``; packages by name as unpacked."""
    work = target.with_name("disk.work")
    work.mkdir()
    grub = Grub(packages, work)
    bios = grub.image("grub-pc-bin", "i386-pc", "biosdisk")
    efi = grub.image("grub-efi-amd64-bin", "x86_64-efi")
    boot_sector = (packages["grub-pc-bin"] / "usr/lib/grub/i386-pc/boot.img").read_bytes()
    core = bios.read_bytes()
    if SECTOR + len(core) > BOOT_START:
        raise BuildError("GRUB's core image does not fit before the first partition")
    with target.open("wb") as disk:
        disk.truncate(DATA_START + DATA_SIZE)
        disk.write(master_boot_record(boot_sector) + core)
    # BIOS reads an IDE disk word by word, which takes longest without KVM: what is read should be small.
    packed = work / "initrd.img"
    packed.write_bytes(gzip.compress((boot_files / "initrd.img").read_bytes(), mtime=0))
    files = {"vmlinuz": boot_files / "vmlinuz", "initrd.img": packed, "EFI/BOOT/BOOTX64.EFI": efi}
    _fill_boot_partition(packages["mtools"], target, files)
    for path in work.iterdir():
        path.unlink()
    work.rmdir()


class Grub:
    """GRUB's image maker, run from the unpacked package."""

    def __init__(self, packages: dict[str, Path], work: Path) -> None:
        self._packages = packages
        self._work = work
        self._config = work / "grub.cfg"
        self._config.write_text(GRUB_CONFIG)

    def image(self, package: str, platform: str, *more_modules: str) -> Path:
        """A self-contained GRUB for a platform; it finds its files in the first partition of the disk it came from."""
        output = self._work / f"{platform}.img"
        libraries = self._packages["libdevmapper1.02.1"] / "lib/x86_64-linux-gnu"
        run(
            str(self._packages["grub-common"] / "usr/bin/grub-mkimage"),
            *("-O", platform, "-d", str(self._packages[package] / "usr/lib/grub" / platform)),
            *("-o", str(output), "-p", "(,msdos1)/", "-c", str(self._config)),
            *GRUB_MODULES,
            *more_modules,
            env={**os.environ, "LD_LIBRARY_PATH": str(libraries)},
        )
        return output


def master_boot_record(boot_code: bytes) -> bytes:
    """The first sector: boot code, then four partition entries (two of them empty) and the signature."""
    entries = (
        partition_entry(0xEF, BOOT_START, BOOT_SIZE, active=True),
        partition_entry(0x83, DATA_START, DATA_SIZE),
        bytes(16),
        bytes(16),
    )
    return boot_code[:440].ljust(440, b"\0") + b"xlpy\0\0" + b"".join(entries) + b"\x55\xaa"


def partition_entry(kind: int, start: int, size: int, active: bool = False) -> bytes:
    """One entry of the partition table; the old cylinder numbers say "look at the sector numbers"."""
    unused_chs = b"\xfe\xff\xff"
    return struct.pack(
        "<B3sB3sII", 0x80 if active else 0, unused_chs, kind, unused_chs, start // SECTOR, size // SECTOR
    )


def _fill_boot_partition(mtools: Path, disk: Path, files: dict[str, Path]) -> None:
    def tool(name: str, *argv: str) -> None:
        # mtools is one program that looks at the name it is called by.
        environment = {
            **os.environ,
            "MTOOLS_SKIP_CHECK": "1",
            "SOURCE_DATE_EPOCH": "0",
            "MTOOLSRC": "/dev/null",
        }
        run(str(mtools / "usr/bin/mtools"), "-c", name, "-i", f"{disk}@@{BOOT_START}", *argv, env=environment)

    heads, sectors_per_track = 16, 63
    tool(
        "mformat",
        *("-T", str(BOOT_SIZE // SECTOR), "-h", str(heads), "-s", str(sectors_per_track)),
        *("-H", str(BOOT_START // SECTOR), "-N", "786c7079", "-v", "XLPYGUEST", "::"),
    )
    made: set[str] = set()
    for name, source in files.items():
        *folders, _ = name.split("/")
        for depth in range(1, len(folders) + 1):
            folder = "/".join(folders[:depth])
            if folder not in made:
                tool("mmd", f"::{folder}")
                made.add(folder)
        tool("mcopy", str(source), f"::{name}")
