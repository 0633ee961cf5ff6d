"""Which host keys the user trusts: known_hosts files as OpenSSH has them (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).

Host keys are verified always. A key that no file knows is a question for the user; a key other than the known one, or one
that was revoked, is refused with the file and line that say so.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os

from xlpy.errors import ConfigError, XlError, file_hint
from xlpy.transport.ssh_words import matches_any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# For each kind of key the ways it may sign, the best first.
SIGNATURES = {
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa-sha2-nistp256": ("ecdsa-sha2-nistp256",),
    "ecdsa-sha2-nistp384": ("ecdsa-sha2-nistp384",),
    "ecdsa-sha2-nistp521": ("ecdsa-sha2-nistp521",),
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256"),
}
CERTIFICATE = "-cert-v01@openssh.com"
_KRL = b"SSHKRL\n\0"  # PROTOCOL.krl of OpenSSH


class HostKey:
    """A public key: its kind as in known_hosts, and its bytes."""

    __slots__ = ("blob", "kind")

    def __init__(self, kind: str, blob: bytes) -> None:
        self.kind = kind
        self.blob = blob

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HostKey) and self.blob == other.blob

    def __hash__(self) -> int:
        return hash(self.blob)

    @property
    def fingerprint(self) -> str:
        """As ``ssh`` and ``ssh-keygen -l`` print it."""
        digest = hashlib.sha256(self.blob).digest()
        return "SHA256:" + base64.b64encode(digest).decode("ascii").rstrip("=")

    @property
    def name(self) -> str:
        """What people call this kind of key."""
        return {"ssh-ed25519": "ED25519", "ssh-rsa": "RSA"}.get(self.kind, self.kind.split("-")[0].upper())


class KnownKey:
    """A line of a known_hosts file that concerns a host. ``marker`` is empty, ``revoked`` or ``cert-authority``."""

    __slots__ = ("key", "marker", "where")

    def __init__(self, key: HostKey, marker: str, where: str) -> None:
        self.key = key
        self.marker = marker
        self.where = where


class KnownHosts:
    """The lines about one host. ``name`` is how known_hosts calls it (``place``).

    ``revoked_file`` lists keys that no host may show (ssh_config(5), RevokedHostKeys). Raises XlError for files that can't
    be read; of that one it has to be there, too.
    """

    def __init__(self, name: str, files: Iterable[str], revoked_file: str | None = None) -> None:
        self._revoked = [] if revoked_file is None else _revoked_keys(revoked_file)
        self.name = name
        self.files = tuple(files)
        self._lines = [line for path in self.files for line in _lines_about(path, name)]

    def known(self) -> list[KnownKey]:
        """The keys that it is known by."""
        return [line for line in self._lines if not line.marker]

    def authorities(self) -> list[KnownKey]:
        """The keys that may sign a certificate for it."""
        return [line for line in self._lines if line.marker == "cert-authority"]

    def find(self, key: HostKey) -> KnownKey | None:
        """The line that knows this key."""
        return next((line for line in self.known() if line.key == key), None)

    def revoked(self, key: HostKey) -> KnownKey | None:
        """The line that forbids this key."""
        lines = [line for line in self._lines if line.marker == "revoked"]
        return next((line for line in (*lines, *self._revoked) if line.key == key), None)

    def algorithms(self) -> list[str]:
        """How the host may prove who it is, the ways that can be verified first."""
        certified = [
            algorithm + CERTIFICATE
            for kind in SIGNATURES
            for algorithm in SIGNATURES[kind]
            if self.authorities()
        ]
        kinds = [line.key.kind for line in self.known() if line.key.kind in SIGNATURES]
        kinds += [kind for kind in SIGNATURES if kind not in kinds]
        return certified + [algorithm for kind in dict.fromkeys(kinds) for algorithm in SIGNATURES[kind]]

    def remember(self, key: HostKey, hashed: bool = False) -> str:
        """Write the key into the user's file and return its path; ``hashed`` hides whose it is. Raises XlError."""
        return remember(self.files[0], hash_name(self.name) if hashed else self.name, key)


def place(host: str, port: int) -> str:
    """How known_hosts calls a host: its name, with its port unless that is the usual one."""
    return host.lower() if port == 22 else f"[{host.lower()}]:{port}"


def hash_name(name: str) -> str:
    """A name as known_hosts has it with ``HashKnownHosts yes``."""
    salt = os.urandom(20)
    digest = hmac.new(salt, name.encode(), "sha1").digest()
    return "|1|" + "|".join(base64.b64encode(part).decode("ascii") for part in (salt, digest))


def remember(path: str, name: str, key: HostKey) -> str:
    """Add a line to a known_hosts file, which is made if need be, and return the path. Raises XlError."""
    line = f"{name} {key.kind} {base64.b64encode(key.blob).decode('ascii')}\n"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(path, "a+b", opener=lambda name, flags: os.open(name, flags | os.O_CLOEXEC, 0o600)) as file:
            size = file.seek(0, os.SEEK_END)
            if size:
                file.seek(size - 1)
                if file.read(1) != b"\n":
                    line = "\n" + line
            file.write(line.encode("ascii"))
    except OSError as error:
        raise XlError(f"cannot write {path}: {error.strerror}", file_hint(path, error)) from error
    return path


def _lines_about(path: str, name: str) -> list[KnownKey]:
    """What a file says of this host. A file that isn't there says nothing. Raises XlError."""
    try:
        with open(path, "rb") as file:
            text = file.read().decode("utf-8", "surrogateescape")
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise XlError(f"cannot read {path}: {error.strerror}", file_hint(path, error)) from error
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        known = _parse_line(line, name, f"{path}:{number}")
        if known is not None:
            found.append(known)
    return found


def _revoked_keys(path: str) -> list[KnownKey]:
    """The keys in a list of revoked ones: a public key on each line. Raises XlError."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise XlError(
            f"cannot read RevokedHostKeys {path}: {error.strerror}", file_hint(path, error)
        ) from error
    if data.startswith(_KRL):
        raise ConfigError(
            f"RevokedHostKeys {path} is a key revocation list (KRL), which xlpy cannot read",
            "name a list of public keys instead, or mark them @revoked in known_hosts",
        )
    found = []
    for number, line in enumerate(data.decode("utf-8", "surrogateescape").splitlines(), 1):
        words = line.split()
        if len(words) < 2 or words[0].startswith("#"):
            continue
        try:
            key = HostKey(words[0], base64.b64decode(words[1], validate=True))
        except (ValueError, binascii.Error) as error:
            raise ConfigError("this is no public key", where=f"{path}:{number}") from error
        found.append(KnownKey(key, "revoked", f"{path}:{number}"))
    return found


def _parse_line(line: str, name: str, where: str) -> KnownKey | None:
    """The key in this line if it is about this host; what cannot be read is passed over, as ssh does."""
    words = line.split()
    marker = ""
    if words and words[0].startswith("@"):
        marker = words.pop(0)[1:]
    if len(words) < 3 or words[0].startswith("#") or marker not in ("", "revoked", "cert-authority"):
        return None
    names, kind, encoded = words[:3]
    if not _names(names, name):
        return None
    try:
        return KnownKey(HostKey(kind, base64.b64decode(encoded, validate=True)), marker, where)
    except (ValueError, binascii.Error):
        return None


def _names(names: str, name: str) -> bool:
    """Whether the first field of a line, patterns or one hashed name, means this host."""
    if not names.startswith("|1|"):
        return matches_any(names.split(","), name)
    try:
        _, _, salt, digest = names.split("|")
        key, expected = base64.b64decode(salt), base64.b64decode(digest)
    except (ValueError, binascii.Error):
        return False
    return hmac.compare_digest(hmac.new(key, name.encode(), "sha1").digest(), expected)
