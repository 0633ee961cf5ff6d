"""Keys and certificates, made by ssh-keygen."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

needs_certificates = pytest.mark.skipif(
    not hasattr(serialization, "load_ssh_public_identity"), reason="cryptography is older than 40"
)


def make_key(path: Path, kind: str = "ed25519", *options: str, passphrase: str = "") -> None:
    """A key pair at ``path`` and ``path``.pub."""
    argv = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", path.name, "-f", str(path), *options]
    subprocess.run(argv, check=True, timeout=60)


def sign(authority: Path, key: Path, *options: str) -> Path:
    """Have a key certified; the certificate's path."""
    argv = ["ssh-keygen", "-q", "-s", str(authority), "-I", "test", *options, f"{key}.pub"]
    subprocess.run(argv, check=True, timeout=60)
    return Path(f"{key}-cert.pub")
