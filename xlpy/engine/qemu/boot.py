"""What a domain boots: a kernel given by the configuration, or a firmware that finds its own way.

A pv or pvh guest's configuration is written for Xen. Here its disks are virtio's and its console is virtio's, so its
kernel command line is translated; every change is reported as a note.
"""

from __future__ import annotations

import os
import re

from xlpy.engine.qemu.block import guest_disk_names
from xlpy.errors import ConfigError, PermissionRefused
from xlpy.model.domain import DomainType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from xlpy.engine.qemu.runtime_record import DiskRecord
    from xlpy.model.domain_config import DomainConfig

_DISK_PATH = re.compile(r"(?<==)/dev/((?:xvd|hd|sd)[a-z]+)(\d*)\b")
_GUEST_CONSOLE = "hvc0"
# images with room for variables in them: what is set at the guest's boot menu lasts until the domain ends
_OVMF_PATHS = (
    "/usr/share/ovmf/OVMF.fd",
    "/usr/share/qemu/OVMF.fd",
    "/usr/share/qemu/ovmf-x86_64.bin",
    "/usr/share/edk2/x64/OVMF.4m.fd",
)


# QEMU's small firmware for direct kernel boots: SeaBIOS takes longer to get out of the kernel's way
_QBOOT_PATHS = ("/usr/share/qemu/qboot.rom", "/usr/share/qemu-kvm/qboot.rom", "/usr/share/qboot/qboot.rom")


def check_boot_files(config: DomainConfig) -> None:
    """Raises ConfigError or PermissionRefused for a kernel, ramdisk or firmware that can't be read."""
    for what, path in boot_files(config):
        check_boot_file(what, path)
    if config.b_info.ramdisk and not config.b_info.kernel:
        raise ConfigError("a ramdisk needs a kernel", "add kernel=, or leave ramdisk= out")
    firmware_path(config)


def boot_files(config: DomainConfig) -> list[tuple[str, str]]:
    """The files of the host that it is booted with: kernel, ramdisk."""
    named = (("kernel", config.b_info.kernel), ("ramdisk", config.b_info.ramdisk))
    return [(what, path) for what, path in named if path]


def check_boot_file(what: str, path: str) -> None:
    """Raises ConfigError or PermissionRefused for one that can't be read."""
    if not os.path.exists(path):
        raise ConfigError(f"{what} {path}: no such file", "the path is the host's; is it mounted there?")
    if not os.path.isfile(path):
        raise ConfigError(f"{what} {path}: not a file")
    if not os.access(path, os.R_OK):
        raise PermissionRefused(f"{what} {path}: no permission to read it")


def can_boot_quickly(config: DomainConfig) -> bool:
    """Whether a new domain needs no full BIOS: a pv or pvh guest with a kernel, where qboot is installed."""
    if config.c_info.type is DomainType.HVM or not config.b_info.kernel:
        return False
    return _first_existing(_QBOOT_PATHS) is not None


def boot_arguments(config: DomainConfig, disks: Iterable[DiskRecord], quick_boot: bool = False) -> list[str]:
    """QEMU's arguments for kernel and firmware. Raises ConfigError for a firmware that isn't installed."""
    arguments: list[str] = []
    firmware = qboot_path() if quick_boot else firmware_path(config)
    if firmware is not None:
        arguments += ["-bios", firmware]
    if config.b_info.kernel:
        arguments += ["-kernel", config.b_info.kernel]
        if config.b_info.ramdisk:
            arguments += ["-initrd", config.b_info.ramdisk]
        command_line, _ = kernel_command_line(config, disks)
        if command_line:
            arguments += ["-append", command_line]
    return arguments


def kernel_command_line(config: DomainConfig, disks: Iterable[DiskRecord]) -> tuple[str, list[str]]:
    """The kernel's command line as the guest gets it, and notes of what was translated."""
    given = config.b_info.cmdline or ""
    if config.c_info.type is DomainType.HVM:
        return given, []
    notes: list[str] = []
    names = guest_disk_names(disks)

    def translate(match: re.Match[str]) -> str:
        whole, disk, partition = match[1] + match[2], match[1], match[2]
        name = names.get(whole) or (names[disk] + partition if disk in names else whole)
        if name != whole:
            notes.append(f"the guest's /dev/{whole} is /dev/{name} here: the command line is changed")
        return f"/dev/{name}"

    command_line = _DISK_PATH.sub(translate, given)
    if not re.search(r"(?:^|\s)console=", command_line):
        command_line = f"{command_line} console={_GUEST_CONSOLE}".lstrip()
        notes.append(f"console={_GUEST_CONSOLE} is added to the command line")
    return command_line, notes


def boot_notes(config: DomainConfig, disks: Iterable[DiskRecord]) -> list[str]:
    """What is done in another way than the configuration says."""
    if config.b_info.kernel:
        return kernel_command_line(config, disks)[1]
    if config.c_info.type is not DomainType.HVM:
        loader = (
            f"{config.b_info.bootloader} is not run" if config.b_info.bootloader else "no kernel is given"
        )
        return [f"{loader}: the disk's own boot loader starts under a BIOS"]
    return []


def firmware_path(config: DomainConfig) -> str | None:
    """The firmware image; None is SeaBIOS, QEMU's own. Raises ConfigError if it isn't there."""
    hvm = config.b_info.hvm
    if hvm is None:
        return None
    if hvm.system_firmware:
        check_boot_file("firmware", hvm.system_firmware)
        return hvm.system_firmware
    if hvm.bios == "rombios":
        raise ConfigError("this engine has no rombios", "choose bios='seabios' or bios='ovmf'")
    if hvm.bios != "ovmf":
        return None
    path = _first_existing(_OVMF_PATHS)
    if path is None:
        raise ConfigError("the OVMF firmware is not installed", "install it, on Debian: apt install ovmf")
    return path


def qboot_path() -> str:
    """The small firmware of a machine that was made with it. Raises ConfigError if it isn't installed."""
    path = _first_existing(_QBOOT_PATHS)
    if path is None:
        raise ConfigError(
            "the domain was started with the firmware qboot, which is not installed here",
            "install it, on Debian: apt install qemu-system-data",
        )
    return path


def _first_existing(paths: Iterable[str]) -> str | None:
    return next((path for path in paths if os.path.exists(path)), None)
