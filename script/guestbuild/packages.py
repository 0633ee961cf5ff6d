"""Debian packages: find, download and unpack them as an ordinary user."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


class BuildError(Exception):
    """The guest cannot be built; the message says why and what to try."""


@dataclass(frozen=True)
class Package:
    """One package in the version apt would install: ``file_name`` holds name, version and architecture."""

    name: str
    file_name: str
    sha256: str


def run(*argv: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """The output of a program; BuildError with what it said when it fails or is not there."""
    try:
        done = subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    except OSError as error:
        raise BuildError(f"cannot run {argv[0]}: {error.strerror}; this needs a Debian system") from error
    if done.returncode:
        raise BuildError(f"{' '.join(argv[:3])} … failed: {done.stderr.strip()}")
    return done.stdout


def _apt_get(*argv: str, cwd: Path | None = None) -> str:
    # Root's apt drops to a user who may not be able to write to our directory.
    sandbox = ("-o", "APT::Sandbox::User=root") if os.getuid() == 0 else ()
    return run("apt-get", "-q", *sandbox, *argv, cwd=cwd)


def kernel_package(metapackage: str) -> str:
    """The real package a metapackage such as ``linux-image-cloud-amd64`` stands for now."""
    for line in run("apt-cache", "show", "--no-all-versions", metapackage).splitlines():
        if line.startswith("Depends: "):
            return line.split()[1]
    raise BuildError(f"apt knows no package {metapackage}; try: sudo apt-get update")


def resolve(names: list[str]) -> list[Package]:
    """What apt would download for these names; BuildError when its lists are missing or too old."""
    try:
        lines = _apt_get("download", "--print-uris", *names).splitlines()
    except BuildError as error:
        raise BuildError(f"{error}\n(try: sudo apt-get update)") from error
    found = {}
    for line in lines:
        fields = line.split()
        if len(fields) == 4 and fields[3].startswith("SHA256:"):
            name = fields[1].partition("_")[0]
            found[name] = Package(name, fields[1], fields[3].removeprefix("SHA256:"))
    missing = [name for name in names if name not in found]
    if missing:
        raise BuildError(f"apt does not say where to find {' '.join(missing)}; try: sudo apt-get update")
    return [found[name] for name in names]


def unpack(packages: list[Package], directory: Path) -> dict[str, Path]:
    """Download the packages (apt checks their hashes) and unpack each into a folder of its own, by name."""
    downloads = directory / "downloads"
    downloads.mkdir(parents=True)
    try:
        _apt_get("download", *(package.name for package in packages), cwd=downloads)
    except BuildError as error:
        raise BuildError(
            f"{error}\n(is the network there? are apt's lists fresh? try: sudo apt-get update)"
        ) from error
    folders = {}
    for package in packages:
        folders[package.name] = directory / package.name
        run("dpkg-deb", "-x", str(downloads / package.file_name), str(folders[package.name]))
        (downloads / package.file_name).unlink()
    return folders
