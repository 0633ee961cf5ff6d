"""The canonical layout of a config file, comments kept: what ``xlpy config fmt`` writes.

One assignment a line, ``name = value``; strings in double quotes; a list on one line if it fits, has no comment inside
and no comma at its end, else an item a line. What the file means doesn't change.
"""

from __future__ import annotations

from xlpy.config.diagnostic import SettingError
from xlpy.config.lexer import tokens
from xlpy.config.literal import INDENT, WIDTH, quoted
from xlpy.config.settings import Settings
from xlpy.config.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlpy.config.lexer import Token

_DEEPEST = 40  # lists in lists; two are of use


class _List:
    """A list with the comments inside it. ``open_ended`` is one with a comma behind its last item."""

    def __init__(self) -> None:
        self.entries: list[_Line] = []
        self.open_ended = False

    def one_line(self) -> str | None:
        """The list on a line of its own, or None where it must not be."""
        if self.open_ended and self.entries:
            return None
        spelled = []
        for entry in self.entries:
            text = entry.value.one_line() if isinstance(entry.value, _List) else entry.value
            if entry.comment is not None or text is None:
                return None
            spelled.append(text)
        return f"[{', '.join(spelled)}]"


class _Line:
    """A line of the file or of a list: a value behind ``head``, a comment, both, or nothing."""

    def __init__(self, head: str = "", value: str | _List | None = None, comment: str | None = None) -> None:
        self.head = head
        self.value = value
        self.comment = comment


def formatted(text: str, name: str) -> str:
    """A config text in its canonical layout; ``name`` is what to call it in messages.

    Raises ConfigError for what doesn't parse.
    """
    from xlpy.config.extended import is_extended, without_includes

    masked = without_includes(text) if is_extended(text) else text
    Settings(Source(name, masked))
    lines = _Reader(text, masked).lines()
    out: list[str] = []
    for line in _tidy(lines):
        _write(line, "", out)
    return "".join([f"{written}\n" for written in out])


class _Reader:
    """Tokens to lines; the text is known to be correct. Comments are taken from ``text`` as they stand there."""

    def __init__(self, text: str, masked: str) -> None:
        self._text = text
        self._tokens: Iterator[Token] = tokens(masked, _no_errors)
        self._line_begins = True  # nothing but blanks since the last line break

    def lines(self) -> list[_Line]:
        """The lines of the file."""
        lines: list[_Line] = []
        while True:
            kind, start, value = next(self._tokens)
            if kind == "$end":
                return lines
            if kind == "NEWLINE":
                self._line_break(lines, start)
            elif kind == "IDENT":
                _, _, operator = next(self._tokens)
                lines.append(_Line(f"{value} {operator} ", self._value(next(self._tokens), 0)))
                self._line_begins = False

    def _line_break(self, lines: list[_Line], start: int) -> None:
        """A line break or a comment, which belongs to what stands before it in its line."""
        comment = self._comment(start)
        if self._line_begins or not lines or (comment and lines[-1].comment):
            if comment or not lines or _says_anything(lines[-1]):  # of several empty lines one is enough
                lines.append(_Line(comment=comment))
        elif comment:
            lines[-1].comment = comment
        self._line_begins = True

    def _comment(self, start: int) -> str | None:
        if self._text[start] == "\n":
            return None
        return self._text[start : self._text.index("\n", start)].rstrip()

    def _value(self, token: Token, depth: int) -> str | _List:
        kind, start, text = token
        if kind != "[":
            return quoted(text) if kind == "STRING" else text
        if depth >= _DEEPEST:
            raise SettingError("bad-value", f"lists are nested more than {_DEEPEST} deep")
        found = _List()
        self._line_begins = False
        while True:
            kind, start, text = token = next(self._tokens)
            if kind == "]":
                self._line_begins = False
                return found
            if kind == "NEWLINE":
                if self._line_begins and self._comment(start) is None:
                    continue
                self._line_break(found.entries, start)
                if found.entries and not _says_anything(found.entries[-1]):
                    found.entries.pop()
            elif kind == ",":
                found.open_ended = True
                self._line_begins = False
            else:
                found.open_ended = False
                found.entries.append(_Line(value=self._value(token, depth + 1)))
                self._line_begins = False


def _says_anything(line: _Line) -> bool:
    return line.value is not None or line.comment is not None


def _no_errors(offset: int, length: int, message: str, hint: str | None) -> None:
    """There are none: the text has been parsed before."""


def _tidy(lines: list[_Line]) -> Iterator[_Line]:
    """Without empty lines at both ends, and at most one between others."""
    pending = False
    begun = False
    for line in lines:
        if not _says_anything(line):
            pending = begun
            continue
        if pending:
            yield _Line()
        yield line
        pending, begun = False, True


def _write(line: _Line, indent: str, out: list[str], comma: str = "") -> None:
    """Add the written lines of one line to ``out``."""
    behind = f"  {line.comment}" if line.comment is not None and line.value is not None else ""
    if not isinstance(line.value, _List):
        text = line.comment if line.value is None else f"{line.head}{line.value}{comma}{behind}"
        out.append(f"{indent}{text}" if text else "")
        return
    whole = line.value.one_line()
    if whole is not None and len(indent) + len(line.head) + len(whole) <= WIDTH:
        out.append(f"{indent}{line.head}{whole}{comma}{behind}")
        return
    out.append(f"{indent}{line.head}[")
    for entry in line.value.entries:
        _write(entry, indent + INDENT, out, ",")
    out.append(f"{indent}]{comma}{behind}")
