"""An SSH session, set up with care: agreed upon, the host's key verified, the user let in, all within one time limit."""

from __future__ import annotations

import logging
import threading
import time

from xlpy.errors import XlError
from xlpy.transport import ssh_failures as failures
from xlpy.transport.host_keys import CERTIFICATE, HostKey, KnownHosts
from xlpy.transport.ssh_keys import KeyRing
from xlpy.transport.ssh_library import paramiko

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable

    from xlpy.transport.ssh_settings import SshSettings

    Accept = Callable[[failures.HostKeyQuestion], bool]

_KEX = (
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group14-sha256",
    "diffie-hellman-group-exchange-sha256",
    "mlkem768x25519-sha256",
)
_CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
)
_MACS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512")

_THREAD_TIMEOUT_S = 2

# What paramiko has to say, we say in our own words; its log would go to stderr.
_log = logging.getLogger("paramiko")
_log.addHandler(logging.NullHandler())
_log.setLevel(logging.CRITICAL)
_log.propagate = False


def _available(names: Iterable[str], table: str) -> tuple[str, ...]:
    """Those of the algorithms that this paramiko has."""
    return tuple(name for name in names if name in getattr(paramiko.Transport, table))


class SshTransport(paramiko.Transport):
    """paramiko's session with the algorithms of our choice, which remembers why the server hung up."""

    _preferred_kex = _available(_KEX, "_kex_info")
    _preferred_ciphers = _available(_CIPHERS, "_cipher_info")
    _preferred_macs = _available(_MACS, "_mac_info")
    _preferred_keys: tuple[str, ...] = ()
    farewell = ""
    on_over: Callable[[], None] | None = None
    said_bytes = heard_bytes = 0  # over all channels

    def _parse_disconnect(self, message: paramiko.Message) -> None:
        message.get_int()
        self.farewell = message.get_text()

    def stop(self) -> None:
        """End the session at once, whatever is going on. From any thread."""
        self.active = False
        try:
            self.packetizer.close()
        except (EOFError, OSError):
            pass  # a channel of the host on the way, whose own session has just ended

    def run(self) -> None:
        """paramiko's thread."""
        try:
            super().run()
        except (EOFError, OSError):
            pass  # as above
        if self.on_over is not None:
            self.on_over()

    @property
    def ending(self) -> str:
        """Why the session has ended, as far as it is known."""
        if self.farewell:
            return self.farewell
        error = getattr(self.sock, "failure", None) or self.saved_exception
        if isinstance(error, OSError) and error.strerror:
            return error.strerror
        return "" if error is None or isinstance(error, EOFError) else str(error)


class SetUp:
    """The making of one session over a connected socket (or a channel of the host on the way)."""

    def __init__(self, settings: SshSettings, connected: socket.socket, hang_up: Callable[[], None]) -> None:
        self._settings = settings
        self._hang_up = hang_up
        self._deadline = time.monotonic() + settings.connect_timeout_s
        self._late = False
        self._known = KnownHosts(
            settings.known_hosts_name, settings.known_hosts_files, settings.revoked_keys_file
        )
        self.transport = SshTransport(connected)

    def run(self, accept: Accept | None = None) -> SshTransport:
        """The session, ready for channels. ``accept`` is asked about a host key that nobody knows.

        Raises ConnectError, UnknownHostKey, PermissionRefused, HostKeyRefused.
        """
        transport = self.transport
        watchdog = threading.Timer(self._settings.connect_timeout_s, self._too_late)
        watchdog.daemon = True
        watchdog.start()
        try:
            self._agree()
            self._verify_host(accept)
            self._let_in()
        except BaseException:
            self._hang_up()
            if transport.is_alive():
                transport.join(_THREAD_TIMEOUT_S)
            transport.stop()
            raise
        finally:
            watchdog.cancel()
        # from here on its thread need not look up ten times a second
        transport.set_keepalive(self._settings.alive_interval_s)
        transport.sock.settimeout(self._settings.alive_interval_s)
        return transport

    def _too_late(self) -> None:
        self._late = True
        self._hang_up()

    def _remaining_s(self) -> float:
        return max(self._deadline - time.monotonic(), 0.1)

    def _agree(self) -> None:
        """Greeting and key exchange."""
        transport = self.transport
        transport.banner_timeout = transport.handshake_timeout = self._settings.connect_timeout_s + 5
        transport._preferred_keys = _available(self._known.algorithms(), "_key_info")
        try:
            transport.start_client(timeout=self._settings.connect_timeout_s + 5)
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise self._no_session(error) from error

    def _no_session(self, error: Exception) -> XlError:
        settings, transport = self._settings, self.transport
        if self._late:
            what = "as an SSH server does" if not transport.remote_version else "during key exchange"
            return failures.no_answer(settings, what)
        if not transport.remote_version.startswith("SSH-"):
            greeting: bytes = getattr(transport.sock, "greeting", b"")
            return failures.no_ssh(settings, greeting.split(b"\n")[0].decode("utf-8", "replace").strip())
        if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
            return failures.no_agreement(settings, str(error))
        return failures.lost_in_setup(settings, transport.ending)

    # -- who they are

    def _verify_host(self, accept: Accept | None) -> None:
        """The host's key has been proved; now see whether it is one that the user trusts."""
        shown = self.transport.get_remote_server_key()
        key = HostKey(shown.get_name(), shown.asbytes())
        settings, known = self._settings, self._known
        revocation = known.revoked(key)
        if revocation is not None:
            raise failures.revoked_key(settings, key, revocation)
        if known.find(key) is not None:
            return
        if str(self.transport.host_key_type).endswith(CERTIFICATE):
            self._verify_certificate(shown)
            return
        others = known.known()
        if others:
            same_kind = [line for line in others if line.key.kind == key.kind]
            raise failures.changed_key(settings, key, (same_kind or others)[0])
        question = failures.HostKeyQuestion(settings, key)
        if accept is None or not self._ask(accept, question):
            raise question
        known.remember(key, settings.hash_known_hosts)

    def _ask(self, accept: Accept, question: failures.HostKeyQuestion) -> bool:
        """Ask the user, however long that takes; then the session may be too old to be used."""
        answer = accept(question)
        if answer and self._late:
            self._known.remember(question.key, self._settings.hash_known_hosts)
            raise failures.no_answer(self._settings, "in time after its key was accepted")
        return answer

    def _verify_certificate(self, shown: paramiko.PKey) -> None:
        from xlpy.transport.ssh_certificate import why_invalid

        assert shown.public_blob is not None
        name = self._settings.known_hosts_name
        if name.startswith("["):
            name = name[1:].partition("]")[0]
        why = why_invalid(shown.public_blob.key_type, shown.public_blob.key_blob, name, self._known)
        if why is not None:
            raise failures.bad_certificate(self._settings, why)

    # -- who we are

    def _let_in(self) -> None:
        """Try keys until one fits."""
        settings, transport = self._settings, self.transport
        ring = KeyRing(settings)
        tried: list[str] = []
        try:
            for candidate in ring.candidates():
                tried.append(candidate.name)
                if self._try(candidate.key, tried):
                    return
        except paramiko.BadAuthenticationType as error:
            raise failures.not_let_in(settings, list(error.allowed_types), [], ring.notes) from error
        finally:
            ring.close()
        if not tried and not transport.is_active():
            raise self._not_in(tried)
        raise failures.not_let_in(settings, [], tried, ring.notes)

    def _try(self, key: paramiko.PKey, tried: list[str]) -> bool:
        transport = self.transport
        transport.auth_timeout = self._remaining_s() + 5
        try:
            more = transport.auth_publickey(self._settings.user, key)
        except paramiko.BadAuthenticationType:
            raise
        except (paramiko.SSHException, EOFError, OSError, ValueError) as error:
            # an agent's key that cannot sign is no reason to give up
            if transport.is_active() and not self._late:
                return False
            raise self._not_in(tried) from error
        if more:
            raise failures.second_factor(self._settings, list(more))
        return True

    def _not_in(self, tried: list[str]) -> XlError:
        """The session is over, and we were not in."""
        if self._late:
            return failures.no_answer(self._settings, "while logging in")
        if "too many authentication" in self.transport.farewell.lower():
            return failures.too_many_keys(self._settings, tried, self.transport.farewell)
        return failures.lost_in_setup(self._settings, self.transport.ending)
