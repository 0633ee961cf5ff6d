"""Which Debian makes which Xen, and all that decides what an image is."""

from __future__ import annotations

import os

from xlpy.errors import UsageError
from xlpy.model.record import Record

DOM0_FILES = os.path.join(os.path.dirname(__file__), "dom0")
DEFAULT_XEN = "4.17"


class Release(Record):
    """A version of Xen, the Debian that has it, and the package of its device model."""

    xen: str
    suite: str
    device_model: str

    @property
    def packages(self) -> tuple[str, ...]:
        """What dom0 is made of, apart from what these need: what any Xen host has, and busybox to start it."""
        return (
            f"xen-hypervisor-{self.xen}-amd64",
            f"xen-utils-{self.xen}",
            "xenstore-utils",
            self.device_model,
            "qemu-utils",
            "linux-image-amd64",
            "kmod",
            "openssh-server",
            "python3",
            "iproute2",
            "iputils-ping",
            "bridge-utils",
            "procps",
            "busybox-static",
        )


RELEASES = {
    release.xen: release
    for release in (
        Release(xen="4.14", suite="bullseye", device_model="qemu-system-x86"),
        Release(xen="4.17", suite="bookworm", device_model="qemu-system-xen"),
        Release(xen="4.20", suite="trixie", device_model="qemu-system-xen"),
    )
}

# What no host in a box can use; it would be nine tenths of the disk.
_USELESS_MODULES = (
    *("drivers/gpu", "drivers/media", "drivers/infiniband", "drivers/net/wireless", "drivers/net/ethernet"),
    *("drivers/staging", "drivers/iio", "drivers/hwmon", "drivers/isdn", "drivers/mtd", "drivers/scsi"),
    *("drivers/ata", "drivers/bluetooth", "drivers/platform", "drivers/hid", "drivers/leds", "drivers/power"),
    *("drivers/thunderbolt", "drivers/video", "drivers/crypto", "drivers/firewire", "drivers/mmc"),
    *("drivers/nvme", "drivers/edac", "drivers/comedi", "drivers/input", "drivers/i2c"),
    *("drivers/mfd", "drivers/rtc", "drivers/w1", "sound", "net/wireless", "net/mac80211", "net/bluetooth"),
    *("net/can", "net/sctp", "net/ceph", "net/tipc", "net/batman-adv", "net/mac802154", "fs/btrfs", "fs/xfs"),
    *("fs/ocfs2", "fs/gfs2", "fs/f2fs", "fs/nfs", "fs/nfsd", "fs/cifs", "fs/smb", "fs/ceph", "fs/ubifs"),
    *("fs/reiserfs", "fs/jfs", "fs/ntfs3", "fs/afs", "fs/nilfs2", "fs/coda"),
)
_USELESS_FIRMWARE = ("skiboot", "edk2", "u-boot", "openbios", "slof", "opensbi", "palcode", "hppa")
EXCLUDED = (
    *(f"{root}/modules/*/kernel/{place}/*" for place in _USELESS_MODULES for root in ("/lib", "/usr/lib")),
    *(f"/usr/share/{place}/*" for place in ("doc", "locale", "man", "info")),
    *(f"/usr/share/qemu/{name}*" for name in _USELESS_FIRMWARE),
    # The host's initrd is not made by initramfs-tools, which takes half a minute for it.
    "/etc/kernel/postinst.d/initramfs-tools",
)


def find_release(xen: str) -> Release:
    """The release of this version of Xen. Raises UsageError."""
    release = RELEASES.get(xen)
    if release is None:
        raise UsageError(f"the lab has no Xen {xen}", f"versions: {', '.join(RELEASES)}")
    return release


def dom0_file(name: str) -> bytes:
    """One of the files that make a Debian system the lab's dom0."""
    with open(os.path.join(DOM0_FILES, name), "rb") as file:
        return file.read()
