"""The SSH keys of the lab: they are made here and put into the images, so that host keys are known before a host is.

``user`` opens the hosts to whoever made them, ``host`` is how hosts prove who they are, and ``dom0`` is with what one
host's root logs in to another, as xl migrate does.
"""

from __future__ import annotations

import os
import shutil
import tempfile

from xlpy.lab.places import locked
from xlpy.lab.programs import run_program

NAMES = ("user", "host", "dom0")


class Keys:
    """Key pairs in a directory of their own; made when they are missing."""

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def ensure(self) -> None:
        """Make the key pairs if there are none. Raises MissingProgram, EngineError."""
        if os.path.isdir(self._directory):
            return
        parent = os.path.dirname(self._directory)
        with locked(os.path.join(parent, "keys.lock")):
            if os.path.isdir(self._directory):
                return
            fresh = tempfile.mkdtemp(prefix="keys-", dir=parent)
            try:
                for name in NAMES:
                    path = os.path.join(fresh, name)
                    run_program(
                        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"xlpy-lab-{name}", "-f", path]
                    )
                os.rename(fresh, self._directory)
            except BaseException:
                shutil.rmtree(fresh, ignore_errors=True)
                raise

    def path(self, name: str) -> str:
        """The file of a private key."""
        return os.path.join(self._directory, name)

    def private(self, name: str) -> bytes:
        """A private key."""
        with open(self.path(name), "rb") as file:
            return file.read()

    def public(self, name: str) -> bytes:
        """A public key, one line."""
        with open(self.path(name) + ".pub", "rb") as file:
            return file.read()
