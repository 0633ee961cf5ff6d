"""What can go wrong on the way to a host, as sentences with a hint; and the questions that only the user may answer."""

from __future__ import annotations

import errno
import socket

from xlpy.errors import ConnectError, PermissionRefused, UnknownHostKey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.transport.host_keys import HostKey, KnownKey
    from xlpy.transport.ssh_settings import SshSettings


class HostKeyQuestion(UnknownHostKey):
    """Nobody has said yet whether this key is the host's: the user has to be asked."""

    def __init__(self, settings: SshSettings, key: HostKey) -> None:
        super().__init__(
            f"{settings.label}: the host key of {settings.where} is not known yet",
            f"compare its fingerprint with that on the host (ssh-keygen -lf /etc/ssh/ssh_host_{key.name.lower()}_key.pub),"
            f" then: xlpy host add {settings.label.split(' ')[0]}",
            detail=f"{key.name} key fingerprint is {key.fingerprint}",
        )
        self.host_name = settings.known_hosts_name
        self.key = key


class HostKeyRefused(PermissionRefused):
    """The host shows a key that it must not have: somebody may be listening in."""


def changed_key(settings: SshSettings, key: HostKey, known: KnownKey) -> HostKeyRefused:
    """The host showed another key than the one that is known."""
    path = known.where.rpartition(":")[0]
    return HostKeyRefused(
        f"{settings.label}: the host key of {settings.where} has changed: not connected",
        "if the host was installed anew, compare the fingerprint and remove the old key:"
        f" ssh-keygen -f {path} -R '{settings.known_hosts_name}'; otherwise somebody may be in between",
        detail=f"it shows the {key.name} key {key.fingerprint}\n"
        f"{known.where} knows the {known.key.name} key {known.key.fingerprint}",
    )


def revoked_key(settings: SshSettings, key: HostKey, line: KnownKey) -> HostKeyRefused:
    """The host showed a key that was declared void."""
    return HostKeyRefused(
        f"{settings.label}: the host key of {settings.where} was revoked: not connected",
        f"the host needs a new key; {line.where} has the revocation",
        detail=f"it shows the {key.name} key {key.fingerprint}",
    )


def bad_certificate(settings: SshSettings, why: str) -> HostKeyRefused:
    """The host's certificate doesn't hold."""
    return HostKeyRefused(
        f"{settings.label}: the host certificate of {settings.where} does not hold: {why}",
        "have it signed anew for this name by an authority of your known_hosts (ssh-keygen -s CA -h -n NAME)",
    )


def not_resolved(settings: SshSettings, error: socket.gaierror) -> ConnectError:
    """No address for the name."""
    if error.errno == socket.EAI_AGAIN:
        return ConnectError(
            f"{settings.label}: the name server does not answer for {settings.host}",
            "is this machine's network up? an IP address in the inventory needs no name server",
            detail=error.strerror,
        )
    return ConnectError(
        f"{settings.label}: there is no host named {settings.host}",
        "check the name; 'address' in the inventory or HostName in ~/.ssh/config says where a host is",
        detail=error.strerror,
    )


def not_connected(settings: SshSettings, error: OSError) -> ConnectError:
    """No TCP connection."""
    label, where = settings.label, settings.where
    if isinstance(error, TimeoutError):
        return no_answer(settings, "to a connection")
    if error.errno == errno.ECONNREFUSED:
        return ConnectError(
            f"{label}: {where} refused the connection", "is sshd running there, and is this its port?"
        )
    if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return ConnectError(
            f"{label}: there is no route to {where}",
            "is the host up, and are you in the right network (VPN)?",
        )
    return ConnectError(f"{label}: cannot connect to {where}: {error.strerror or error}")


def no_answer(settings: SshSettings, to_what: str) -> ConnectError:
    """The time limit has passed."""
    return ConnectError(
        f"{settings.label}: {settings.where} did not answer {to_what} within {settings.connect_timeout_s:g} s",
        "is it up, or very busy? connect_timeout_s in the inventory allows more time",
    )


def no_ssh(settings: SshSettings, said: str) -> ConnectError:
    """What answers there is no SSH server, or one that doesn't want us."""
    if not said:
        return ConnectError(
            f"{settings.label}: {settings.where} hung up without a word",
            "is sshd there busy (MaxStartups), or told to keep you out? its log says why: journalctl -u ssh",
        )
    return ConnectError(
        f"{settings.label}: what answers at {settings.where} is no SSH server",
        "is this sshd's port?",
        detail=f"it said {said!r:.80}",
    )


def no_agreement(settings: SshSettings, why: str) -> ConnectError:
    """Key exchange failed."""
    return ConnectError(
        f"{settings.label}: no secure connection to {settings.where} could be agreed upon",
        "is its sshd very old, or told to accept rare algorithms only?",
        detail=why,
    )


def proxy_failed(settings: SshSettings, said: str, status: int | None) -> ConnectError:
    """The user's ProxyCommand gave up."""
    ended = "" if status is None else f" (exit status {status})"
    return ConnectError(
        f"{settings.label}: the ProxyCommand gave no connection{ended}",
        "try it by hand; it is in ~/.ssh/config",
        detail="\n".join(filter(None, (settings.proxy_command, said.strip()))),
    )


def jump_refused(settings: SshSettings, via: str, why: str) -> ConnectError:
    """The host on the way doesn't lead on."""
    return ConnectError(
        f"{settings.label}: {via} gave no connection to {settings.where}",
        "is the host up, and does sshd on the way allow it (AllowTcpForwarding)?",
        detail=why,
    )


def not_let_in(
    settings: SshSettings, accepted: list[str], tried: list[str], notes: list[str]
) -> PermissionRefused:
    """Authentication failed; ``notes`` are what kept keys from being tried."""
    user = settings.user
    lines = [f"tried {name}" for name in tried] or ["no key was tried"]
    if accepted:
        lines.append(f"it accepts: {', '.join(accepted)}")
    if accepted and "publickey" not in accepted:
        hint = f"xlpy logs in with keys alone; allow them there: PubkeyAuthentication in sshd_config, {user}'s authorized_keys"
    elif notes and not tried:
        hint = notes[0]
        notes = notes[1:]
    elif not tried:
        hint = "make a key with ssh-keygen, and take it there: ssh-copy-id"
    else:
        hint = f"is one of these keys in authorized_keys of {user} there? ssh-copy-id {user}@{settings.host} takes it there"
    return PermissionRefused(
        f"{settings.label}: {settings.where} did not let {user} in", hint, detail="\n".join([*lines, *notes])
    )


def too_many_keys(settings: SshSettings, tried: list[str], said: str) -> PermissionRefused:
    """The server hung up before the right key had its turn."""
    return PermissionRefused(
        f"{settings.label}: {settings.where} hung up on {settings.user} after {len(tried)} keys",
        "name the right one: identity_file in the inventory, or IdentityFile with 'IdentitiesOnly yes' in ~/.ssh/config",
        detail="\n".join([said, *(f"tried {name}" for name in tried)]),
    )


def second_factor(settings: SshSettings, wanted: list[str]) -> PermissionRefused:
    """The key was right but it doesn't suffice."""
    return PermissionRefused(
        f"{settings.label}: {settings.where} wants more than a key of {settings.user}: {', '.join(wanted)}",
        "xlpy asks no passwords; let keys suffice for this login (AuthenticationMethods in sshd_config)",
    )


def lost_in_setup(settings: SshSettings, why: str) -> ConnectError:
    """It broke while the connection was being made."""
    return ConnectError(
        f"{settings.label}: the connection to {settings.where} broke while it was being made",
        "try again; sshd's log there says more: journalctl -u ssh",
        detail=why or None,
    )
