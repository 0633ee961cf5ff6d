"""What can be said of a host in the inventory: a row for each setting, with the function that reads it.

A reader gets the node and gives the value; what is wrong with it is a Wrong.
"""

from __future__ import annotations

import os

from xlpy.errors import UsageError
from xlpy.inventory.address import is_name, is_user, parse_address
from xlpy.inventory.tree import List, Mapping, Scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xlpy.inventory.tree import Node

LONGEST_TIMEOUT_S = 86400.0
_RESERVED = ("all", "local")


class Wrong(Exception):
    """A value that doesn't fit; ``node`` is the culprit."""

    def __init__(self, node: Node, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.node = node
        self.message = message
        self.hint = hint


class Setting:
    """How a setting is read, and whether it makes sense as a default of all hosts."""

    __slots__ = ("common", "read")

    def __init__(self, read: Callable[[Node], object], common: bool = True) -> None:
        self.read = read
        self.common = common


def text(node: Node) -> str:
    """A text. A number is taken as it is written; yes, no and nothing are more likely a slip."""
    if not isinstance(node, Scalar):
        raise Wrong(node, f"expected a text, not {node.what}")
    if node.kind in ("bool", "null"):
        raise Wrong(
            node,
            f"expected a text, not {node.what}",
            f'a text of these letters stands in quotes: "{node.text}"',
        )
    if not node.text or not node.text.isprintable():
        raise Wrong(node, "this text is empty" if not node.text else f"unprintable characters in {node.what}")
    return node.text


def name(node: Node) -> str:
    """The name of a host or a group."""
    found = text(node)
    if not is_name(found):
        raise Wrong(node, f"{found!r} is no name", "a name has letters, digits, dots, dashes and underscores")
    if found in _RESERVED:
        raise Wrong(node, f"the name {found!r} has a meaning of its own", "choose another one")
    return found


def names(node: Node) -> tuple[str, ...]:
    """A list of names; one alone needs no brackets."""
    items = node.items if isinstance(node, List) else [node]
    return tuple(dict.fromkeys(name(item) for item in items))


def members(node: Node) -> tuple[tuple[str, Node], ...]:
    """The members of a group with their places: hosts, and other groups as ``@NAME``."""
    if isinstance(node, Scalar) and node.kind == "null":
        return ()
    items = node.items if isinstance(node, List) else [node]
    found = []
    for item in items:
        written = text(item)
        if not is_name(written.removeprefix("@")):
            raise Wrong(
                item, f"{written!r} is no name of a host", "another group's members are '@NAME', in quotes"
            )
        found.append((written, item))
    return tuple(found)


def labels(node: Node) -> dict[str, str]:
    """Names and texts."""
    if not isinstance(node, Mapping):
        raise Wrong(node, f"expected labels, not {node.what}", "e.g. labels: {site: berlin, rack: 12}")
    found: dict[str, str] = {}
    for key, value in node.pairs:
        label = text(key)
        if not is_name(label):
            raise Wrong(key, f"{label!r} is no name of a label")
        if label in found:
            raise Wrong(key, f"the label {label!r} is there already")
        found[label] = text(value)
    return found


def _address(node: Node) -> str:
    found = text(node)
    try:
        parse_address(found)
    except UsageError as error:
        raise Wrong(node, error.message, error.hint) from error
    return found


def _user(node: Node) -> str:
    found = text(node)
    if not is_user(found):
        raise Wrong(node, f"{found!r} is no user's name")
    return found


def _jump(node: Node) -> str:
    """As ssh_config's ProxyJump: hosts with commas between, or ``none``."""
    found = text(node)
    for hop in found.split(","):
        try:
            usable = "://" not in hop or hop.startswith("ssh://")
            parse_address(hop if hop.startswith("ssh://") else f"ssh://{hop}")
        except UsageError:
            usable = False
        if not usable:
            raise Wrong(node, f"{hop!r} is no host to jump over", "as in ssh_config(5): [user@]host[:port]")
    return found


def _near_path(node: Node) -> str:
    """A file here; a shared inventory can't know whose home it is read in, so ~ is."""
    found = os.path.expanduser(text(node))
    if not found.startswith("/"):
        raise Wrong(node, f"{node.what} is a relative path", "begin it with / or ~/")
    return found


def _far_path(node: Node) -> str:
    found = text(node)
    if not found.startswith("/"):
        raise Wrong(node, f"{node.what} is not the full path of a file on the host", "begin it with /")
    return found


def _python(node: Node) -> str:
    """A program's name or path: one word, since it is never given to a shell to split."""
    found = text(node)
    if found.startswith("-") or any(character.isspace() for character in found):
        raise Wrong(node, f"{node.what} is no program", "e.g. python3.11 or /usr/local/bin/python3")
    return found


def _switch(node: Node) -> bool:
    if not isinstance(node, Scalar) or node.kind != "bool":
        raise Wrong(node, f"expected true or false, not {node.what}")
    return node.text.lower() in ("yes", "true", "on")


def _port(node: Node) -> int:
    if isinstance(node, Scalar) and node.text.isascii() and node.text.isdigit():
        number = int(node.text[:6])
        if 0 < number < 65536:
            return number
    raise Wrong(node, f"expected a port, not {node.what}", "a number from 1 to 65535")


def _seconds(node: Node) -> float:
    if isinstance(node, Scalar) and node.kind in ("int", "float"):
        try:
            seconds = float(node.text)
        except ValueError:
            seconds = -1.0
        if 0 < seconds <= LONGEST_TIMEOUT_S:
            return seconds
    raise Wrong(node, f"expected a number of seconds, not {node.what}", "above 0 and at most a day")


HOST_SETTINGS: dict[str, Setting] = {
    "address": Setting(_address, common=False),
    "user": Setting(_user),
    "port": Setting(_port),
    "identity_file": Setting(_near_path),
    "known_hosts_file": Setting(_near_path),
    "proxy_jump": Setting(_jump),
    "groups": Setting(names, common=False),
    "labels": Setting(labels),
    "python": Setting(_python),
    "sudo": Setting(_switch),
    "socket": Setting(_far_path),
    "state_dir": Setting(_far_path),
    "connect_timeout_s": Setting(_seconds),
    "answer_timeout_s": Setting(_seconds),
}
