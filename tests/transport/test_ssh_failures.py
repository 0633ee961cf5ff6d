"""Every way in which a host is not reached is a sentence of its own, with the host's name and a hint."""

from __future__ import annotations

import contextlib
import getpass
import re
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from eventually import eventually
from processes import children, end
from ssh_home import SshHome, entry
from ssh_hosts import SshHost, SshLab, ssh_hosts
from ssh_keygen import make_key, needs_certificates, sign

from xlpy.errors import ConfigError, ConnectError, PermissionRefused, UnknownHostKey, XlError
from xlpy.transport.ssh import connect

Prepare = Callable[[SshHome, SshLab], None]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshLab]:
    with ssh_hosts(tmp_path_factory.mktemp("ssh") / "lab", 2) as lab:
        yield lab


@pytest.fixture
def home(lab: SshLab, tmp_path: Path) -> SshHome:
    return SshHome(tmp_path / "home", lab)


def failure(home: SshHome, name: str = "host1", **more: object) -> XlError:
    with pytest.raises(XlError) as caught:
        connect(entry(name, **more), home.client).close()
    return caught.value


def has(error: XlError, kind: type[XlError], message: str, hint: str, detail: str = "") -> None:
    assert type(error) is kind or issubclass(type(error), kind), repr(error)
    assert re.search(message, error.message), error.message
    assert re.search(hint, error.hint or ""), error.hint
    assert re.search(detail, error.detail or ""), error.detail


# -- no connection


def test_unknown_name(home: SshHome) -> None:
    error = failure(home, "no-such-host.invalid")
    assert re.match(
        "no-such-host.invalid: (there is no host named|the name server does not answer)", error.message
    )
    assert error.hint


def test_refused(home: SshHome) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    has(
        failure(home, "127.0.0.1", port=port),
        ConnectError,
        f"^127.0.0.1: 127.0.0.1 port {port} refused the connection$",
        "is sshd running there",
    )


def test_no_answer_to_the_connection(home: SshHome) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        with socket.create_connection(address):
            error = failure(home, "127.0.0.1", port=address[1], connect_timeout_s=0.5)
    has(error, ConnectError, "did not answer to a connection within 0.5 s$", "connect_timeout_s")


@pytest.mark.root
def test_no_route(cabled_lab: SshLab, tmp_path: Path) -> None:
    (host,) = cabled_lab.add()
    home = SshHome(tmp_path / "home", cabled_lab)
    host.cut()
    has(failure(home, connect_timeout_s=30), ConnectError, "^host1: there is no route to 198.18", "VPN")


@pytest.mark.parametrize(
    ("says", "message", "detail"),
    [
        (None, "hung up without a word$", ""),
        (b"", "did not answer as an SSH server does within 0.5 s$", ""),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n" * 120, "is no SSH server$", "it said 'HTTP/1.1 400"),
        (b"SSH-2.0-Slow\r\n", "did not answer during key exchange within 0.5 s$", ""),
    ],
    ids=["hangs up", "silent", "web server", "silent after greeting"],
)
def test_strange_servers(home: SshHome, says: bytes | None, message: str, detail: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held = []

        def serve() -> None:
            connected, _ = listener.accept()
            if says is None:
                connected.close()
            else:
                held.append(connected)
                connected.sendall(says)

        server = threading.Thread(target=serve)
        server.start()
        error = failure(home, "127.0.0.1", port=listener.getsockname()[1], connect_timeout_s=0.5)
        server.join(60)
        for connected in held:
            connected.close()
    has(error, ConnectError, f"^127.0.0.1: .*{message}", ".", detail)


def test_paused_sshd(lab: SshLab, home: SshHome) -> None:
    lab.hosts[1].pause()
    try:
        error = failure(home, "host2", connect_timeout_s=0.5)
    finally:
        lab.hosts[1].resume()
    has(error, ConnectError, "^host2: .* did not answer as an SSH server does within 0.5 s$", "very busy")


# -- not that host


def test_unknown_key(lab: SshLab, home: SshHome) -> None:
    home.known_hosts.unlink()
    error = failure(home)
    has(
        error,
        UnknownHostKey,
        "^host1: the host key of .* is not known yet$",
        "xlpy host add host1",
        "ED25519 key fingerprint is SHA256:",
    )
    assert not home.known_hosts.exists()
    assert error.code == "unknown-host-key"


def test_changed_key(lab: SshLab, home: SshHome, tmp_path: Path) -> None:
    make_key(tmp_path / "other")
    one = lab.hosts[0]
    line = (tmp_path / "other.pub").read_text()
    home.known_hosts.write_text(f"# nothing\n\n[{one.address}]:{one.port} {line}")
    asked: list[UnknownHostKey] = []
    with pytest.raises(PermissionRefused) as caught:
        connect(entry("host1"), home.client, lambda question: bool(asked.append(question)) or True)
    has(
        caught.value,
        PermissionRefused,
        "^host1: the host key of .* has changed: not connected$",
        re.escape(f"ssh-keygen -f {home.known_hosts} -R '[{one.address}]:{one.port}'"),
        re.escape(f"{home.known_hosts}:3 knows the ED25519 key SHA256:"),
    )
    assert not asked


def test_revoked_key(lab: SshLab, home: SshHome) -> None:
    key = (lab.hosts[0].directory / "host_key.pub").read_text()
    with home.known_hosts.open("a") as file:
        file.write(f"@revoked * {key}")
    has(
        failure(home),
        PermissionRefused,
        "^host1: the host key of .* was revoked",
        r"known_hosts:\d+ has the revocation",
    )


@needs_certificates
@pytest.mark.parametrize(
    ("options", "trusted", "message"),
    [
        (("-h", "-n", "other"), True, "it is for other, not for 127"),
        (("-h", "-V", "20200101:20200102"), True, "it has expired$"),
        (("-n", "x"), True, "it is a user's, not a host's$"),
        (("-h",), False, "is no authority in your known_hosts$"),
    ],
    ids=["name", "time", "kind", "authority"],
)
def test_host_certificates(tmp_path: Path, options: tuple[str, ...], trusted: bool, message: str) -> None:
    make_key(tmp_path / "authority")
    make_key(tmp_path / "stranger")
    with ssh_hosts(tmp_path / "lab", 1) as lab:
        key = lab.hosts[0].directory / "host_key"
        sign(tmp_path / "authority", key, *options)
        (host,) = lab.add(extra=f"HostKey {key}\nHostCertificate {key}-cert.pub")
        home = SshHome(tmp_path / "home", lab)
        signer = (tmp_path / ("authority.pub" if trusted else "stranger.pub")).read_text()
        home.known_hosts.write_text(f"@cert-authority * {signer}")
        error = failure(home, host.name)
    if options[0] != "-h":  # sshd itself knows that this one is of no use
        has(error, PermissionRefused, "host2", ".") if isinstance(error, PermissionRefused) else has(
            error, UnknownHostKey, "not known yet", "."
        )
        return
    has(
        error,
        PermissionRefused,
        f"^host2: the host certificate of .* does not hold: .*{message}",
        "ssh-keygen -s",
    )


# -- not let in


def no_key(home: SshHome, lab: SshLab) -> None:
    home.without_key()


def wrong_key(home: SshHome, lab: SshLab) -> None:
    home.without_key()
    make_key(home.key)


def key_with_passphrase(home: SshHome, lab: SshLab) -> None:
    home.without_key()
    make_key(home.key, passphrase="secret")


def key_that_all_can_read(home: SshHome, lab: SshLab) -> None:
    home.key.chmod(0o644)


def key_that_is_none(home: SshHome, lab: SshLab) -> None:
    home.key.write_text("this is no key\n")


@pytest.mark.parametrize(
    ("prepare", "hint", "detail"),
    [
        (no_key, "make a key with ssh-keygen", "^no key was tried$"),
        (wrong_key, "ssh-copy-id", r"^tried \S+/.ssh/id_ed25519$"),
        (
            key_with_passphrase,
            r"has a passphrase; give it to the ssh-agent: ssh-add \S+/.ssh/id_ed25519$",
            "^no key",
        ),
        (
            key_that_all_can_read,
            r"can be read by others, so it is not used: chmod 600 \S+/id_ed25519$",
            "^no key",
        ),
        (key_that_is_none, "is no private key that xlpy can use", "^no key"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_not_let_in(lab: SshLab, home: SshHome, prepare: Prepare, hint: str, detail: str) -> None:
    prepare(home, lab)
    error = failure(home)
    user = lab.hosts[0].user
    has(error, PermissionRefused, f"^host1: .* did not let {user} in$", hint, detail)


def test_named_key_that_is_not_there(home: SshHome) -> None:
    error = failure(home, identity_file="~/.ssh/missing")
    has(error, PermissionRefused, "did not let", "^there is no key .*/.ssh/missing$")


def test_agent_that_does_not_answer(home: SshHome, tmp_path: Path) -> None:
    home.without_key()
    home.agent_socket = str(tmp_path / "nobody")
    has(failure(home), PermissionRefused, "did not let", "the ssh-agent at .*/nobody does not answer")


def test_too_many_keys(lab: SshLab, home: SshHome) -> None:
    keys = [home.home / f"key{number}" for number in range(8)]
    for key in keys:
        make_key(key)
    with home.agent(*keys):
        error = failure(home)
    has(
        error,
        PermissionRefused,
        r"^host1: .* hung up on \w+ after \d keys$",
        "IdentitiesOnly yes",
        "Too many authentication failures",
    )


@pytest.mark.parametrize(
    ("extra", "message", "hint"),
    [
        ("PubkeyAuthentication no\nKbdInteractiveAuthentication yes", "did not let", "PubkeyAuthentication"),
        (
            "AuthenticationMethods publickey,password\nPasswordAuthentication yes",
            "wants more than a key of .*: password$",
            "AuthenticationMethods",
        ),
    ],
    ids=["keys are not accepted", "second factor"],
)
def test_what_the_server_accepts(tmp_path: Path, extra: str, message: str, hint: str) -> None:
    with ssh_hosts(tmp_path / "lab", 0) as lab:
        # what comes first counts: the usual settings are behind
        lab.before = extra
        lab.add()
        home = SshHome(tmp_path / "home", lab)
        has(failure(home), PermissionRefused, f"^host1: .*{message}", hint)


# -- on the way


def test_proxy_that_fails(home: SshHome) -> None:
    home.write("Host far\n ProxyCommand sh -c 'echo sorry for %h >&2; exit 7'")
    has(
        failure(home, "far"),
        ConnectError,
        r"^far: the ProxyCommand gave no connection \(exit status 7\)$",
        "by hand",
        "sorry for far",
    )


def test_proxy_that_is_silent(home: SshHome) -> None:
    home.write("Host far\n ProxyCommand sleep 1000")
    has(failure(home, "far", connect_timeout_s=0.5), ConnectError, "^far: .* did not answer", ".")


def test_host_on_the_way_does_not_lead_on(lab: SshLab, home: SshHome) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    error = failure(home, "127.0.0.1", port=port, proxy_jump="host1")
    has(error, ConnectError, f"gave no connection to 127.0.0.1 port {port}$", "AllowTcpForwarding", ".")


def test_host_on_the_way_is_unknown(lab: SshLab, home: SshHome) -> None:
    home.known_hosts.write_text(lab.hosts[1].known_hosts_line)
    home.write("Host far\n ProxyJump host1")
    has(failure(home, "far"), UnknownHostKey, r"^far \(on the way: host1\): the host key", "ssh-keygen -lf")


def test_circle_of_hosts(home: SshHome) -> None:
    home.write("Host a\n ProxyJump b\nHost b\n ProxyJump a")
    has(failure(home, "a"), ConfigError, "^a: ProxyJump leads in circles: b, a", "~/.ssh/config")


def commands_of(host: SshHost) -> list[int]:
    """What sshd has started for those who log in."""
    sshds = host.connections()
    return [pid for sshd in sshds for pid in children(sshd) if pid not in sshds and is_program(pid, "sleep")]


def is_program(pid: int, name: str) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip() == name
    return False


def test_lost_while_logging_in(tmp_path: Path) -> None:
    """sshd is killed while it looks whether the key is an authorized one."""
    with ssh_hosts(tmp_path / "lab", 0) as lab:
        command = f"AuthorizedKeysCommand {shutil.which('sleep')} 1000"
        (host,) = lab.add(extra=f"{command}\nAuthorizedKeysCommandUser {getpass.getuser()}")
        home = SshHome(tmp_path / "other-home", lab)
        (host.home / ".ssh" / "authorized_keys").unlink()
        looking: list[int] = []

        def drop() -> None:
            eventually(lambda: looking.extend(commands_of(host)) or looking)
            host.drop_connections()

        dropping = threading.Thread(target=drop)
        dropping.start()
        error = failure(home, connect_timeout_s=60.0)
        dropping.join(60)
        for pid in looking:
            end(pid)
        has(error, ConnectError, "^host1: the connection to .* broke while it was being made$", "journalctl")


def test_errors_of_the_config(home: SshHome) -> None:
    home.write("Host a\n Port many")
    has(failure(home, "a"), ConfigError, "^port many: this is no number$", "")
    home.write('Host "a')
    error = failure(home, "a")
    assert str(error) == f'{home.ssh}/config:1: a quote " is not closed'


def test_too_old_algorithms(tmp_path: Path) -> None:
    if shutil.which("ssh") is None:
        pytest.skip("no ssh")
    with ssh_hosts(tmp_path / "lab", 0) as lab:
        lab.add(extra="Ciphers 3des-cbc")
        home = SshHome(tmp_path / "home", lab)
        has(
            failure(home),
            ConnectError,
            "^host1: no secure connection to .* could be agreed upon$",
            "very old",
            ".",
        )
