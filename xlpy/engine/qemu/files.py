"""DomainFiles: where the files of a running domain are."""

from __future__ import annotations

import os
import shutil


class DomainFiles:
    """Names in ``<run_dir>/domains/<domid>/``, which only its owner may enter."""

    def __init__(self, run_dir: str, domid: int) -> None:
        self.directory = os.path.join(run_dir, "domains", str(domid))
        self.record = os.path.join(self.directory, "domain.json")
        self.qmp_socket = os.path.join(self.directory, "qmp.sock")
        self.events = os.path.join(self.directory, "events")  # .in is read by QEMU, .out written
        self.qemu_log = os.path.join(self.directory, "qemu.log")
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
        """Remove all of it; it is no error if it's gone."""
        shutil.rmtree(self.directory, ignore_errors=True)


def domids_with_files(run_dir: str) -> list[int]:
    """The domids that have a directory, in order."""
    try:
        names = os.listdir(os.path.join(run_dir, "domains"))
    except FileNotFoundError:
        return []
    return sorted(int(name) for name in names if name.isdigit())
