"""Finding and reading hosts.yaml; the sample in configs/hosts.yaml says what can stand there."""

from __future__ import annotations

import os
import stat

from xlpy.errors import ConfigError, PermissionRefused, file_hint
from xlpy.inventory.address import parse_address
from xlpy.inventory.entry import HostEntry, Inventory
from xlpy.inventory.place import inventory_path, must_exist
from xlpy.inventory.settings import HOST_SETTINGS, Wrong, members, name
from xlpy.inventory.tree import LIMIT_BYTES, Mapping, Scalar, read_source, read_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from xlpy.inventory.source import Source
    from xlpy.inventory.tree import Node

VERSION = 1
_SECTIONS = ("version", "defaults", "hosts", "groups")


def read_inventory(path: str | None = None, required: bool | None = None) -> Inventory:
    """The inventory of this path, or the user's. One that isn't there has no hosts, unless it is ``required``: as a rule
    one that was named, here or by XLPY_INVENTORY, is.

    Raises ConfigError that names file, line and column of all that is wrong, PermissionRefused for a file that
    anybody can write: whoever does chooses what runs on the hosts.
    """
    chosen = path or inventory_path(os.environ)
    try:
        data = _read(chosen)
    except FileNotFoundError as error:
        if required is None:
            required = path is not None or must_exist(os.environ)
        if not required:
            return Inventory(path=chosen)
        raise ConfigError("there is no such inventory", "XLPY_INVENTORY names it", where=chosen) from error
    except OSError as error:
        raise ConfigError(
            f"cannot read the inventory: {error.strerror}", file_hint(chosen, error), where=chosen
        ) from error
    return parse_inventory(data, chosen)


def parse_inventory(data: bytes, path: str) -> Inventory:
    """The inventory in this text; ``path`` is for messages. Raises ConfigError."""
    source = read_source(data, path)
    root = read_tree(source)
    if root is None:
        return Inventory(path=path)
    inventory = _Reader(source).read(root)
    source.raise_findings()
    return inventory


def _read(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(fd, "rb") as file:
        found = os.fstat(fd)
        if stat.S_ISREG(found.st_mode) and found.st_mode & stat.S_IWOTH:
            raise PermissionRefused(f"{path} can be written by everybody", f"chmod o-w {path}")
        return file.read(LIMIT_BYTES + 1)


class _Reader:
    """From nodes to an Inventory; what is wrong is noted in the source and left out."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def read(self, root: Node) -> Inventory:
        sections = self._section_nodes(root)
        version = sections.get("version")
        if version is not None and not (isinstance(version, Scalar) and version.text == str(VERSION)):
            self._wrong(
                version,
                f"expected version {VERSION}, not {version.what}",
                "is this xlpy too old for the file?",
            )
        base = HostEntry(name="", address="", **self._settings(sections.get("defaults"), common=True))
        hosts = self._hosts(sections.get("hosts"), base)
        groups = self._groups(sections.get("groups"), hosts)
        return Inventory(path=self._source.path, hosts=tuple(hosts.values()), groups=groups, base=base)

    def _section_nodes(self, root: Node) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for key, node in self._pairs(root, "an inventory"):
            if key.text not in _SECTIONS:
                self._unknown(key, "section", _SECTIONS)
            else:
                found[key.text] = node
        return found

    def _hosts(self, node: Node | None, base: HostEntry) -> dict[str, HostEntry]:
        hosts: dict[str, HostEntry] = {}
        for key, settings in self._pairs(node, "hosts"):
            try:
                called = name(key)
                hosts[called] = self._host(called, settings, base)
            except Wrong as wrong:
                self._wrong(wrong.node, wrong.message, wrong.hint)
        return hosts

    def _host(self, called: str, node: Node, base: HostEntry) -> HostEntry:
        given = self._settings(node, common=False)
        written = given.pop("address", called)
        address = parse_address(written)
        for part, value in (("user", address.user), ("port", address.port)):
            if value is not None and part in given:
                raise Wrong(
                    node, f"{called}: the {part} stands in the address already", f"leave '{part}' out"
                )
            if value is not None:
                given[part] = value
        given["labels"] = {**base.labels, **given.get("labels", {})}
        return base.replace(**{**given, "name": called, "address": address.place})

    def _settings(self, node: Node | None, common: bool) -> dict[str, Any]:
        """The settings of one host, or the defaults of all."""
        found: dict[str, Any] = {}
        known = tuple(key for key, setting in HOST_SETTINGS.items() if setting.common or not common)
        for key, value in self._pairs(node, "settings"):
            if key.text not in known:
                self._unknown(key, "default" if common else "setting", known)
                continue
            try:
                found[key.text] = HOST_SETTINGS[key.text].read(value)
            except Wrong as wrong:
                self._wrong(wrong.node, f"{key.text}: {wrong.message}", wrong.hint)
        return found

    def _groups(self, node: Node | None, hosts: dict[str, HostEntry]) -> dict[str, tuple[str, ...]]:
        """The members of every group: hosts that say so, and those named under ``groups:``."""
        direct: dict[str, list[str]] = {}
        for entry in hosts.values():
            for group in entry.groups:
                direct.setdefault(group, []).append(entry.name)
        named: list[tuple[str, str, Node]] = []
        for key, value in self._pairs(node, "groups"):
            try:
                direct.setdefault(name(key), [])
                named += [(key.text, member, place) for member, place in members(value)]
            except Wrong as wrong:
                self._wrong(wrong.node, wrong.message, wrong.hint)
        for group, member, place in named:
            self._require_member(member, place, hosts, direct)
            direct[group].append(member)
        order = list(hosts)
        return {group: _expanded(group, direct, order) for group in direct}

    def _require_member(
        self, member: str, place: Node, hosts: dict[str, HostEntry], groups: dict[str, list[str]]
    ) -> None:
        known: Iterable[str] = (f"@{group}" for group in groups) if member.startswith("@") else hosts
        known = tuple(known)
        if member not in known:
            from xlpy.model.nearest import nearest

            meant = nearest(member, known)
            what = f"group {member[1:]!r}" if member.startswith("@") else f"host {member!r}"
            self._wrong(
                place,
                f"there is no {what}",
                f"did you mean {meant}?" if meant else "hosts stand under 'hosts:'",
            )

    def _pairs(self, node: Node | None, what: str) -> list[tuple[Scalar, Node]]:
        """The pairs of a mapping, the first one of each key; nothing at all is an empty one."""
        if node is None or (isinstance(node, Scalar) and node.kind == "null"):
            return []
        if not isinstance(node, Mapping):
            self._wrong(node, f"expected {what} as names with values, not {node.what}")
            return []
        first: dict[str, tuple[Scalar, Node]] = {}
        for key, value in node.pairs:
            if not isinstance(key, Scalar):
                self._wrong(key, f"expected a name, not {key.what}")
            elif key.text in first:
                line = first[key.text][0].line + 1
                self._wrong(key, f"{key.text!r} is there twice", f"it was first said in line {line}")
            else:
                first[key.text] = (key, value)
        return list(first.values())

    def _unknown(self, key: Scalar, what: str, known: tuple[str, ...]) -> None:
        from xlpy.model.nearest import nearest

        meant = nearest(key.text, known, most_changes=3)
        hint = f"did you mean {meant!r}?" if meant else f"there are {', '.join(known)}"
        self._wrong(key, f"there is no {what} {key.text!r}", hint)

    def _wrong(self, node: Node, message: str, hint: str | None = None) -> None:
        self._source.report(node.line, node.column, message, hint)


def _expanded(group: str, direct: dict[str, list[str]], order: list[str]) -> tuple[str, ...]:
    """All hosts of a group and of the groups in it, in the inventory's order; a circle of groups has no end of its own."""
    found: set[str] = set()
    seen = {group}
    waiting = [group]
    while waiting:
        for member in direct.get(waiting.pop(), ()):
            if not member.startswith("@"):
                found.add(member)
            elif member[1:] not in seen:
                seen.add(member[1:])
                waiting.append(member[1:])
    return tuple(name for name in order if name in found)
