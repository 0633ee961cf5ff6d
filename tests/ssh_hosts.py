"""Hosts to reach over SSH, as many as a test wants: real sshds, each on a machine of its own as far as it can tell.

As root every host is a set of namespaces: it has its own /run, /var/lib, /srv (where its homes are), users, hostname and
processes, and all of it ends with the host; with ``network`` it hangs on a cable that can be pulled. Another user
gets plain sshds with directories of their own. The client's side is a home directory with keys, known_hosts, an
ssh_config and an inventory; nobody's own ~/.ssh is looked at.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from eventually import eventually
from processes import children, end, pids_with
from ssh_keygen import make_key

SSHD = shutil.which("sshd", path="/usr/sbin:/sbin:" + os.environ.get("PATH", ""))
IS_ROOT = os.getuid() == 0
ADMIN_UID = 61000  # of a host's user without privileges; each host has another one, since /tmp is shared
NEXT_ADMIN = iter(range(ADMIN_UID + os.getpid() % 1000, ADMIN_UID + 4000))

# What a machine's first process does before it becomes sshd. $1: the host's directory, $2: its name.
BOOT = """
mount --make-rprivate /
for place in run var/lib srv; do mount --bind "$1/root/$place" "/$place"; done
for file in passwd group shadow; do mount --bind "$1/root/etc/$file" "/etc/$file"; done
rm -rf /run/mount  # mount's own notes
hostname "$2"
ip link set lo up
echo isolated >"$1/booted"
read -r go   # the cable is plugged in first
exec "$3" -D -e -f "$1/sshd_config"
"""

SSHD_CONFIG = """\
{before}
Port {port}
ListenAddress {address}
HostKey {directory}/host_key
PidFile none
UsePAM no
{places}
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UseDNS no
MaxStartups 500
MaxSessions 200
PerSourceMaxStartups none
SetEnv {environ}
{extra}
"""


class SshHost:
    """One machine with an sshd. ``user`` may log in; as root there is also ``admin``, who has no privileges."""

    def __init__(self, lab: SshLab, name: str, address: str, extra: str) -> None:
        self.name = name
        self.address = address
        self.port = _free_port(address) if not lab.network else 22
        self.directory = lab.directory / "hosts" / name
        self.user = pwd.getpwuid(os.getuid()).pw_name
        self.admin_uid = next(NEXT_ADMIN)
        self.token = secrets.token_hex(8)
        self._lab = lab
        self._extra = extra
        self._process: subprocess.Popen[bytes] | None = None
        self.sshd_pid = 0

    # -- what it is made of

    @property
    def root(self) -> Path:
        """Where the host's own /run, /var/lib and /srv are, seen from here."""
        return self.directory / "root"

    @property
    def home(self) -> Path:
        """The home directory of ``user`` there, seen from here."""
        return self.root / "srv" / "root" if IS_ROOT else self.directory / "home"

    @property
    def admin_home(self) -> Path:
        """The home directory of ``admin`` there, seen from here."""
        return self.root / "srv" / "admin"

    @property
    def run_dir(self) -> Path:
        """Where xlpyd of ``user`` has its socket there, seen from here."""
        return self.root / "run" / "xlpy"

    @property
    def state_dir(self) -> Path:
        """Where xlpyd of ``user`` has its records there, seen from here."""
        return self.root / "var" / "lib" / "xlpy" if IS_ROOT else self.directory / "state" / "xlpy"

    @property
    def log(self) -> Path:
        """What sshd says."""
        return self.directory / "sshd.log"

    @property
    def known_hosts_line(self) -> str:
        """Its host key as known_hosts has it."""
        where = self.address if self.port == 22 else f"[{self.address}]:{self.port}"
        return f"{where} {(self.directory / 'host_key.pub').read_text()}"

    # -- life

    def start(self) -> None:
        """Begin to start; ``wait`` until it listens."""
        self._write()
        argv = [str(SSHD), "-D", "-e", "-f", f"{self.directory}/sshd_config"]
        if IS_ROOT:
            flags = ["--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]
            flags += ["--net"] if self._lab.network else []
            boot = ["sh", "-e", "-c", BOOT, "boot", str(self.directory), self.name, str(SSHD)]
            argv = ["setpriv", "--pdeathsig", "KILL", "unshare", *flags, *boot]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=log, stderr=log)
        if not IS_ROOT:
            self.sshd_pid = self._process.pid

    def wait(self) -> None:
        """Return when it listens."""
        assert self._process is not None
        assert self._process.stdin is not None
        if IS_ROOT:
            eventually(lambda: self._ended() or (self.directory / "booted").exists())
            (self.sshd_pid,) = children(self._process.pid)
            if self._lab.network:
                self._lab.plug_in(self)
            self._process.stdin.write(b"go\n")
        self._process.stdin.close()
        eventually(lambda: self._ended() or "Server listening on" in self.log.read_text())

    def stop(self) -> None:
        """End sshd and everything that was started over it."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        process.kill()
        process.wait(30)
        if IS_ROOT:
            shutil.rmtree(f"/tmp/xlpy-{self.admin_uid}", ignore_errors=True)
        else:
            for pid in pids_with(f"XLPY_TEST_HOST={self.token}"):
                end(pid)

    def pause(self) -> None:
        """From now on the kernel accepts connections and nobody says a word on them."""
        os.kill(self.sshd_pid, signal.SIGSTOP)

    def resume(self) -> None:
        """The end of ``pause``."""
        os.kill(self.sshd_pid, signal.SIGCONT)

    def connections(self) -> list[int]:
        """The sshd processes that hold a client's connection."""
        found = []
        waiting = children(self.sshd_pid)
        while waiting:
            pid = waiting.pop()
            with contextlib.suppress(OSError):
                if Path(f"/proc/{pid}/comm").read_text().startswith("sshd"):
                    found.append(pid)
                    waiting += children(pid)
        return found

    def drop_connections(self) -> None:
        """Kill what holds the clients' connections, as a crash of sshd does; what they started learns of it."""
        for pid in self.connections():
            end(pid)

    def cut(self) -> None:
        """Pull the cable; only with ``network``."""
        _ip("link", "set", self._cable, "down")

    def restore(self) -> None:
        """Plug the cable in again."""
        _ip("link", "set", self._cable, "up")

    @property
    def _cable(self) -> str:
        return f"{self._lab.bridge}-{self.address.rpartition('.')[2]}"

    def _ended(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"{self.name}: sshd doesn't start:\n{self.log.read_text()}"
        return False

    # -- its files

    def _write(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.log.write_bytes(b"")
        (self.directory / "booted").unlink(missing_ok=True)
        if not (self.directory / "host_key").exists():
            make_key(self.directory / "host_key")
        shutil.rmtree(self.root / "run", ignore_errors=True)  # as a machine's start leaves it
        for place in ("run/sshd", "var/lib", "etc", "srv"):
            (self.root / place).mkdir(parents=True, exist_ok=True)
        environ = [f"XLPY_TEST_HOST={self.token}"]
        places = "AuthorizedKeysFile .ssh/authorized_keys"
        if IS_ROOT:
            self._write_users()
        else:
            environ += [
                f"HOME={self.home}",
                f"XDG_RUNTIME_DIR={self.root}/run",
                f"XDG_STATE_HOME={self.directory}/state",
            ]
            places = f"AuthorizedKeysFile {self.home}/.ssh/authorized_keys\nStrictModes no"
            self._write_home(self.home, os.getuid())
        (self.directory / "sshd_config").write_text(
            SSHD_CONFIG.format(
                port=self.port,
                address=self.address,
                directory=self.directory,
                environ=" ".join(environ),
                places=places,
                extra=self._extra,
                before=self._lab.before,
            )
        )

    def _write_users(self) -> None:
        etc = self.root / "etc"
        lines = Path("/etc/passwd").read_text().splitlines()
        lines = [line for line in lines if line.split(":")[0] not in ("root", "admin")]
        lines.insert(0, "root:x:0:0:root:/srv/root:/bin/bash")
        lines.append(f"admin:x:{self.admin_uid}:{self.admin_uid}:admin:/srv/admin:/bin/bash")
        (etc / "passwd").write_text("\n".join(lines) + "\n")
        (etc / "shadow").write_text("root:*:19000:0:99999:7:::\nadmin:*:19000:0:99999:7:::\n")
        (etc / "shadow").chmod(0o600)
        (etc / "group").write_text(Path("/etc/group").read_text() + f"admin:x:{self.admin_uid}:\n")
        self._write_home(self.home, 0)
        self._write_home(self.admin_home, self.admin_uid)

    def _write_home(self, home: Path, uid: int) -> None:
        (home / ".ssh").mkdir(parents=True, exist_ok=True)
        home.chmod(0o700)
        (home / ".ssh").chmod(0o700)
        shutil.copy(f"{self._lab.identity}.pub", home / ".ssh" / "authorized_keys")
        for path in (home, home / ".ssh", home / ".ssh" / "authorized_keys"):
            os.chown(path, uid, uid if IS_ROOT else -1)


class SshLab:
    """Hosts, and a client that knows them all by name (``host1`` ...)."""

    def __init__(self, directory: Path, network: bool = False) -> None:
        self.directory = directory
        self.network = network
        self.hosts: list[SshHost] = []
        self.before = ""  # lines of sshd_config that overrule the usual ones
        self.home = directory / "home"
        self.ssh_dir = self.home / ".ssh"
        self.identity = self.ssh_dir / "id_ed25519"
        self.known_hosts = self.ssh_dir / "known_hosts"
        self.ssh_config = self.ssh_dir / "config"
        self.inventory = self.home / ".config" / "xlpy" / "hosts.yaml"
        self.runtime_dir = directory / "runtime"
        self.bridge = f"xt{secrets.token_hex(3)}"
        # 127/8 is all ours: another address for each lab, another one for each host of it
        self._net = f"127.{secrets.randbelow(200) + 20}.{secrets.randbelow(250)}"
        for path in (self.ssh_dir, self.inventory.parent, self.runtime_dir):
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o700)
        make_key(self.identity)
        if network:
            self._net = f"198.18.{secrets.randbelow(250)}"  # for tests of networks (RFC 2544)
            _ip("link", "add", self.bridge, "type", "bridge")
            _ip("addr", "add", f"{self._net}.1/24", "dev", self.bridge)
            _ip("link", "set", self.bridge, "up")

    @property
    def environ(self) -> dict[str, str]:
        """The environment of the client's commands."""
        dropped = ("SSH_", "XDG_", "XLPY_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        return {
            **kept,
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.runtime_dir),
            "XLPY_BROKER": str(self.runtime_dir / "broker.sock"),
            "XLPY_INVENTORY": str(self.inventory),
        }

    def add(self, count: int = 1, *, address: str | None = None, extra: str = "") -> list[SshHost]:
        """Start so many hosts more; ``extra`` are lines for their sshd_config."""
        new = []
        for number in range(len(self.hosts) + 1, len(self.hosts) + count + 1):
            where = address or f"{self._net}.{number + 1}"
            new.append(SshHost(self, f"host{number}", where, extra))
        self.hosts += new
        for host in new:
            host.start()
        for host in new:
            host.wait()
        self.write_client()
        return new

    def write_client(self) -> None:
        """Write what the client knows of the hosts: known_hosts, ssh_config and the inventory."""
        self.known_hosts.write_text("".join(host.known_hosts_line for host in self.hosts))
        lines = []
        for host in self.hosts:
            lines += [f"Host {host.name}", f"  HostName {host.address}", f"  Port {host.port}"]
            lines += [f"  User {host.user}"]
        lines += ["Host *", f"  IdentityFile {self.identity}", "  IdentitiesOnly yes"]
        lines += [
            f"  UserKnownHostsFile {self.known_hosts}",
            "  GlobalKnownHostsFile /dev/null",
            "  HashKnownHosts no",
        ]
        self.ssh_config.write_text("\n".join(lines) + "\n")
        entries = [f"  {host.name}: {{address: '{host.name}', user: {host.user}}}" for host in self.hosts]
        self.inventory.write_text("\n".join(["version: 1", "hosts:", *entries]) + "\n")

    def plug_in(self, host: SshHost) -> None:
        """A cable from the host to the lab's switch; the host's end has its address."""
        cable = f"{self.bridge}-{host.address.rpartition('.')[2]}"
        _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", str(host.sshd_pid))
        _ip("link", "set", cable, "master", self.bridge, "up")
        inside = ["nsenter", "--net", "--target", str(host.sshd_pid), "ip"]
        for words in (f"addr add {host.address}/24 dev eth0", "link set eth0 up"):
            subprocess.run([*inside, *words.split()], check=True, timeout=30)

    def close(self) -> None:
        """End all hosts."""
        for host in self.hosts:
            host.stop()
        if self.network:
            _ip("link", "delete", self.bridge)


@contextlib.contextmanager
def ssh_hosts(directory: Path, count: int = 1, *, network: bool = False) -> Iterator[SshLab]:
    """So many hosts, for as long as the block runs. Skips the test where there can be none."""
    _require(network)
    lab = SshLab(directory, network)
    try:
        lab.add(count)
        yield lab
    finally:
        lab.close()


@pytest.fixture
def ssh_lab(tmp_path: Path) -> Iterator[SshLab]:
    """A client without hosts yet: ``ssh_lab.add(2)`` starts two."""
    with ssh_hosts(tmp_path / "lab", 0) as lab:
        yield lab


@pytest.fixture
def cabled_lab(tmp_path: Path) -> Iterator[SshLab]:
    """As ``ssh_lab``, but hosts hang on cables that can be pulled."""
    with ssh_hosts(tmp_path / "lab", 0, network=True) as lab:
        yield lab


def _require(network: bool) -> None:
    if SSHD is None:
        pytest.skip("there is no sshd here (Debian's package: openssh-server)")
    if network and not IS_ROOT:
        pytest.skip("only root can lay cables")
    if IS_ROOT:
        probe = subprocess.run(
            ["unshare", "--mount", "--uts", "--pid", "--fork", "--mount-proc", "true"],
            capture_output=True,
            timeout=30,
        )
        if probe.returncode:
            pytest.skip(f"no namespaces here: {probe.stderr.decode().strip()}")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, timeout=30)


def _free_port(address: str) -> int:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])
