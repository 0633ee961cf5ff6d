"""Host certificates: whether an authority that the user trusts vouches for a host (ssh-keygen(1), CERTIFICATES)."""

from __future__ import annotations

import base64
import time

from xlpy.transport.host_keys import HostKey
from xlpy.transport.ssh_words import matches_any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cryptography.hazmat.primitives.serialization import SSHCertificate

    from xlpy.transport.host_keys import KnownHosts


def why_invalid(kind: str, blob: bytes, name: str, known: KnownHosts) -> str | None:
    """Why this certificate doesn't prove that the host is ``name``; None if it does."""
    from cryptography.exceptions import InvalidSignature

    try:
        from cryptography.hazmat.primitives.serialization import SSHCertificate, load_ssh_public_identity
    except ImportError:  # Debian 12's
        return "to check it takes Python's cryptography 40 or newer, which is not here"
    encoded = f"{kind} {base64.b64encode(blob).decode('ascii')}".encode()
    try:
        certificate = load_ssh_public_identity(encoded)
        if not isinstance(certificate, SSHCertificate):
            return "it is a plain key"
        certificate.verify_cert_signature()
    except (ValueError, InvalidSignature):
        return "its signature is wrong"
    return _why_untrusted(certificate, known) or _why_unfit(certificate, name)


def _why_untrusted(certificate: SSHCertificate, known: KnownHosts) -> str | None:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    line = certificate.signature_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode("ascii")
    kind, encoded = line.split()[:2]
    signer = HostKey(kind, base64.b64decode(encoded))
    revocation = known.revoked(signer)
    if revocation is not None:
        return f"the authority that signed it was revoked ({revocation.where})"
    if all(line.key != signer for line in known.authorities()):
        return f"{signer.fingerprint}, which signed it, is no authority in your known_hosts"
    return None


def _why_unfit(certificate: SSHCertificate, name: str) -> str | None:
    from cryptography.hazmat.primitives.serialization import SSHCertificateType

    now = time.time()
    if certificate.type is not SSHCertificateType.HOST:
        return "it is a user's, not a host's"
    if certificate.critical_options:
        return "it has critical options, which xlpy doesn't know"
    if now < certificate.valid_after:
        return "its time has not come yet"
    if now >= certificate.valid_before:
        return "it has expired"
    principals = [principal.decode("utf-8", "replace") for principal in certificate.valid_principals]
    if principals and not matches_any(principals, name):
        return f"it is for {', '.join(principals)}, not for {name}"
    return None
