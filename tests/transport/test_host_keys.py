"""known_hosts files are read as OpenSSH reads them: ``ssh-keygen -F`` is the judge."""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path

import pytest
from ssh_keygen import make_key

from xlpy.errors import ConfigError, XlError
from xlpy.transport.host_keys import CERTIFICATE, HostKey, KnownHosts, remember

needs_ssh = pytest.mark.skipif(
    shutil.which("ssh-keygen") is None, reason="there is no ssh-keygen to compare with"
)
ED25519 = HostKey("ssh-ed25519", b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + bytes(range(32)))
OTHER = HostKey("ssh-ed25519", b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + bytes(range(1, 33)))


def line(key: HostKey) -> str:
    return f"{key.kind} {base64.b64encode(key.blob).decode()}"


@needs_ssh
@pytest.mark.parametrize("hashed", [False, True])
@pytest.mark.parametrize(
    "name", ["web", "web.example.org", "[web]:2222", "other", "10.0.0.7", "::1", "db1", "WEB"]
)
def test_as_ssh_reads_it(tmp_path: Path, name: str, hashed: bool) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(
        f"# comment\n\nweb,10.0.0.7 {line(ED25519)} comment\n[web]:2222 {line(OTHER)}\n*.example.org {line(OTHER)}\n"
        f"::1 {line(ED25519)}\ndb?,!db1 {line(ED25519)}\nbroken line\nweb ssh-ed25519 %%%\n"
    )
    if hashed:
        subprocess.run(["ssh-keygen", "-H", "-f", file], capture_output=True, timeout=60, check=False)
    theirs = subprocess.run(
        ["ssh-keygen", "-F", name, "-f", file], capture_output=True, text=True, timeout=60
    )
    expected = [
        text.split()[2]
        for text in theirs.stdout.splitlines()
        if not text.startswith("#") and "%%%" not in text
    ]
    found = KnownHosts(name.lower(), [str(file)]).known()
    assert [base64.b64encode(known.key.blob).decode() for known in found] == expected


@needs_ssh
def test_fingerprint(tmp_path: Path) -> None:
    for kind in ("ed25519", "ecdsa", "rsa"):
        key = tmp_path / kind
        make_key(key, kind)
        word, encoded = Path(f"{key}.pub").read_text().split()[:2]
        shown = subprocess.run(
            ["ssh-keygen", "-lf", f"{key}.pub"], capture_output=True, text=True, timeout=60
        )
        ours = HostKey(word, base64.b64decode(encoded))
        assert shown.stdout.split()[1] == ours.fingerprint
        assert shown.stdout.split()[-1] == f"({ours.name})"


def test_where_and_markers(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text(f"web {line(ED25519)}\n@revoked * {line(OTHER)}\n")
    two.write_text(f"@cert-authority *.org,web {line(OTHER)}\n@unheard web {line(OTHER)}")
    known = KnownHosts("web", [str(one), str(two), str(tmp_path / "missing")])
    assert [entry.where for entry in known.known()] == [f"{one}:1"]
    assert known.find(OTHER) is None
    revoked = known.revoked(OTHER)
    assert revoked is not None
    assert revoked.where == f"{one}:2"
    assert known.revoked(ED25519) is None
    assert [entry.where for entry in known.authorities()] == [f"{two}:1"]


def test_what_can_be_verified_is_asked_for_first(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    rsa = HostKey("ssh-rsa", b"x")
    file.write_text(f"web {line(rsa)}\n")
    algorithms = KnownHosts("web", [str(file)]).algorithms()
    assert algorithms[:3] == ["rsa-sha2-512", "rsa-sha2-256", "ssh-ed25519"]
    assert not any(name.endswith(CERTIFICATE) for name in algorithms)
    file.write_text(f"@cert-authority * {line(ED25519)}\n")
    assert KnownHosts("web", [str(file)]).algorithms()[0] == "ssh-ed25519" + CERTIFICATE


def test_remembering(tmp_path: Path) -> None:
    file = tmp_path / "new" / "known_hosts"
    remember(str(file), "web", ED25519)
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text(file.read_text().rstrip("\n"))  # somebody's editor
    remember(str(file), "[db]:2222", OTHER)
    assert file.read_text() == f"web {line(ED25519)}\n[db]:2222 {line(OTHER)}\n"
    known = KnownHosts("[db]:2222", [str(file)])
    assert known.find(OTHER) is not None


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(XlError, match="cannot read"):
        KnownHosts("web", [str(tmp_path)])
    with pytest.raises(XlError, match="cannot write"):
        remember(
            f"{tmp_path}/file/known_hosts" if (tmp_path / "file").write_text("") is None else str(tmp_path),
            "a",
            OTHER,
        )


def test_list_of_revoked_keys(tmp_path: Path) -> None:
    """No host may show one of these, known or not."""
    known_hosts, revoked = tmp_path / "known_hosts", tmp_path / "revoked"
    known_hosts.write_text(f"web {line(ED25519)}\n")
    revoked.write_text(f"# stolen\n\n{line(ED25519)} root@web\n")
    known = KnownHosts("web", [str(known_hosts)], str(revoked))
    found = known.revoked(ED25519)
    assert found is not None
    assert found.where == f"{revoked}:3"
    assert known.revoked(OTHER) is None


@pytest.mark.parametrize("text", [b"SSHKRL\n\0\0\0\0\1", b"ssh-ed25519 %%%\n"])
def test_list_of_revoked_keys_that_cannot_be_read(tmp_path: Path, text: bytes) -> None:
    """Then nobody knows what is in it, and nothing is trusted."""
    revoked = tmp_path / "revoked"
    revoked.write_bytes(text)
    with pytest.raises(ConfigError):
        KnownHosts("web", [], str(revoked))
    revoked.unlink()
    with pytest.raises(XlError, match="cannot read RevokedHostKeys"):
        KnownHosts("web", [], str(revoked))


@needs_ssh
def test_revocation_list_of_ssh_keygen_is_refused(tmp_path: Path) -> None:
    key = tmp_path / "key"
    make_key(key)
    krl = tmp_path / "krl"
    subprocess.run(["ssh-keygen", "-q", "-k", "-f", krl, f"{key}.pub"], check=True, timeout=60)
    with pytest.raises(ConfigError, match="key revocation list"):
        KnownHosts("web", [], str(krl))
