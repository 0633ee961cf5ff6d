"""The QEMU program of this host: where it is, and its version."""

from __future__ import annotations

import os

from xlpy.errors import EngineError, MissingProgram

_NAME = "qemu-system-x86_64"
_versions: dict[tuple[str, int], str] = {}


def find_qemu(device_model: str | None = None) -> str:
    """The absolute path of QEMU, or of the one that a configuration names. Raises MissingProgram."""
    if device_model is not None:
        if not os.access(device_model, os.X_OK):
            raise MissingProgram(
                f"the device model {device_model} cannot be run", "check device_model_override="
            )
        return device_model
    for directory in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(directory, _NAME)
        if os.path.isabs(path) and os.access(path, os.X_OK):
            return path
    raise MissingProgram(f"{_NAME} is not installed", "install it, on Debian: apt install qemu-system-x86")


def qemu_version(path: str) -> str:
    """What ``--version`` says after "version", such as ``7.2.22 (Debian …)``. Raises MissingProgram or EngineError."""
    try:
        key = (path, os.stat(path).st_mtime_ns)
    except OSError as error:
        raise MissingProgram(f"{path} is gone", "install the Debian package qemu-system-x86") from error
    if key not in _versions:
        _versions[key] = _ask_version(path)
    return _versions[key]


def _ask_version(path: str) -> str:
    import subprocess

    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise EngineError(f"{path} does not tell its version", detail=str(error)) from error
    return answer.stdout.partition("\n")[0].rpartition("version ")[2]
