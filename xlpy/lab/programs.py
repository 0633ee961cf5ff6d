"""The programs that the lab calls, and the Debian packages they are in."""

from __future__ import annotations

import os
import shutil

from xlpy.errors import EngineError, MissingProgram

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from subprocess import Popen

PACKAGES = {
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "mmdebstrap": "mmdebstrap",
    "mke2fs": "e2fsprogs",
    "mount": "mount",
    "newuidmap": "uidmap",
    "zstd": "zstd",
    "lz4": "lz4",
    "tar": "tar",
    "setpriv": "util-linux",
}
TO_RUN = ("qemu-system-x86_64", "qemu-img", "ssh", "ssh-keygen", "setpriv")
TO_BUILD = (*TO_RUN, "mmdebstrap", "mke2fs", "mount")
_SHOWN_BYTES = 2000
_END_TIMEOUT_S = 20.0


def search_path() -> str:
    """PATH, and where Debian keeps what is thought to be for root only."""
    return os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))


def find_program(name: str) -> str:
    """The path of a program. Raises MissingProgram."""
    found = shutil.which(name, path=search_path())
    if found is None:
        require_programs((name,))
    return found or name


def require_programs(names: Iterable[str]) -> None:
    """Raises MissingProgram that names all that are missing, with the line that installs them."""
    missing = [name for name in names if shutil.which(name, path=search_path()) is None]
    if missing:
        packages = dict.fromkeys(PACKAGES[name] for name in missing)
        raise MissingProgram(
            f"the lab needs {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed",
            f"on Debian: apt install {' '.join(packages)}",
        )


def run_program(argv: Sequence[str], *, cwd: str | None = None, input_data: bytes = b"") -> bytes:
    """What a program says on its standard output. Raises MissingProgram, or EngineError with its last words."""
    import subprocess

    path = find_program(argv[0])
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [path, *argv[1:]], cwd=cwd, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
    ) as process:
        try:
            out, err = process.communicate(input_data)
        except BaseException:
            _end(process)
            raise
    if process.returncode:
        said = (err or out)[-_SHOWN_BYTES:].decode(errors="replace").strip()
        raise EngineError(f"{argv[0]} failed with status {process.returncode}", detail=said or None)
    return out


def _end(process: Popen[bytes]) -> None:
    """End a program that may have much to put away, as mmdebstrap has."""
    from subprocess import TimeoutExpired

    process.terminate()
    try:
        process.communicate(timeout=_END_TIMEOUT_S)
    except TimeoutExpired:
        process.kill()
