"""The guest's root file system: busybox, kernel modules and the files under ``root/``."""

from __future__ import annotations

from pathlib import Path

from guestbuild.cpio import Archive
from guestbuild.modules import ModuleTree, alias_table, dependency_table
from guestbuild.packages import run

ROOT = Path(__file__).parent / "root"
DIRECTORIES = ("dev", "etc", "lib", "mnt", "proc", "run", "sbin", "sys", "tmp", "usr")

# Drivers for whatever a host may put in front of a guest: QEMU's virtio and PC devices, Xen's frontends.
DRIVERS = (
    *("virtio_pci", "virtio_console", "virtio_blk", "virtio_net", "virtio_balloon", "virtio_scsi"),
    *("virtio-rng", "virtio_input"),
    *("xen-blkfront", "xen-netfront", "xen-scsifront", "xen_wdt"),
    *(
        "sd_mod",
        "sr_mod",
        "isofs",
        "ata_piix",
        "ata_generic",
        "ahci",
        "nvme",
        "sym53c8xx",
        "vfat",
        "nls_ascii",
    ),
    *("e1000", "e1000e", "8139cp", "8139too", "ne2k-pci", "pcnet32", "vmxnet3"),
    *("button", "evdev", "pvpanic-pci", "pvpanic-mmio", "i6300esb", "ib700wdt"),
    *("uhci-hcd", "ehci-pci", "xhci-pci", "usbhid", "hid-generic", "usb-storage"),
)


def write_initramfs(kernel: Path, busybox: Path, target: Path) -> None:
    """Write the initramfs for the unpacked packages of a kernel and of busybox-static.

    It is not compressed: a guest without KVM would need longer to unpack it than the host to load it.
    """
    with target.open("wb") as file:
        archive = Archive(file)
        for name in DIRECTORIES:
            archive.directory(name)
        # The kernel opens /dev/console for /init before anything is mounted.
        archive.character_device("dev/console", 5, 1)
        archive.character_device("dev/null", 1, 3)
        _add_own_files(archive)
        _add_busybox(archive, busybox / "bin/busybox")
        _add_modules(archive, ModuleTree(kernel))
        archive.close()


def _add_own_files(archive: Archive) -> None:
    for path in sorted(ROOT.rglob("*")):
        name = str(path.relative_to(ROOT))
        if path.is_dir():
            if name not in DIRECTORIES:
                archive.directory(name)
        else:
            archive.regular_file(name, path.read_bytes(), path.stat().st_mode)


def _add_busybox(archive: Archive, busybox: Path) -> None:
    archive.regular_file("bin/busybox", busybox.read_bytes(), 0o755)
    for applet in run(str(busybox), "--list").split():
        folder = "sbin" if applet == "init" else "bin"
        if applet != "busybox" and not any((ROOT / place / applet).exists() for place in ("bin", "sbin")):
            archive.symlink(f"{folder}/{applet}", "/bin/busybox")


def _add_modules(archive: Archive, tree: ModuleTree) -> None:
    modules = tree.closure(DRIVERS)
    directory = f"lib/modules/{tree.release}"
    archive.directory("lib/modules")
    archive.directory(directory)
    for path in modules.values():
        archive.regular_file(f"{directory}/{path.name}", path.read_bytes(), 0o644)
    archive.regular_file(f"{directory}/modules.dep", dependency_table(modules).encode(), 0o644)
    archive.regular_file(f"{directory}/modules.alias", alias_table(modules).encode(), 0o644)
