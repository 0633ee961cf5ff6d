"""A small reader of XML that knows where everything stands and what has been read of it.

What nobody took from the tree in the end is what a conversion would lose. Document types are refused, and with
them every kind of entity bomb.
"""

from __future__ import annotations

from xlpy.config.diagnostic import SettingError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_DEEPEST = 64
_MOST_ELEMENTS = 100_000


class Element:
    """An element. Attributes, text and children count as lost until they are taken."""

    __slots__ = ("_attributes", "_children", "_taken", "_text", "line", "tag")

    def __init__(self, tag: str, attributes: dict[str, str], line: int) -> None:
        self.tag = tag
        self.line = line
        self._attributes = attributes
        self._children: list[Element] = []
        self._text: list[str] = []
        self._taken = False

    def attribute(self, name: str) -> str | None:
        """Take an attribute's value, or None."""
        self._taken = True
        return self._attributes.pop(name, None)

    def text(self) -> str:
        """Take the text directly inside, without blanks around."""
        self._taken = True
        text = "".join(self._text).strip()
        self._text.clear()
        return text

    def child(self, tag: str) -> Element | None:
        """The first child of this name, to take things from; it counts as taken itself."""
        return next(self.children(tag), None)

    def children(self, tag: str) -> Iterator[Element]:
        """The children of this name, each counted as taken."""
        self._taken = True
        for child in self._children:
            if child.tag == tag:
                child._taken = True
                yield child

    def child_text(self, tag: str) -> str | None:
        """Take the text of the first child of this name, or None."""
        child = self.child(tag)
        return None if child is None else child.text()

    def child_attribute(self, tag: str, name: str) -> str | None:
        """Take an attribute of the first child of this name, or None."""
        child = self.child(tag)
        return None if child is None else child.attribute(name)

    def ignore(self, *tags: str) -> None:
        """Take children with all that is in them, for what has no meaning outside of libvirt; without tags itself."""
        if not tags:
            self._taken = True
            self._attributes.clear()
            self._text.clear()
            self._children.clear()
        for child in self._children:
            if child.tag in tags:
                child.ignore()

    def untaken(self, path: str = "") -> Iterator[tuple[int, str]]:
        """(line, path) of everything that was not taken; of an untaken element only itself."""
        path = f"{path}/{self.tag}"
        if not self._taken:
            yield self.line, path
            return
        for name, value in self._attributes.items():
            yield self.line, f"{path}/@{name}={value:.40}"
        text = "".join(self._text).strip()
        if text:
            yield self.line, f"{path}: {text:.40}"
        for child in self._children:
            yield from child.untaken(path)

    def add_child(self, child: Element) -> None:
        """For the reader."""
        self._children.append(child)

    def add_text(self, text: str) -> None:
        """For the reader."""
        self._text.append(text)


def read_xml(data: bytes, name: str) -> Element:
    """The root of an XML document. Raises ConfigError with the place of what is wrong."""
    from xml.parsers.expat import ExpatError

    reader = _Reader(name)
    try:
        reader.parser.Parse(data, True)
    except ExpatError as error:
        raise SettingError(
            "xml", f"not well-formed: {_reason(error)}", where=f"{name}:{error.lineno}:{error.offset + 1}"
        ) from error
    assert reader.root is not None
    return reader.root


def _reason(error: Exception) -> str:
    return str(error).partition(":")[0]


class _Reader:
    """Builds the tree; nesting and size are bounded."""

    def __init__(self, name: str) -> None:
        from xml.parsers.expat import ParserCreate

        self.root: Element | None = None
        self.parser = ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._doctype
        self._name = name
        self._open: list[Element] = []
        self._elements = 0

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        element = Element(tag, attributes, self.parser.CurrentLineNumber)
        self._elements += 1
        if len(self._open) >= _DEEPEST or self._elements > _MOST_ELEMENTS:
            self._refuse("this is no domain: too many elements")
        if self._open:
            self._open[-1].add_child(element)
        else:
            self.root = element
        self._open.append(element)

    def _end(self, _tag: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        self._open[-1].add_text(text)

    def _doctype(self, *_: object) -> None:
        self._refuse("a document type declaration has no place in a domain's XML")

    def _refuse(self, message: str) -> None:
        where = f"{self._name}:{self.parser.CurrentLineNumber}:{self.parser.CurrentColumnNumber + 1}"
        raise SettingError("xml", message, where=where)


class Node:
    """An element to be written. Attributes without a value are left out, and so are children without text."""

    def __init__(self, tag: str, text: str | None = None, **attributes: str | None) -> None:
        self.tag = tag
        self.attributes = {name: value for name, value in attributes.items() if value is not None}
        self.children: list[Node] = []
        self._text = text

    def add(self, tag: str, text: str | None = "", **attributes: str | None) -> Node:
        """A new child; with a text of None it is made but not put into the tree."""
        child = Node(tag, text, **attributes)
        if text is not None:
            self.children.append(child)
        return child

    def text(self, indent: str = "") -> str:
        """The element with all inside, as a document is printed. Raises ConfigError for what XML can't hold."""
        given = "".join([f" {name}='{escaped(value)}'" for name, value in self.attributes.items()])
        if self.children:
            inner = "".join([child.text(f"{indent}  ") for child in self.children])
            return f"{indent}<{self.tag}{given}>\n{inner}{indent}</{self.tag}>\n"
        if self._text:
            return f"{indent}<{self.tag}{given}>{escaped(self._text)}</{self.tag}>\n"
        return f"{indent}<{self.tag}{given}/>\n"


def escaped(text: str) -> str:
    """Text for XML, also inside an attribute's single quotes. Raises ConfigError for what XML can't hold."""
    for character in text:
        if (character < " " and character not in "\t\n\r") or "\ud800" <= character <= "\udfff":
            raise SettingError("xml", f"XML can't hold the character {character!a}")
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("'", "&apos;"), ("\n", "&#10;")):
        text = text.replace(character, entity)
    return text.replace("\t", "&#9;").replace("\r", "&#13;")
