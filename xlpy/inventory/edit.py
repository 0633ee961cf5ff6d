"""Adding hosts to an inventory and removing them, without touching the user's comments, order and layout.

The text is changed at the places of the nodes concerned, and read again: if it doesn't say then what it should, nothing
is written.
"""

from __future__ import annotations

from xlpy.errors import ConfigError, UsageError
from xlpy.inventory.file import parse_inventory
from xlpy.inventory.tree import List, Mapping, Scalar, read_source, read_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping as SettingsMapping
    from typing import Any

    from xlpy.inventory.entry import Inventory
    from xlpy.inventory.source import Source
    from xlpy.inventory.tree import Node

    Settings = SettingsMapping[str, "str | int | float | bool | tuple[str, ...] | dict[str, str]"]

NEW_INVENTORY = """\
# Hosts of xlpy; 'xlpy host list' shows them, 'man xlpy-hosts.yaml' tells what can be said here.
version: 1

hosts:
"""
_BY_HAND = "change it with an editor; 'xlpy host list' says what is understood"


def with_host(data: bytes, path: str, name: str, settings: Settings) -> bytes:
    """The text with one more host at the end of ``hosts:``. Raises ConfigError, UsageError if it is there already."""
    before = parse_inventory(data, path)
    if before.find(name) is not None:
        raise UsageError(
            f"there is a host {name!r} in {path} already", f"xlpy host show {name}; xlpy host remove {name}"
        )
    text = _Text(read_source(data or NEW_INVENTORY.encode(), path))
    text.add_host(name, settings)
    changed = text.changed()
    after = parse_inventory(changed, path)
    if [host for host in after.hosts if host.name != name] != list(before.hosts) or after.find(name) is None:
        raise ConfigError(f"cannot add a host to this layout of {path}", _BY_HAND)
    return changed


def without_host(data: bytes, path: str, name: str) -> bytes:
    """The text without this host, also in the groups that name it. Raises ConfigError, UsageError if it isn't there."""
    before = parse_inventory(data, path)
    if before.find(name) is None:
        raise UsageError(f"there is no host {name!r} in {path}", "see the hosts: xlpy host list")
    text = _Text(read_source(data, path))
    text.remove_host(name)
    changed = text.changed()
    after = parse_inventory(changed, path)
    if after.hosts != tuple(host for host in before.hosts if host.name != name) or _members_differ(
        before, after, name
    ):
        raise ConfigError(f"cannot remove a host from this layout of {path}", _BY_HAND)
    return changed


def _members_differ(before: Inventory, after: Inventory, name: str) -> bool:
    """Whether a group has lost, or got, anybody but this host; one that only this host was in may be gone."""
    expected = {
        group: tuple(member for member in members if member != name)
        for group, members in before.groups.items()
    }
    return any(after.groups.get(group, ()) != members for group, members in expected.items())


class _Text:
    """A source with the changes to be made to it."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._newline = "\r\n" if "\r\n" in source.text else "\n"
        self._edits: list[tuple[int, int, str]] = []  # from, to, what stands there instead
        self._starts = [0]
        for line in source.lines:
            self._starts.append(self._starts[-1] + len(line) + 1)
        root = read_tree(source)
        self._root = root if isinstance(root, Mapping) else Mapping(0, 0, flow=False)

    def changed(self) -> bytes:
        """The text after all changes."""
        text = self._source.text
        for start, end, instead in sorted(self._edits, reverse=True):
            text = text[:start] + instead + text[end:]
        return text.encode()

    def add_host(self, name: str, settings: Settings) -> None:
        """Write a host behind the last one."""
        hosts = self._root.get("hosts")
        if isinstance(hosts, Mapping) and not hosts.flow:
            indent = hosts.pairs[0][0].column
            self._insert_after(hosts.end_line, _host_lines(name, settings, indent))
        elif hosts is None:
            self._insert_after(
                len(self._source.lines) - 1, ["hosts:", *_host_lines(name, settings, self._root.column + 2)]
            )
        elif isinstance(hosts, Scalar) or (isinstance(hosts, Mapping) and not hosts.pairs):
            key = next(key for key, value in self._root.pairs if value is hosts)
            self._edits.append(
                (self._at(hosts.line, hosts.column), self._at(hosts.end_line, hosts.end_column), "")
            )
            self._insert_after(hosts.end_line, _host_lines(name, settings, key.column + 2))
        else:
            raise ConfigError(
                "the hosts stand in braces, where xlpy doesn't write", _BY_HAND, where=self._source.path
            )

    def remove_host(self, name: str) -> None:
        """Take a host away, with the comments inside its settings."""
        hosts = self._root.get("hosts")
        assert isinstance(hosts, Mapping)
        key, value = next(
            pair for pair in hosts.pairs if isinstance(pair[0], Scalar) and pair[0].text == name
        )
        if hosts.flow:
            raise ConfigError(
                "the hosts stand in braces, where xlpy doesn't write", _BY_HAND, where=self._source.path
            )
        last = max(key.line, value.end_line)
        while self._is_inner_comment(last + 1, key.column):
            last += 1
        self._remove_lines(key.line, last)
        groups = self._root.get("groups")
        for _, members in groups.pairs if isinstance(groups, Mapping) else ():
            self._remove_member(members, name)

    def _remove_member(self, members: Node, name: str) -> None:
        if isinstance(members, Scalar) and members.text == name:
            start, end = self._span(members)
            self._edits.append((start, end, "[]"))
        if not isinstance(members, List):
            return
        for place, item in enumerate(members.items):
            if not (isinstance(item, Scalar) and item.text == name):
                continue
            if not members.flow:
                self._remove_lines(item.line, item.end_line)
                continue
            start, end = self._span(item)
            if place > 0:  # with the comma before it
                start = self._span(members.items[place - 1])[1]
            elif len(members.items) > 1:
                end = self._span(members.items[1])[0]
            self._edits.append((start, end, ""))

    def _is_inner_comment(self, number: int, column: int) -> bool:
        """Whether a line is a comment that is indented deeper than the host's name."""
        if number >= len(self._source.lines):
            return False
        line = self._source.lines[number]
        text = line.lstrip(" ")
        return text.startswith("#") and len(line) - len(text) > column

    def _insert_after(self, line: int, lines: list[str]) -> None:
        at = min(self._at(line + 1, 0), len(self._source.text))
        before = self._source.text[:at]
        missing = self._newline if before and not before.endswith("\n") else ""
        self._edits.append((at, at, missing + "".join(text + self._newline for text in lines)))

    def _remove_lines(self, first: int, last: int) -> None:
        self._edits.append((self._at(first, 0), min(self._at(last + 1, 0), len(self._source.text)), ""))

    def _span(self, node: Node) -> tuple[int, int]:
        return self._at(node.line, node.column), self._at(node.end_line, node.end_column)

    def _at(self, line: int, column: int) -> int:
        return self._starts[min(line, len(self._starts) - 1)] + column


def _host_lines(name: str, settings: Settings, indent: int) -> list[str]:
    """A host as it is written into the file."""
    lines = [f"{' ' * indent}{_scalar(name)}:"]
    for key, value in settings.items():
        if isinstance(value, tuple):
            text = f"[{', '.join(_scalar(item) for item in value)}]"
        elif isinstance(value, dict):
            text = f"{{{', '.join(f'{_scalar(label)}: {_scalar(value[label])}' for label in value)}}}"
        else:
            text = _scalar(value)
        lines.append(f"{' ' * (indent + 2)}{key}: {text}")
    return lines


def _scalar(value: str | int | float | bool) -> str:
    """A value as YAML writes it; a text is quoted when it would be taken for something else without."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if _is_plain(value):
        return value
    import json

    return json.dumps(value, ensure_ascii=False)


def _is_plain(text: str) -> bool:
    import yaml

    if not all(character.isalnum() or character in "._-/~@:" for character in text):
        return False
    if text[:1] in "-@:" or text.endswith(":"):
        return False
    resolver: Any = yaml.resolver.Resolver()
    return str(resolver.resolve(yaml.ScalarNode, text, (True, False))).endswith(":str")
