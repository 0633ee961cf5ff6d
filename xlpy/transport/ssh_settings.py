"""How a host is reached over SSH: its inventory entry first, then what ssh's own config files say, then what is usual."""

from __future__ import annotations

import os
import pwd
import shlex
import subprocess

from xlpy.errors import ConfigError
from xlpy.model.record import Record
from xlpy.transport.ssh_config import Asked, SshConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from xlpy.inventory.entry import HostEntry
    from xlpy.transport.ssh_config import Found

CONNECT_TIMEOUT_S = 10.0
ALIVE_INTERVAL_S = 15
ALIVE_COUNT = 3
_MATCH_EXEC_TIMEOUT_S = 10
_USUAL_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
_GLOBAL_KNOWN_HOSTS = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")


class SshSettings(Record):
    """Everything that decides how a connection is made.

    ``label`` is what the user calls the host. ``identity_files`` were asked for if ``identities_chosen``, else they are
    the usual ones, which need not exist. ``agent_socket`` is None where no agent shall be asked. ``jumps`` are hosts
    on the way, the nearest first, and ``via`` what the inventory knows of them; ``proxy_command`` is a shell's.
    """

    label: str
    host: str
    port: int = 22
    user: str = ""
    home: str = ""
    identity_files: tuple[str, ...] = ()
    identities_chosen: bool = False
    identities_only: bool = False
    certificate_files: tuple[str, ...] = ()
    agent_socket: str | None = None
    known_hosts_name: str = ""
    known_hosts_files: tuple[str, ...] = ()
    hash_known_hosts: bool = False
    revoked_keys_file: str | None = None
    jumps: tuple[str, ...] = ()
    via: tuple[HostEntry, ...] = ()
    proxy_command: str | None = None
    address_family: str = "any"
    bind_address: str | None = None
    connect_timeout_s: float = CONNECT_TIMEOUT_S
    alive_interval_s: int = ALIVE_INTERVAL_S
    alive_count: int = ALIVE_COUNT

    @property
    def where(self) -> str:
        """Address and port for people."""
        return self.host if self.port == 22 else f"{self.host} port {self.port}"


class Client:
    """On whose behalf we connect: the home directory with its ``.ssh``, and the ssh-agent."""

    def __init__(self, home: str | None = None, agent_socket: str | None = None) -> None:
        account = pwd.getpwuid(os.getuid())
        self.home = home or os.environ.get("HOME") or account.pw_dir
        self.user = account.pw_name
        self.agent_socket = agent_socket
        self._config = SshConfig(self.home)
        self._decided: dict[str, tuple[HostEntry, SshSettings]] = {}

    @classmethod
    def calling(cls) -> Client:
        """The user whose process this is."""
        return cls(agent_socket=os.environ.get("SSH_AUTH_SOCK"))

    def is_current(self) -> bool:
        """Whether the user's files are still as they were read."""
        return self._config.is_current()

    def settings(self, entry: HostEntry) -> SshSettings:
        """How to reach this host. Raises ConfigError."""
        if self.has_decided(entry):
            return self._decided[entry.name][1]
        found = self._look_up(entry.address, entry.user, entry.port)
        settings = self._merge(entry, found)
        if not found.ran_commands:  # they may find otherwise next time
            self._decided[entry.name] = (entry, settings)
        return settings

    def has_decided(self, entry: HostEntry) -> bool:
        """Whether ``settings`` can answer at once, without reading files or running commands."""
        decided = self._decided.get(entry.name)
        return decided is not None and (decided[0] is entry or decided[0] == entry)

    def _merge(self, entry: HostEntry, found: Found) -> SshSettings:
        """What the entry says, then what was found."""
        settings = self._from_config(entry.name or entry.address, found)
        chosen: dict[str, object] = {}
        if entry.identity_file is not None:
            files = (found.path(entry.identity_file), *settings.identity_files)
            chosen["identity_files"] = files if settings.identities_chosen else files[:1]
            chosen["identities_chosen"] = True
        if entry.known_hosts_file is not None:
            chosen["known_hosts_files"] = (found.path(entry.known_hosts_file),)
        if entry.proxy_jump is not None:
            chosen["jumps"] = _jumps((entry.proxy_jump,), f"{settings.label}: proxy_jump")
            chosen["via"] = entry.via
            chosen["proxy_command"] = None
        if entry.connect_timeout_s is not None:
            chosen["connect_timeout_s"] = entry.connect_timeout_s
        return settings.replace(**chosen)

    def jump_settings(self, jump: str, label: str, via: Iterable[HostEntry] = ()) -> SshSettings:
        """How to reach a host on the way: one of ``via``, else ``[user@]host[:port]``. Raises ConfigError."""
        for entry in via:
            if entry.name == jump:
                return self.settings(entry).replace(label=f"{label} (on the way: {jump})")
        user, host, port = _split_jump(jump, label)
        return self._from_config(f"{label} (on the way: {host})", self._look_up(host, user, port))

    def _look_up(self, host: str, user: str | None, port: int | None) -> Found:
        return self._config.look_up(Asked(host, self.user, self.home, _succeeds), user, port)

    def _from_config(self, label: str, found: Found) -> SshSettings:
        chosen = [found.path(file) for file in found.lines("identityfile") if file.lower() != "none"]
        port = _number(found, "port", 22)
        alias = found.word("hostkeyalias")
        host = found.host_name
        name = alias.lower() if alias else host.lower() if port == 22 else f"[{host.lower()}]:{port}"
        _refuse_canonical_names(found)
        proxy = found.word("proxycommand")
        jumps = _jumps(found.words("proxyjump"), f"{label}: ProxyJump")
        if proxy is not None and proxy.lower() != "none" and not jumps:
            proxy = found.expand(proxy)
        else:
            proxy = None
        files = _files(found, "userknownhostsfile", (f"{found.asked.home}/.ssh/known_hosts",))
        return SshSettings(
            label=label,
            host=host,
            port=port,
            user=found.word("user") or found.asked.local_user,
            home=found.asked.home,
            identity_files=tuple(chosen or (f"{found.asked.home}/.ssh/{name}" for name in _USUAL_KEYS)),
            identities_chosen=bool(found.lines("identityfile")),
            identities_only=(found.word("identitiesonly") or "no").lower() == "yes",
            certificate_files=tuple(found.path(file) for file in found.lines("certificatefile")),
            agent_socket=self._agent(found),
            known_hosts_name=name,
            known_hosts_files=files + _files(found, "globalknownhostsfile", _GLOBAL_KNOWN_HOSTS),
            hash_known_hosts=(found.word("hashknownhosts") or "no").lower() == "yes",
            revoked_keys_file=_revoked_file(found),
            jumps=jumps,
            proxy_command=proxy,
            address_family=(found.word("addressfamily") or "any").lower(),
            bind_address=found.word("bindaddress"),
            connect_timeout_s=float(_number(found, "connecttimeout", 0)) or CONNECT_TIMEOUT_S,
            alive_interval_s=_number(found, "serveraliveinterval", 0) or ALIVE_INTERVAL_S,
            alive_count=_number(found, "serveralivecountmax", ALIVE_COUNT) or 1,
        )

    def _agent(self, found: Found) -> str | None:
        asked = found.word("identityagent")
        if asked is None or asked == "SSH_AUTH_SOCK":
            return self.agent_socket
        if asked.lower() == "none":
            return None
        if asked.startswith("$") and not asked.startswith("${"):
            return os.environ.get(asked[1:])
        return found.path(asked)


def _files(found: Found, keyword: str, usual: tuple[str, ...]) -> tuple[str, ...]:
    words = found.words(keyword)
    return tuple(found.path(word) for word in words if word.lower() != "none") if words else usual


def _revoked_file(found: Found) -> str | None:
    word = found.word("revokedhostkeys")
    return None if word is None or word.lower() == "none" else found.path(word)


def _refuse_canonical_names(found: Found) -> None:
    """Under CanonicalizeHostname ssh would look for the name in CanonicalDomains. Raises ConfigError where that matters."""
    wish = (found.word("canonicalizehostname") or "no").lower()
    domains = found.words("canonicaldomains")
    name = found.host_name
    if wish == "no" or not domains or domains[0].lower() == "none" or ":" in name:
        return
    goes_by_proxy = any(
        (found.word(way) or "none").lower() != "none" for way in ("proxycommand", "proxyjump")
    )
    is_number = name.replace(".", "").isdigit()
    if (
        is_number
        or (goes_by_proxy and wish != "always")
        or name.count(".") > _number(found, "canonicalizemaxdots", 1)
    ):
        return
    raise ConfigError(
        f"{found.asked.host}: your ssh config asks for CanonicalizeHostname, which xlpy does not do",
        f"give the whole name: 'address: {name}.{domains[0]}' in hosts.yaml, or HostName in ~/.ssh/config",
    )


def _jumps(words: tuple[str, ...], what: str) -> tuple[str, ...]:
    if not words or words[0].lower() == "none":
        return ()
    jumps = tuple(jump.strip() for jump in " ".join(words).split(","))
    if not all(jumps):
        raise ConfigError(f"{what}: there is an empty name in {' '.join(words)!r}")
    return jumps


def _split_jump(jump: str, label: str) -> tuple[str | None, str, int | None]:
    """User, host and port of ``[user@]host[:port]`` or ``ssh://[user@]host[:port]``."""
    user, at, rest = jump.removeprefix("ssh://").rpartition("@")
    host, port = rest, ""
    if rest.startswith("["):
        host, _, behind = rest[1:].partition("]")
        port = behind.removeprefix(":")
    elif rest.count(":") == 1:
        host, _, port = rest.partition(":")
    if not host or host.startswith("-") or (port and not port.isdigit()):
        raise ConfigError(f"{label}: {jump!r} is no host to jump over", "[USER@]HOST[:PORT]")
    return (user if at else None), host, (int(port) if port else None)


_UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3600}


def _number(found: Found, keyword: str, usual: int) -> int:
    """A port, a count, or a time as sshd_config(5) writes them. Raises ConfigError."""
    word = found.word(keyword)
    if word is None or word.lower() == "none":
        return usual
    digits = word.rstrip("smhSMH")
    unit = word[len(digits) :].lower()
    if not digits.isdigit() or unit not in _UNITS_S:
        raise ConfigError(f"{keyword} {word}: this is no number", where="~/.ssh/config")
    return int(digits) * _UNITS_S[unit]


def _succeeds(command: str) -> bool:
    """Whether a command of ``Match exec`` does; it is the user's own words from the user's own file."""
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_MATCH_EXEC_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ConfigError(
            f"Match exec {shlex.quote(command)} did not end within {_MATCH_EXEC_TIMEOUT_S} s",
            where="~/.ssh/config",
        ) from error
    return done.returncode == 0
