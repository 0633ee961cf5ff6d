"""Virtual device names of disks (xvda, hdc, sda1, d0p0, 51712) and Xen's device numbers.

The rules are those of libxl__device_disk_dev_number: three families of names, a number for each that the guest
sees in xenstore, and a plain number that means itself.
"""

from __future__ import annotations

from xlpy.errors import ConfigError
from xlpy.model.record import Record

_XVD_MAJOR = 202
_IDE_MAJORS = (3, 22)
_SCSI_MAJOR = 8
_EXTENDED = 1 << 28  # disks and partitions beyond 15
_MOST_DISKS = 1 << 20
_SPELLINGS = "xvda, hda to hdd, sda to sdp, with a partition number or without; d0p0; or a device number"


class Vdev(Record):
    """A disk's place in the domain. ``partition`` 0 is the whole disk."""

    family: str  # xvd hd sd
    disk: int
    partition: int = 0

    @property
    def name(self) -> str:
        """The canonical name: ``d0p1`` is ``xvda1``."""
        return f"{self.family}{disk_letters(self.disk)}{self.partition or ''}"

    @property
    def devid(self) -> int:
        """Xen's number of the device: 51712 for xvda, 768 for hda, 2048 for sda."""
        disk, partition = self.disk, self.partition
        if self.family == "hd":
            return _IDE_MAJORS[disk // 2] << 8 | (disk & 1) << 6 | partition
        if self.family == "sd":
            return _SCSI_MAJOR << 8 | disk << 4 | partition
        if disk <= 15 and partition <= 15:
            return _XVD_MAJOR << 8 | disk << 4 | partition
        return _EXTENDED | disk << 8 | partition


def parse_vdev(text: str) -> Vdev:
    """The place that ``text`` names. Raises ConfigError for what libxl would not take either."""
    vdev = _parse_numbers(text) or _parse_letters(text)
    if vdev is None:
        raise ConfigError(f"'{text}' is no virtual device", f"a disk's place is one of: {_SPELLINGS}")
    return vdev


def _parse_numbers(text: str) -> Vdev | None:
    """``d0p1`` or a device number in any base that C knows."""
    if text[:1] == "d" and "p" in text:
        disk, _, partition = text[1:].partition("p")
        if _plain_number(disk) and _plain_number(partition):
            return _within_limits("xvd", int(disk), int(partition))
    if text[:1].isdigit():
        try:
            number = int(text, 8) if text.isdigit() and text[0] == "0" else int(text, 0)
        except ValueError:
            return None
        return vdev_of_devid(number)
    return None


def _parse_letters(text: str) -> Vdev | None:
    for family in ("xvd", "hd", "sd"):
        if not text.startswith(family):
            continue
        rest = text[len(family) :]
        letters = rest.rstrip("0123456789")
        digits = rest[len(letters) :]
        if not letters or not all("a" <= letter <= "z" for letter in letters) or digits.startswith("0"):
            return None
        return _within_limits(family, _disk_of(letters), int(digits or 0))
    return None


def _within_limits(family: str, disk: int, partition: int) -> Vdev | None:
    disks, partitions = {"xvd": (_MOST_DISKS, 256), "hd": (4, 64), "sd": (16, 16)}[family]
    if disk >= disks or partition >= partitions:
        return None
    return Vdev(family=family, disk=disk, partition=partition)


def vdev_of_devid(devid: int) -> Vdev | None:
    """The place with this number of Xen's; None if there is none."""
    if devid & _EXTENDED and devid < _EXTENDED << 1:
        return Vdev(family="xvd", disk=(devid & (_EXTENDED - 1)) >> 8, partition=devid & 0xFF)
    major, minor = devid >> 8, devid & 0xFF
    if major in _IDE_MAJORS and minor < 0x80:
        disk = _IDE_MAJORS.index(major) * 2 + (minor >> 6)
        return Vdev(family="hd", disk=disk, partition=minor & 0x3F)
    if major in (_XVD_MAJOR, _SCSI_MAJOR):
        return Vdev(family="xvd" if major == _XVD_MAJOR else "sd", disk=minor >> 4, partition=minor & 0xF)
    return None


def _plain_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _disk_of(letters: str) -> int:
    """``a`` is 0, ``z`` 25, ``aa`` 26."""
    number = 0
    for letter in letters[:6]:
        number = number * 26 + ord(letter) - ord("a") + 1
    return number - 1


def disk_letters(disk: int) -> str:
    """``a`` for 0, ``z`` for 25, ``aa`` for 26."""
    text = ""
    number = disk + 1
    while number:
        number, letter = divmod(number - 1, 26)
        text = chr(ord("a") + letter) + text
    return text
