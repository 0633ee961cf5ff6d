"""The QEMU program of this host: where it is, and its version."""

from __future__ import annotations

import os

from xlpy.errors import EngineError, MissingProgram

_NAME = "qemu-system-x86_64"
_versions: dict[tuple[str, int], str] = {}
_machine_types: dict[tuple[str, int], frozenset[str]] = {}


def find_qemu(device_model: str | None = None) -> str:
    """The absolute path of QEMU, or of the one that a configuration names. Raises MissingProgram."""
    if device_model is not None:
        if not os.access(device_model, os.X_OK):
            raise MissingProgram(
                f"the device model {device_model} cannot be run", "check device_model_override="
            )
        return device_model
    return find_program(_NAME, "install it, on Debian: apt install qemu-system-x86")


def find_program(name: str, hint: str) -> str:
    """The absolute path of a program in $PATH. Raises MissingProgram."""
    for directory in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(directory, name)
        if os.path.isabs(path) and os.access(path, os.X_OK):
            return path
    raise MissingProgram(f"{name} is not installed", hint)


def qemu_version(path: str) -> str:
    """What ``--version`` says after "version", such as ``7.2.22 (Debian …)``. Raises MissingProgram or EngineError."""
    key = _key(path)
    if key not in _versions:
        _versions[key] = _ask(path, "--version").partition("\n")[0].rpartition("version ")[2]
    return _versions[key]


def machine_types(path: str) -> frozenset[str]:
    """The machines that this QEMU can make (``-machine help``). Raises MissingProgram or EngineError."""
    key = _key(path)
    if key not in _machine_types:
        lines = _ask(path, "-machine", "help").splitlines()[1:]
        _machine_types[key] = frozenset(line.split()[0] for line in lines if line.strip())
    return _machine_types[key]


def _key(path: str) -> tuple[str, int]:
    """The program as it is now."""
    try:
        return path, os.stat(path).st_mtime_ns
    except OSError as error:
        raise MissingProgram(f"{path} is gone", "install the Debian package qemu-system-x86") from error


def _ask(path: str, *question: str) -> str:
    import subprocess

    try:
        answer = subprocess.run([path, *question], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise EngineError(f"{path} does not answer {' '.join(question)}", detail=str(error)) from error
    return answer.stdout
