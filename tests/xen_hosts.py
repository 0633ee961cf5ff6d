"""Real Xen hosts for tests: hosts of the lab, in a lab of the tests' own, put back between test classes.

    class TestSomething:
        def test_it(self, xen_host: XenHost) -> None:
            assert "Domain-0" in xen_host.run("xl", "list").stdout

``xen_host`` is one for all tests of a class (a test outside of classes gets it fresh). Its Xen is the newest that
``XLPY_TEST_XEN`` names, 4.17 if that isn't set. It holds the demo guest's kernel, initrd and disk in /srv/guest.
``xen_pair`` is two of them, joined by a network on which they know each other as lab1 and lab2.

Images and snapshots come from the user's own cache, so that they are built once; hosts live in a directory of the
session, and end with it.
"""

from __future__ import annotations

import os
import select
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from eventually import eventually

from xlpy.errors import MissingProgram
from xlpy.lab.host import LabHost
from xlpy.lab.lab import Lab, Wish
from xlpy.lab.places import Places
from xlpy.lab.programs import TO_BUILD, require_programs
from xlpy.lab.recipe import DEFAULT_XEN

GUEST = Path(__file__).parent.parent / ".cache/guest/current"
CLEAN = "clean"
COMMAND_TIMEOUT_S = 300.0  # where several hosts share a processor, and that is a program


class XenHost:
    """A running Xen host: commands and files over SSH as root, and back to how it was."""

    def __init__(self, lab: Lab, host: LabHost, control_dir: Path, environ: dict[str, str]) -> None:
        self._lab = lab
        self.environ = environ
        self._host = host
        # one connection for many commands: a login takes a second there
        self._shared = (
            "-o",
            "ControlMaster=auto",
            "-o",
            f"ControlPath={control_dir}/%p",
            "-o",
            "ControlPersist=300",
        )
        self._touched = False

    @property
    def name(self) -> str:
        """Its name in the lab, which is its hostname."""
        return self._host.name

    @property
    def xen(self) -> str:
        """The version of Xen, such as 4.17."""
        return self._host.record.xen

    @property
    def link_address(self) -> str:
        """Where the other host of a pair reaches it."""
        return self._host.record.address

    @property
    def ssh_port(self) -> int:
        """The port of its sshd on 127.0.0.1."""
        return self._host.record.ssh_port

    @property
    def known_hosts(self) -> str:
        """The file with its host key."""
        return self._host.known_hosts

    @property
    def identity_file(self) -> str:
        """The private key that opens it."""
        return self._lab.identity_file

    @property
    def serial_log(self) -> str:
        """All that Xen and dom0 said on the serial line."""
        return self._host.serial_log

    def argv(self, *words: str) -> list[str]:
        """ssh's command line for a command there: for tests that start it themselves."""
        return self._host.ssh_argv([shlex.join(words)], self._shared)

    def run(
        self,
        *words: str,
        input_data: bytes | None = None,
        check: bool = True,
        timeout_s: float = COMMAND_TIMEOUT_S,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command there; its output as text. ``check`` fails the test if it fails."""
        self._touched = True
        done = subprocess.run(
            self.argv(*words),
            input=input_data,
            stdin=None if input_data is not None else subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
        out, err = (stream.decode(errors="replace") for stream in (done.stdout, done.stderr))
        if check and done.returncode:
            pytest.fail(f"{self.name}: {shlex.join(words)} exits with {done.returncode}\n{out}{err}")
        return subprocess.CompletedProcess(words, done.returncode, out, err)

    def xlpy_argv(self, *words: str) -> list[str]:
        """The command line of that, for tests that start it themselves, in ``environ``."""
        self._touched = True
        return [sys.executable, "-m", "xlpy", "-H", self.name, *words]

    def xlpy(
        self, *words: str, check: bool = True, timeout_s: float = COMMAND_TIMEOUT_S
    ) -> subprocess.CompletedProcess[str]:
        """Run ``xlpy -H`` for this host from here, over SSH."""
        argv = self.xlpy_argv(*words)
        done = subprocess.run(
            argv,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        if check and done.returncode:
            pytest.fail(f"{shlex.join(argv[2:])} exits with {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def sh(self, script: str, *, check: bool = True, timeout_s: float = COMMAND_TIMEOUT_S) -> str:
        """Run a shell script there; what it prints."""
        return self.run("sh", "-c", script, check=check, timeout_s=timeout_s).stdout

    def wait_for_console(self, domain: str, text: str, timeout_s: float = COMMAND_TIMEOUT_S) -> str:
        """What a domain says on its console, by ``xl console``, up to and with ``text``; fails the test without it.

        A guest whose emulated processor broke (see ``broken_guests``) begins anew, and is listened to again.
        """
        deadline = time.monotonic() + timeout_s
        known_broken: list[str] = []
        while True:
            domid = self.domid(domain)
            said = self._said_up_to(domain, text, deadline)
            if text in said:
                return said
            broken = self.broken_guests()
            if broken == known_broken or time.monotonic() > deadline:
                pytest.fail(f"{self.name}: {domain} did not say {text!r}, but {said!r}; {broken}")
            known_broken = broken
            eventually(partial(self._is_new, domain, domid), timeout_s)

    def _said_up_to(self, domain: str, text: str, deadline: float) -> str:
        self._touched = True
        said = b""
        argv = self.argv("xl", "console", domain)
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as console:
            assert console.stdout
            try:
                while text.encode() not in said:
                    left_s = max(0.0, deadline - time.monotonic())
                    piece = b""
                    if select.select([console.stdout], [], [], left_s)[0]:
                        piece = os.read(console.stdout.fileno(), 65536)
                    if not piece:
                        break
                    said += piece
            finally:
                console.kill()
        return said.decode(errors="replace")

    def domid(self, domain: str) -> int | None:
        """By the real xl; None without such a domain."""
        said = self.run("xl", "domid", domain, check=False).stdout
        return int(said) if said else None

    def _is_new(self, domain: str, old_domid: int | None) -> bool:
        return self.domid(domain) not in (None, old_domid)

    def broken_guests(self) -> list[str]:
        """Lines of the hypervisor's about guests whose processor triple-faulted, after which they begin anew.

        QEMU's SVM does that to PVH guests now and then while they calibrate their clocks, more often the more the machine
        has to do; with the real xl as with xlpy.
        """
        return [line for line in self.run("xl", "dmesg").stdout.splitlines() if "Triple fault" in line]

    def put(self, path: str, content: bytes | str) -> None:
        """Write a file there."""
        data = content.encode() if isinstance(content, str) else content
        self.run("sh", "-c", f"cat >{shlex.quote(path)}", input_data=data)

    def put_tree(self, sources: Sequence[Path], directory: str) -> None:
        """Copy files and directories into a directory there."""
        archive = subprocess.run(
            ["tar", "--sparse", "--exclude=__pycache__", "-cf", "-"]
            + [word for source in sources for word in ("-C", str(source.parent), source.name)],
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        place = shlex.quote(directory)
        self.run("sh", "-c", f"mkdir -p {place} && tar -xf - -C {place}", input_data=archive)

    def get(self, path: str) -> bytes:
        """The content of a file there."""
        return subprocess.run(
            self.argv("cat", path), capture_output=True, timeout=COMMAND_TIMEOUT_S, check=True
        ).stdout

    def save_snapshot(self, name: str) -> None:
        """Keep the present state, for ``reset``."""
        self._lab.save_snapshot(self.name, name)

    def reset(self, snapshot: str = CLEAN) -> None:
        """Put it back into a state that was kept, which takes some seconds."""
        self.hang_up()
        self._lab.reset(self.name, snapshot)
        self._touched = False

    def clean(self) -> None:
        """Put it back as it was, unless nobody has done anything to it since."""
        if self._touched:
            self.reset()

    def hang_up(self) -> None:
        """End the shared connection."""
        argv = self._host.ssh_argv((), (*self._shared, "-O", "exit"))
        subprocess.run(argv, capture_output=True, timeout=COMMAND_TIMEOUT_S, check=False)


class XenHosts:
    """The hosts of this session, brought up when first asked for.

    ``inventory`` is the file that has them; with ``environ`` xlpy knows them by name.
    """

    def __init__(self, directory: Path) -> None:
        self._control_dir = Path(tempfile.mkdtemp(prefix="xlpy-ssh-"))
        self.inventory = directory / "hosts.yaml"
        self.environ = {
            **os.environ,
            "XDG_STATE_HOME": str(directory),
            "XLPY_INVENTORY": str(self.inventory),
            "XLPY_BROKER": str(self._control_dir / "broker.sock"),
        }
        self._lab = Lab(Places(self.environ), print)
        self._hosts: dict[str, XenHost] = {}

    def get(self, name: str, xen: str, cpus: int | None = None, memory_mib: int | None = None) -> XenHost:
        """The host of this name, as it is after its first start, with so many processors or memory if that matters."""
        known = self._hosts.get(name)
        if known is not None and known.xen == xen and cpus is None and memory_mib is None:
            known.clean()
            return known
        if known is not None:
            self.end(name)
        made = self._lab.up(name, Wish(xen=xen, cpus=cpus, memory_mib=memory_mib, guest=str(GUEST)))
        host = XenHost(self._lab, made, self._control_dir, self.environ)
        host.save_snapshot(CLEAN)
        self._hosts[name] = host
        return host

    def as_it_is(self, name: str, xen: str) -> XenHost:
        """The host of this name, as others have left it, who cleaned up after themselves."""
        known = self._hosts.get(name)
        return known if known is not None and known.xen == xen else self.get(name, xen)

    def end(self, name: str) -> None:
        """End a host, if it runs."""
        host = self._hosts.pop(name, None)
        if host is not None:
            host.hang_up()
            self._lab.down(name)

    def close(self) -> None:
        """End them all."""
        for name in list(self._hosts):
            self.end(name)
        stop = [sys.executable, "-m", "xlpy", "broker", "stop"]
        subprocess.run(stop, env=self.environ, capture_output=True, timeout=COMMAND_TIMEOUT_S, check=False)
        shutil.rmtree(self._control_dir)


def wanted_xen() -> str:
    """The version of Xen that this run is for."""
    return os.environ.get("XLPY_TEST_XEN", DEFAULT_XEN)


@pytest.fixture(scope="session")
def xen_hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[XenHosts]:
    """The hosts themselves, for tests that need other ones than ``xen_host`` and ``xen_pair``."""
    try:
        require_programs(TO_BUILD)
    except MissingProgram as error:
        pytest.skip(f"{error.message}; {error.hint}")
    if not (GUEST / "vmlinuz").exists():
        pytest.skip("there is no guest to run there; make it: script/build-guest")
    hosts = XenHosts(tmp_path_factory.mktemp("xen"))
    yield hosts
    hosts.close()


@pytest.fixture(scope="class")
def xen_host(xen_hosts: XenHosts) -> XenHost:
    """A Xen host as it is after its first start; alone on the machine, so that it has the processors."""
    xen_hosts.end("lab2")
    return xen_hosts.get("lab1", wanted_xen())


@pytest.fixture(scope="class")
def xen_pair(xen_hosts: XenHosts) -> tuple[XenHost, XenHost]:
    """Two Xen hosts that reach each other as lab1 and lab2."""
    return xen_hosts.get("lab1", wanted_xen()), xen_hosts.get("lab2", wanted_xen())
