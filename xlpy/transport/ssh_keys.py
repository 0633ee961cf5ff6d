"""The keys that may open the door: those in the ssh-agent and those in files, in the order in which ssh tries them."""

from __future__ import annotations

import base64
import binascii
import os
import socket
import stat

from xlpy.transport.host_keys import HostKey
from xlpy.transport.ssh_library import AgentSSH, paramiko

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlpy.transport.ssh_settings import SshSettings

_OPENSSH = b"-----BEGIN OPENSSH PRIVATE KEY-----"
_OPENSSH_MAGIC = b"openssh-key-v1\0"
_LARGEST_KEY_BYTES = 1 << 20


class Candidate:
    """A key to try, and what people call it."""

    __slots__ = ("key", "name")

    def __init__(self, key: paramiko.PKey, name: str) -> None:
        self.key = key
        self.name = name


class Agent(AgentSSH):
    """The ssh-agent at a socket. Raises OSError, SSHException."""

    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__()
        connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connected.settimeout(timeout_s)
            connected.connect(path)
            self._connect(connected)  # type: ignore[attr-defined]  # as paramiko's own Agent does
        except BaseException:
            connected.close()
            raise

    def close(self) -> None:
        """Hang up; its keys are of no use any more."""
        self._close()  # type: ignore[attr-defined]


class KeyRing:
    """All that can be tried on a host. ``notes`` fill with what keeps keys from being tried, as sentences.

    Close it when the connection is made.
    """

    def __init__(self, settings: SshSettings) -> None:
        self._settings = settings
        self._agent: Agent | None = None
        self.notes: list[str] = []

    def candidates(self) -> Iterator[Candidate]:
        """The agent's keys that were chosen by name, then its others unless told otherwise, then files."""
        settings = self._settings
        chosen = {blob: path for path in settings.identity_files if (blob := public_blob(path)) is not None}
        held = {key.blob: key for key in self._agent_keys()}
        order = [blob for blob in chosen if blob in held]
        if not settings.identities_only:
            order += [blob for blob in held if blob not in chosen]
        for blob in order:
            yield from self._from_agent(held[blob])
        for path in settings.identity_files:
            if public_blob(path) not in held:
                yield from self._from_file(path)

    def close(self) -> None:
        """Let the agent go."""
        if self._agent is not None:
            self._agent.close()
            self._agent = None

    def _agent_keys(self) -> list[paramiko.AgentKey]:
        path = self._settings.agent_socket
        if not path:
            return []
        try:
            self._agent = Agent(path, self._settings.connect_timeout_s)
        except (OSError, paramiko.SSHException) as error:
            self.notes.append(f"the ssh-agent at {path} does not answer: {error}")
            return []
        return list(self._agent.get_keys())

    def _from_agent(self, key: paramiko.AgentKey) -> Iterator[Candidate]:
        comment = getattr(key, "comment", "no comment")  # paramiko 2, which Debian 12 has, doesn't keep it
        name = f"{HostKey(key.get_name(), key.blob).fingerprint} from the ssh-agent ({comment})"
        for path in self._settings.certificate_files:
            if _certified_blob(path) == key.blob and self._certify(key, path):
                yield Candidate(key, f"{path} with {name}")
        key.public_blob = None
        yield Candidate(key, name)

    def _from_file(self, path: str) -> Iterator[Candidate]:
        if self._load(path) is None:
            return
        blob = public_blob(path)
        for certificate in (f"{path}-cert.pub", *self._settings.certificate_files):
            if blob is not None and _certified_blob(certificate) == blob:
                key = self._load(path)
                if key is not None and self._certify(key, certificate):
                    yield Candidate(key, certificate)
        key = self._load(path)
        if key is not None:
            yield Candidate(key, path)

    def _certify(self, key: paramiko.PKey, certificate: str) -> bool:
        try:
            key.load_certificate(certificate)
        except (OSError, ValueError, paramiko.SSHException) as error:
            self.notes.append(f"{certificate} is no certificate of its key: {error}")
            return False
        return True

    def _load(self, path: str) -> paramiko.PKey | None:
        """The private key in a file, without a certificate; None and a note if it can't be had."""
        try:
            found = os.stat(path)
        except FileNotFoundError:
            if self._settings.identities_chosen:
                self._note(f"there is no key {path}")
            return None
        except OSError as error:
            self._note(f"{path}: {error.strerror}")
            return None
        if stat.S_ISREG(found.st_mode) and found.st_uid == os.getuid() and found.st_mode & 0o077:
            self._note(f"{path} can be read by others, so it is not used: chmod 600 {path}")
            return None
        if path.endswith(".pub"):
            self._note(f"the ssh-agent does not hold the key of {path}: ssh-add {path[:-4]}")
            return None
        return self._read_private(path)

    def _read_private(self, path: str) -> paramiko.PKey | None:
        for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
            try:
                key: paramiko.PKey = kind.from_private_key_file(path)
            except paramiko.PasswordRequiredException:
                self._note(f"{path} has a passphrase; give it to the ssh-agent: ssh-add {path}")
                return None
            except OSError as error:
                self._note(f"{path} cannot be read: {error.strerror}")
                return None
            except (paramiko.SSHException, ValueError, IndexError):
                continue  # a key of another kind
            return key
        self._note(f"{path} is no private key that xlpy can use (it knows ed25519, ecdsa and rsa)")
        return None

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def public_blob(path: str) -> bytes | None:
    """The public half of the key in a file, from its .pub or from its own beginning; None if neither tells."""
    name = path if path.endswith(".pub") else f"{path}.pub"
    return _line_blob(name) or _openssh_public_blob(path)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_LARGEST_KEY_BYTES)
    except OSError:
        return b""


def _line_blob(path: str) -> bytes | None:
    words = _read(path).split()
    try:
        return base64.b64decode(words[1], validate=True) if len(words) > 1 else None
    except (ValueError, binascii.Error):
        return None


def _certified_blob(path: str) -> bytes | None:
    """The plain public key that a certificate file is about."""
    blob = _line_blob(path)
    if blob is None:
        return None
    try:
        from cryptography.hazmat.primitives.serialization import (
            Encoding,
            PublicFormat,
            load_ssh_public_identity,
        )
    except ImportError:  # before cryptography 40, as in Debian 12: the plain keys are tried alone
        return None
    try:
        identity = load_ssh_public_identity(b" ".join(_read(path).split()[:2]))
        key = identity.public_key()  # type: ignore[union-attr]  # a plain key has none
        encoded = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    except (AttributeError, ValueError):
        return None
    return base64.b64decode(encoded.split()[1])


def _openssh_public_blob(path: str) -> bytes | None:
    """The public key at the beginning of a private one; it stands there readable even if that is encrypted (PROTOCOL.key)."""
    text = _read(path)
    if not text.startswith(_OPENSSH):
        return None
    try:
        data = base64.b64decode(b"".join(text.split(b"\n")[1:]).partition(b"-----END")[0])
    except (ValueError, binascii.Error):
        return None
    if not data.startswith(_OPENSSH_MAGIC):
        return None
    position = len(_OPENSSH_MAGIC)
    for _ in range(3):  # cipher, key derivation, its options
        position += 4 + int.from_bytes(data[position : position + 4], "big")
    position += 4  # the number of keys, which is one
    length = int.from_bytes(data[position : position + 4], "big")
    blob = data[position + 4 : position + 4 + length]
    return blob if length and len(blob) == length else None
