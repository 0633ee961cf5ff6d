"""A Debian host as software made for xl sees one: with xlpy in xl's place, and guests in QEMU.

Programs run there as root in name-spaces of their own: processes, mounts and network. Its file system is this
machine's, with Debian's packages, xlpy as ``/usr/sbin/xl`` and what a test puts there laid over it; ``/run`` and
``/var`` are its own. So programs find all under the very paths that are written in them, nothing of this machine is
changed, and all processes end with it, xlpyd and QEMU, too.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

TIMEOUT_S = 120.0
LAUNCHER = Path(sys.executable).with_name("xlpy")
SET_UP = Path(__file__).with_name("set_up_machine.sh")


class DebianMachine:
    """One of them; ``close`` ends it with all that runs there. One that stands ``beside`` another is in its network."""

    def __init__(self, directory: Path, packages: Path, beside: DebianMachine | None = None) -> None:
        self.directory = directory  # its /run and /var are here
        for part in ("root", "run/lock", "var/lib/xen", "var/log/xen", "var/tmp", "var/cache"):
            (directory / part).mkdir(parents=True)
        (directory / "var/run").symlink_to("/run")
        (directory / "var/lock").symlink_to("/run/lock")
        as_root = () if os.getuid() == 0 else ("--user", "--map-root-user")
        spaces = ("--mount", "--pid", "--fork", "--kill-child")
        network = beside.enter_network if beside else ("unshare", *as_root, "--net")
        self._init = subprocess.Popen(
            [*network, "unshare", *spaces, "sh", SET_UP, directory, packages],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._init.stdout is not None
        if self._init.stdout.readline() != b"ready\n":
            self.close()
            raise AssertionError("the machine does not start: no name-spaces or no overlays here?")
        spaces_of = f"/proc/{self._init.pid}/ns"
        user = () if os.getuid() == 0 else (f"--user={spaces_of}/user", "--preserve-credentials")
        self.enter_network = ("nsenter", *user, f"--net={spaces_of}/net")
        inside = (f"--mount={spaces_of}/mnt", f"--pid={spaces_of}/pid_for_children")
        self._enter = [*self.enter_network, *inside, "chroot", str(directory / "root")]
        self.environ = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/var/tmp",
            "LANG": "C.UTF-8",
        }
        for name in ("/usr/sbin/xl", "/usr/bin/xlpy"):
            self.run("ln", "-sf", LAUNCHER, name)

    def put(self, path: str, content: str, mode: int = 0o644) -> str:
        """Write a file there; its path."""
        script = 'mkdir -p "${1%/*}" && cat >"$1" && chmod "$2" "$1"'
        self.run("sh", "-c", script, "sh", path, f"{mode:o}", input_text=content)
        return path

    def command(self, *words: str | os.PathLike[str], cwd: str = "/") -> list[str]:
        """The command line, on this machine, that runs a program there: for tests that start it themselves."""
        return [*self._enter, "env", "-C", cwd, *map(str, words)]

    def run(
        self,
        *words: str | os.PathLike[str],
        environ: Mapping[str, str] | None = None,
        input_text: str = "",
        check: bool = True,
        timeout_s: float = TIMEOUT_S,
        cwd: str = "/",
    ) -> subprocess.CompletedProcess[str]:
        """Run a program there; what it said. ``check`` fails the test if the program fails."""
        argv = self.command(*words, cwd=cwd)
        done = subprocess.run(
            argv,
            env={**self.environ, **(environ or {})},
            input=input_text,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        if check and done.returncode:
            said = f"{done.stdout}{done.stderr}"
            raise AssertionError(
                f"{shlex.join(argv[argv.index('env') :])} exits with {done.returncode}\n{said}"
            )
        return done

    def sh(self, script: str, **options: object) -> str:
        """Run a shell script there; what it prints."""
        return self.run("bash", "-c", script, **options).stdout  # type: ignore[arg-type]

    def xl(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run xl there."""
        return self.run("xl", *words, check=check)

    def close(self) -> None:
        """End all processes."""
        self._init.kill()
        self._init.communicate()
