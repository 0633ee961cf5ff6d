"""DomainFiles: where the files of a running domain are."""

from __future__ import annotations

import os
import shutil

from xlpy.engine.qemu.copy_device import blank_again
from xlpy.engine.qemu.disk_image import is_block_device


class DomainFiles:
    """Names in ``<run_dir>/domains/<domid>/``, which only its owner may enter."""

    def __init__(self, run_dir: str, domid: int) -> None:
        self.directory = os.path.join(run_dir, "domains", str(domid))
        self.record = os.path.join(self.directory, "domain.json")
        self.qmp_socket = os.path.join(self.directory, "qmp.sock")
        self.events = os.path.join(self.directory, "events")  # .in is read by QEMU, .out written
        self.qemu_log = os.path.join(self.directory, "qemu.log")
        self.copies_socket = os.path.join(
            self.directory, "copies.sock"
        )  # where its disks come in, in a migration
        self._made_images = os.path.join(self.directory, "made-images")
        self.vnc_password = os.path.join(self.directory, "vnc-password")

    def console_socket(self, kind: str, number: int) -> str:
        """Where QEMU serves this console to xlpyd."""
        return os.path.join(self.directory, f"{kind}{number}.sock")

    def console_log(self, kind: str, number: int) -> str:
        """Where QEMU writes all that this console says."""
        return os.path.join(self.directory, f"{kind}{number}.log")

    def make(self) -> None:
        """Make the directory. Raises FileExistsError if the domid is in use."""
        os.makedirs(os.path.dirname(self.directory), mode=0o700, exist_ok=True)
        os.mkdir(self.directory, 0o700)

    def remove(self) -> None:
        """Remove all of it, and the images in the list of those made, or what is on them; it is no error if it's gone."""
        for path in self.made_images():
            try:
                if is_block_device(path):
                    blank_again(path)
                else:
                    os.unlink(path)
            except OSError:
                pass  # somebody has moved it away
        shutil.rmtree(self.directory, ignore_errors=True)

    # -- disk images that were made for the domain, and are nobody's until it is accepted

    def made_images(self) -> list[str]:
        """Their paths."""
        try:
            with open(self._made_images, "rb") as file:
                return [os.fsdecode(path) for path in file.read().split(b"\0") if path]
        except OSError:
            return []

    def note_made_image(self, path: str) -> None:
        """Add one that was just made. Raises OSError."""
        with open(self._made_images, "ab") as file:
            file.write(os.fsencode(path) + b"\0")

    def keep_made_images(self) -> None:
        """The domain was accepted: they are its own from here on. Raises OSError."""
        try:
            os.unlink(self._made_images)
        except FileNotFoundError:
            pass  # none were made


def domids_with_files(run_dir: str) -> list[int]:
    """The domids that have a directory, in order."""
    try:
        names = os.listdir(os.path.join(run_dir, "domains"))
    except FileNotFoundError:
        return []
    return sorted(int(name) for name in names if name.isdigit())
