"""Connecting to real sshds in all the ways that ~/.ssh/config knows, and running commands there."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from eventually import eventually
from ssh_home import SshHome, entry
from ssh_hosts import IS_ROOT, SshLab, ssh_hosts
from ssh_keygen import make_key, needs_certificates, sign

from xlpy.errors import ConfigError, ConnectError, Interrupted, UnknownHostKey
from xlpy.inventory.entry import HostEntry
from xlpy.transport.ssh import SshConnection, connect, open_link
from xlpy.transport.ssh_link import SshLink


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshLab]:
    with ssh_hosts(tmp_path_factory.mktemp("ssh") / "lab", 2) as lab:
        yield lab


@pytest.fixture
def home(lab: SshLab, tmp_path: Path) -> SshHome:
    return SshHome(tmp_path / "home", lab)


def read_all(link: SshLink, timeout_s: float = 60) -> bytes:
    """What comes until the end."""
    data = b""
    while True:
        assert select.select([link.fileno()], [], [], timeout_s)[0], "nothing comes"
        try:
            piece = link.read()
        except BlockingIOError:
            continue
        if not piece:
            return data
        data += piece


def output(connection: SshConnection, command: str = "id -un") -> str:
    link = connection.run(command)
    try:
        return read_all(link).decode()
    finally:
        link.close()


def let_in(home: SshHome, name: str = "host1", **more: object) -> str:
    """Who we are there."""
    connection = connect(entry(name, **more), home.client)
    try:
        return output(connection).strip()
    finally:
        connection.close()


# -- keys


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("ed25519", ()),
        ("ecdsa", ("-b", "256")),
        ("ecdsa", ("-b", "384")),
        ("ecdsa", ("-b", "521")),
        ("rsa", ("-b", "2048")),
        ("rsa", ("-b", "2048", "-m", "PEM")),
        ("ecdsa", ("-m", "PEM")),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_kinds_of_keys(lab: SshLab, home: SshHome, kind: str, options: tuple[str, ...]) -> None:
    key = home.ssh / "other"
    make_key(key, kind, *options)
    with allowed(lab, key):
        assert let_in(home, identity_file=str(key)) == lab.hosts[0].user


def test_keys_of_the_agent(lab: SshLab, home: SshHome) -> None:
    moved = home.home / "moved"
    os.rename(home.key, moved)
    others = [home.home / f"other{number}" for number in range(2)]
    for other in others:
        make_key(other)
    with home.agent(*others, moved):
        assert let_in(home) == lab.hosts[0].user


def test_the_agent_holds_the_key_whose_public_half_is_named(lab: SshLab, home: SshHome) -> None:
    make_key(home.home / "other")
    with home.agent(home.home / "other", home.key):
        home.without_key()
        shutil.copy(f"{lab.identity}.pub", home.ssh / "chosen.pub")
        home.write("", " IdentityFile ~/.ssh/chosen.pub\n IdentitiesOnly yes")
        assert let_in(home) == lab.hosts[0].user


def test_encrypted_key_that_the_agent_holds(lab: SshLab, home: SshHome) -> None:
    with home.agent(home.key):
        subprocess.run(
            ["ssh-keygen", "-q", "-p", "-N", "secret", "-f", home.key],
            check=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
        )
        Path(f"{home.key}.pub").unlink()  # the private half says whose it is
        home.write("", f" IdentityFile {home.key}\n IdentitiesOnly yes")
        assert let_in(home) == lab.hosts[0].user


@pytest.mark.parametrize("where", ["beside", "config", "agent"])
def test_certificates_of_users(home: SshHome, tmp_path: Path, where: str) -> None:
    authority = tmp_path / "authority"
    make_key(authority)
    with ssh_hosts(tmp_path / "lab", 0) as lab:
        (host,) = lab.add(extra=f"TrustedUserCAKeys {authority}.pub\nAuthorizedKeysFile none")
        home = SshHome(tmp_path / "other-home", lab)
        certificate = sign(authority, home.key, "-n", host.user)
        if where == "config":
            os.rename(certificate, home.ssh / "certificate")
            home.write("", f" IdentityFile {home.key}\n CertificateFile ~/.ssh/certificate")
        if where == "agent":
            with home.agent(home.key):
                for path in home.ssh.glob("id_*"):
                    path.unlink()
                assert let_in(home) == host.user
        else:
            assert let_in(home) == host.user


class allowed:
    """While it lasts, a key is among the authorized ones of the first host."""

    def __init__(self, lab: SshLab, key: Path) -> None:
        self._file = lab.hosts[0].home / ".ssh" / "authorized_keys"
        self._line = Path(f"{key}.pub").read_text()

    def __enter__(self) -> None:
        self._before = self._file.read_text()
        self._file.write_text(self._line)

    def __exit__(self, *_: object) -> None:
        self._file.write_text(self._before)


# -- hosts


@needs_certificates
def test_host_certificate(tmp_path: Path) -> None:
    authority = tmp_path / "authority"
    make_key(authority)
    with ssh_hosts(tmp_path / "lab", 1) as lab:
        (host,) = lab.hosts
        sign(authority, host.directory / "host_key", "-h", "-n", "xen1.example.org,127.*")
        lab.add(
            extra=f"HostKey {host.directory}/host_key\nHostCertificate {host.directory}/host_key-cert.pub"
        )
        home = SshHome(tmp_path / "home", lab)
        home.known_hosts.write_text(f"@cert-authority * {Path(f'{authority}.pub').read_text()}")
        home.write("Host host2\n HostKeyAlias xen1.example.org")
        assert let_in(home, "host2") == host.user


def test_hashed_known_hosts(lab: SshLab, home: SshHome) -> None:
    subprocess.run(
        ["ssh-keygen", "-q", "-H", "-f", home.known_hosts], check=True, timeout=60, capture_output=True
    )
    assert lab.hosts[0].address not in home.known_hosts.read_text()
    assert let_in(home) == lab.hosts[0].user


def test_the_key_that_is_known_is_the_one_that_is_asked_for(
    lab: SshLab, home: SshHome, tmp_path: Path
) -> None:
    make_key(tmp_path / "rsa_key", "rsa", "-b", "2048")
    with ssh_hosts(tmp_path / "lab", 0) as other:
        (host,) = other.add(extra=f"HostKey {tmp_path}/rsa_key")
        home = SshHome(tmp_path / "other-home", other)
        line = Path(f"{tmp_path}/rsa_key.pub").read_text()
        home.known_hosts.write_text(f"[{host.address}]:{host.port} {line}")
        assert let_in(home) == host.user


def test_ipv6(tmp_path: Path) -> None:
    with ssh_hosts(tmp_path / "lab", 0) as lab:
        if IS_ROOT and not os.path.exists("/proc/net/if_inet6"):
            pytest.skip("no IPv6 here")
        (host,) = lab.add(address="::1")
        home = SshHome(tmp_path / "home", lab)
        assert let_in(home) == host.user
        assert let_in(home, "::1", port=host.port, user=host.user) == host.user


def test_accepted_key_is_remembered(lab: SshLab, home: SshHome) -> None:
    home.known_hosts.unlink()
    asked: list[UnknownHostKey] = []

    def accept(question: UnknownHostKey) -> bool:
        asked.append(question)
        return True

    for _ in range(2):
        connect(entry("host1"), home.client, accept).close()
    assert len(asked) == 1
    shown = subprocess.run(
        ["ssh-keygen", "-lf", lab.hosts[0].directory / "host_key.pub"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert asked[0].fingerprint == shown.stdout.split()[1]
    assert (home.known_hosts.stat().st_mode & 0o777) == 0o600
    assert home.known_hosts.read_text().split()[:2] == lab.hosts[0].known_hosts_line.split()[:2]


def test_hashed_name_is_remembered(lab: SshLab, home: SshHome) -> None:
    home.known_hosts.unlink()
    home.write("", " HashKnownHosts yes")
    connect(entry("host1"), home.client, lambda question: True).close()
    assert home.known_hosts.read_text().startswith("|1|")
    assert let_in(home) == lab.hosts[0].user


# -- ways


def test_over_other_hosts(lab: SshLab, home: SshHome) -> None:
    one, two = lab.hosts
    target = f" HostName {two.address}\n Port {two.port}\n"
    home.write(f"Host far\n{target} ProxyJump host1\nHost farther\n{target} ProxyJump host1,host2\n")
    eventually(lambda: not one.connections())
    connection = connect(entry("far"), home.client)
    assert one.connections()
    assert output(connection).strip() == two.user
    connection.close()
    eventually(lambda: not one.connections())
    assert let_in(home, "farther") == two.user
    assert (
        let_in(home, two.address, port=two.port, proxy_jump=f"{one.user}@{one.address}:{one.port}")
        == two.user
    )


def test_over_a_host_of_the_inventory(lab: SshLab, home: SshHome) -> None:
    """Its address, key and host key are there alone, and ~/.ssh has nothing of it."""
    one, two = lab.hosts
    (home.ssh / "config").write_text("")
    home.without_key()
    known = home.known_hosts.rename(home.home / "known")
    usual = {"user": one.user, "identity_file": str(lab.identity), "known_hosts_file": str(known)}
    gate = HostEntry(name="gate", address=one.address, port=one.port, **usual)  # type: ignore[arg-type]
    inner = HostEntry(
        name="inner", address=two.address, port=two.port, proxy_jump="gate", via=(gate,), **usual
    )  # type: ignore[arg-type]
    connection = connect(inner, home.client)
    assert one.connections()
    assert output(connection).strip() == two.user
    connection.close()
    with pytest.raises(ConnectError, match=r"^inner \(on the way: gate\): .* refused the connection"):
        connect(inner.replace(via=(gate.replace(port=1),)), home.client)
    in_circles = inner.replace(via=(gate.replace(proxy_jump="inner", via=(inner,)),))
    with pytest.raises(ConfigError, match=r"leads in circles"):
        connect(in_circles, home.client)


def test_proxy_command(lab: SshLab, home: SshHome) -> None:
    two = lab.hosts[1]
    home.write(
        f"Host far\n HostName {two.address}\n Port {two.port}\n"
        f" ProxyCommand ssh -F {lab.ssh_config} -o BatchMode=yes -W %h:%p host1"
    )
    assert let_in(home, "far") == two.user


def test_settings_from_included_and_matched_parts(lab: SshLab, home: SshHome) -> None:
    one = lab.hosts[0]
    (home.ssh / "conf.d").mkdir()
    (home.ssh / "conf.d" / "xen").write_text(f"Host xen*\n HostName {one.address}\n Port {one.port}\n")
    home.write(f'Include conf.d/*\nMatch host {one.address} exec "test -d {home.home}"\n User {one.user}\n')
    assert let_in(home, "xen7") == one.user


# -- commands


def test_a_command_and_its_streams(home: SshHome) -> None:
    link = open_link(entry("host1"), "cat; echo sorry >&2; exit 3", home.client)
    link.write(b"x" * 1_000_000)
    link._channel.shutdown_write()
    assert read_all(link) == b"x" * 1_000_000
    assert link.exit_status() == 3
    assert link.said() == "sorry\n"
    assert link.lost is None
    link.close()


def test_nothing_yet_is_no_end(home: SshHome) -> None:
    link = open_link(entry("host1"), "cat", home.client)
    with pytest.raises(BlockingIOError):
        link.read()
    assert link.exit_status() is None
    link.close()
    assert read_all(link) == b""


def test_words_on_stderr_are_no_news(home: SshHome) -> None:
    """What is read by ``said`` leaves the descriptor quiet."""
    link = open_link(entry("host1"), "echo sorry >&2; cat", home.client)
    assert select.select([link.fileno()], [], [], 60)[0]
    with pytest.raises(BlockingIOError):
        link.read()
    assert not select.select([link.fileno()], [], [], 0)[0]
    link.close()


def test_a_waiting_writer_is_woken(home: SshHome) -> None:
    link = open_link(entry("host1"), "sleep 1000", home.client)
    failures: list[BaseException] = []

    def write() -> None:
        try:
            while True:
                link.write(bytes(1 << 20))
        except OSError as error:
            failures.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    eventually(lambda: link._channel.out_window_size == 0)
    link.close()
    writer.join(60)
    assert len(failures) == 1


def test_connection_lost_while_a_command_runs(lab: SshLab, home: SshHome) -> None:
    link = open_link(entry("host1"), "echo up; cat", home.client)
    assert select.select([link.fileno()], [], [], 60)[0]
    assert link.read() == b"up\n"
    lab.hosts[0].drop_connections()
    assert select.select([link.fileno()], [], [], 60)[0]
    with pytest.raises(Interrupted, match="connection to host1 was lost"):
        read_all(link)
    assert link.exit_status() is None
    with pytest.raises(Interrupted):
        link.write(b"x")
    link.close()


@pytest.mark.root
def test_cable_pulled_while_a_command_runs(cabled_lab: SshLab, tmp_path: Path) -> None:
    (host,) = cabled_lab.add()
    home = SshHome(tmp_path / "home", cabled_lab)
    home.write("", " ServerAliveInterval 1\n ServerAliveCountMax 2")
    link = open_link(entry("host1"), "echo up; cat", home.client)
    assert select.select([link.fileno()], [], [], 60)[0]
    assert link.read() == b"up\n"
    host.cut()
    with pytest.raises(Interrupted) as caught:
        read_all(link)
    assert caught.value.detail in ("Connection timed out", "No route to host")
    link.close()


def test_nothing_is_left(lab: SshLab, home: SshHome) -> None:
    """No threads and no descriptors stay behind."""
    let_in(home)
    threads, descriptors = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        let_in(home)
    eventually(lambda: threading.active_count() <= threads)
    eventually(lambda: len(os.listdir("/proc/self/fd")) <= descriptors)
