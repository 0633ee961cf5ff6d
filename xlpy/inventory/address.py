"""Addresses of hosts as a user writes them: ``xen1``, ``root@xen1``, ``ssh://root@[fe80::1]:2222``, ``unix:///path``."""

from __future__ import annotations

from xlpy.errors import UsageError
from xlpy.inventory.entry import LOCAL, UNIX

FORMS_HINT = "an address is NAME, USER@NAME, ssh://USER@NAME:PORT or unix:///path/to/xlpy.sock"
_SSH = "ssh://"


class Address:
    """Where a host is: ``place`` as HostEntry.address has it; user and port where the address says them."""

    __slots__ = ("place", "port", "user")

    def __init__(self, place: str, user: str | None = None, port: int | None = None) -> None:
        self.place = place
        self.user = user
        self.port = port


def parse_address(text: str) -> Address:
    """The parts of an address. Raises UsageError for what is none."""
    if text == LOCAL:
        return Address(LOCAL)
    if text.startswith(("/", UNIX)):
        return Address(UNIX + _socket_path(text))
    if text.startswith(_SSH):
        return _authority(text[len(_SSH) :].removesuffix("/"), text, with_port=True)
    if "://" in text:
        raise UsageError(f"{text}: there is no such kind of address", FORMS_HINT)
    return _authority(text, text, with_port=False)


def is_name(text: str) -> bool:
    """Whether this can be the name of a host or a group: letters, digits, dots, dashes and underscores."""
    if not text or len(text) > 253 or not (text[0].isalnum() or text[0] == "_"):
        return False
    return all(character.isalnum() or character in "._-" for character in text)


def _socket_path(text: str) -> str:
    path = text[len(UNIX) :] if text.startswith(UNIX) else text
    if not path.startswith("/") or "\0" in path:
        raise UsageError(
            f"{text}: the path of a socket begins with a slash", "e.g. unix:///run/xlpy/xlpy.sock"
        )
    return path


def _authority(rest: str, text: str, with_port: bool) -> Address:
    """``[user@]host[:port]``; an IPv6 address stands in brackets where a port may follow, as in any URL."""
    user, at, host = rest.rpartition("@")
    if at and not is_user(user):
        raise UsageError(f"{text}: {user!r} is no user's name", FORMS_HINT)
    port: int | None = None
    if host.startswith("["):
        host, closed, behind = host[1:].partition("]")
        if not closed or not _is_ipv6(host) or (behind and not (with_port and behind.startswith(":"))):
            raise UsageError(f"{text}: no IPv6 address in brackets", "e.g. ssh://root@[2001:db8::1]:22")
        port = _port(behind[1:], text) if behind else None
    elif with_port and host.count(":") == 1:
        host, _, number = host.partition(":")
        port = _port(number, text)
    if not is_name(host) and not _is_ipv6(host):
        hint = FORMS_HINT
        if not with_port and host.count(":") == 1:
            hint = f"a port is given as in ssh://{rest}"
        raise UsageError(f"{text!r} is no address of a host", hint)
    return Address(host, user or None, port)


def is_user(text: str) -> bool:
    """Whether this can be a login's name: a word that no program takes for an option."""
    return bool(text) and text[0] != "-" and text.isprintable() and not any(c in " \t/:@,'\"" for c in text)


def _port(text: str, address: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65536):
        raise UsageError(f"{address}: {text!r} is no port", "a number from 1 to 65535")
    return int(text)


def _is_ipv6(text: str) -> bool:
    if ":" not in text:
        return False
    import _socket

    address, zoned, zone = text.partition("%")
    try:
        _socket.inet_pton(_socket.AF_INET6, address)
    except OSError:
        return False
    return is_name(zone) if zoned else True
