"""Values as a config file spells them: the way back from what ``lexer`` and ``parser`` read."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    Value = str | int | tuple["Value", ...]

WIDTH = 100  # a list that fits into this many columns stays on one line
INDENT = "    "
_ESCAPES = {
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}


def quoted(text: str) -> str:
    """A string in double quotes, or in single ones where that saves escapes.

    No spelling holds a NUL: the text is written up to it, as C would read it.
    """
    text = text.partition("\0")[0]
    quote = "'" if '"' in text and "'" not in text else '"'
    if '"' in text or "\\" in text or not text.isprintable():
        text = "".join([_ESCAPES.get(character, character) for character in text])
        text = text.replace(quote, f"\\{quote}")
    return f"{quote}{text}{quote}"


def literal(value: Value, column: int = 0) -> str:
    """A value as it stands behind ``=``; ``column`` is where it begins, to break long lists."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, int):
        return str(value) if value >= 0 else f'"{value}"'  # the grammar has no negative numbers
    return list_literal([literal(item, len(INDENT)) for item in value], column)


def list_literal(items: list[str], column: int = 0, indent: str = "") -> str:
    """A list of spelled items: on one line if it fits, else an item a line with a comma behind each."""
    line = f"[{', '.join(items)}]"
    if column + len(line) <= WIDTH and "\n" not in line:
        return line
    inner = indent + INDENT
    body = "".join([f"{inner}{item.replace(chr(10), chr(10) + INDENT)},\n" for item in items])
    return f"[\n{body}{indent}]"
