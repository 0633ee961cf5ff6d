"""YAML as a tree of nodes that know their places in the text.

Only what an inventory needs: one document of mappings, lists and plain values. Anchors, aliases and tags are refused,
and nesting and size are limited, so that reading a file costs no more than its length.
"""

from __future__ import annotations

from xlpy.errors import ConfigError
from xlpy.inventory.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

LIMIT_BYTES = 1 << 20
_DEEPEST = 16


class Node:
    """A value and where it is: ``end_line``/``end_column`` are just behind its last character."""

    __slots__ = ("column", "end_column", "end_line", "flow", "line")

    what = "a value"

    def __init__(self, line: int, column: int, flow: bool) -> None:
        self.line = self.end_line = line
        self.column = self.end_column = column
        self.flow = flow

    def end_at(self, line: int, column: int) -> None:
        """Say where it ends."""
        self.end_line, self.end_column = line, column


class Scalar(Node):
    """One word, number or text. ``kind`` is what YAML takes it for: str, int, float, bool, null or something rarer."""

    __slots__ = ("kind", "text")

    def __init__(self, line: int, column: int, text: str, kind: str) -> None:
        super().__init__(line, column, flow=True)
        self.text = text
        self.kind = kind

    @property
    def what(self) -> str:  # type: ignore[override]
        """What to call it in a message."""
        return "nothing" if self.kind == "null" else repr(self.text)


class Mapping(Node):
    """Keys and their values in the order of the text; a key may stand there twice."""

    __slots__ = ("pairs",)

    what = "a mapping"

    def __init__(self, line: int, column: int, flow: bool) -> None:
        super().__init__(line, column, flow)
        self.pairs: list[tuple[Node, Node]] = []

    def get(self, key: str) -> Node | None:
        """The value of a key."""
        for name, value in self.pairs:
            if isinstance(name, Scalar) and name.text == key:
                return value
        return None


class List(Node):
    """Items in their order."""

    __slots__ = ("items",)

    what = "a list"

    def __init__(self, line: int, column: int, flow: bool) -> None:
        super().__init__(line, column, flow)
        self.items: list[Node] = []


def read_source(data: bytes, path: str) -> Source:
    """The text of a file. Raises ConfigError for one that is too large or isn't UTF-8."""
    if len(data) > LIMIT_BYTES:
        raise ConfigError(f"larger than {LIMIT_BYTES >> 10} KiB", "is this an inventory?", where=path)
    try:
        return Source(data.decode("utf-8-sig"), path)
    except UnicodeDecodeError as error:
        before = data[: error.start]
        column = len(before) - (before.rfind(b"\n") + 1)
        raise Source("", path).error(before.count(b"\n"), column, "this is no UTF-8 text") from error


def read_tree(source: Source) -> Node | None:
    """The root of the document; None for an empty one. Raises ConfigError at the first place that is no YAML."""
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Builder(source, yaml).build(yaml.parse(source.text, Loader=loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if mark is None:
            raise ConfigError(f"this is no YAML: {error.problem}", where=source.path) from error
        hint = None
        if error.context and error.context_mark is not None:
            hint = f"{error.context}, which begins at line {error.context_mark.line + 1}"
        raise source.error(mark.line, mark.column, f"this is no YAML: {error.problem}", hint) from error
    except yaml.YAMLError as error:  # a character that YAML doesn't allow
        raise ConfigError("this is no YAML", detail=str(error), where=source.path) from error


class _Builder:
    """From the parser's events to nodes, without recursion."""

    def __init__(self, source: Source, yaml: Any) -> None:
        self._source = source
        self._yaml = yaml
        self._resolver = yaml.resolver.Resolver()
        self._open: list[Mapping | List] = []
        self._keys: list[Node | None] = []
        self._root: Node | None = None

    def build(self, events: Iterator[Any]) -> Node | None:
        yaml = self._yaml
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent) and self._root is not None:
                raise self._error(event, "a second document", "an inventory is one YAML document")
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise self._error(
                    event, "anchors and aliases are not taken here", "what hosts share belongs to 'defaults:'"
                )
            if getattr(event, "tag", None):
                raise self._error(event, f"tags such as {event.tag} are not taken here")
            self._take(event)
        return self._root

    def _take(self, event: Any) -> None:
        yaml = self._yaml
        start = event.start_mark
        if isinstance(event, yaml.ScalarEvent):
            kind = self._resolver.resolve(yaml.ScalarNode, event.value, event.implicit).rpartition(":")[2]
            node: Node = Scalar(start.line, start.column, event.value, kind)
            node.end_at(event.end_mark.line, event.end_mark.column)
            self._add(node)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            if len(self._open) == _DEEPEST:
                raise self._error(event, "nested too deep for an inventory")
            kind_of = Mapping if isinstance(event, yaml.MappingStartEvent) else List
            opened = kind_of(start.line, start.column, bool(event.flow_style))
            self._add(opened)
            self._open.append(opened)
            self._keys.append(None)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._close(event)

    def _add(self, node: Node) -> None:
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        if isinstance(parent, List):
            parent.items.append(node)
            return
        key = self._keys[-1]
        if key is None:
            self._keys[-1] = node
        else:
            parent.pairs.append((key, node))
            self._keys[-1] = None

    def _close(self, event: Any) -> None:
        """A block's end event lies where the next thing begins, so a block ends with the last of its nodes."""
        node = self._open.pop()
        self._keys.pop()
        if node.flow:
            node.end_at(event.end_mark.line, event.end_mark.column)
            return
        last = node.items[-1] if isinstance(node, List) else node.pairs[-1][1]
        node.end_at(last.end_line, last.end_column)

    def _error(self, event: Any, message: str, hint: str | None = None) -> ConfigError:
        return self._source.error(event.start_mark.line, event.start_mark.column, message, hint)
