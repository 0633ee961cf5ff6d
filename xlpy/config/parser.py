"""Tokens to assignments: libxlu's grammar (libxlu_cfg_y.y).

    file       = { [assignment] (NEWLINE | ";") } [assignment]
    assignment = IDENT ("=" | "+=") value
    value      = STRING | NUMBER | "[" nl [ value nl { "," nl value nl } [ "," nl ] ] "]"
    nl         = { NEWLINE }

Lists nest without limit, so they are kept on a stack of our own. After an error reading goes on in the next
line, to find all errors in one go.
"""

from __future__ import annotations

from xlpy.config.lexer import tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

    from xlpy.config.lexer import Report, Token

_UNITS = ("k", "m", "g", "t", "kb", "mb", "gb", "tb", "kib", "mib", "gib", "tib")
_VALUE_EXPECTED = "a string, a number or '['"


class Atom:
    """A string or number as written; ``offset`` is where its text begins, inside the quotes if it has any."""

    __slots__ = ("offset", "quoted", "text")

    def __init__(self, text: str, offset: int, quoted: bool) -> None:
        self.text = text
        self.offset = offset
        self.quoted = quoted


class Sequence:
    """A list. ``offset`` is that of its opening bracket."""

    __slots__ = ("items", "offset")

    def __init__(self, offset: int) -> None:
        self.items: list[Atom | Sequence] = []
        self.offset = offset


class Assignment:
    """``name = value`` or, with ``adds``, ``name += value``."""

    __slots__ = ("adds", "name", "offset", "value")

    def __init__(self, name: str, offset: int, adds: bool, value: Atom | Sequence) -> None:
        self.name = name
        self.offset = offset
        self.adds = adds
        self.value = value


class _SyntaxError(Exception):
    """Raised at a token that can't stand where it stands; the error has been reported."""


def parse(text: str, report: Report) -> list[Assignment]:
    """The assignments of a config text, in order.

    ``report(offset, length, message, hint)`` is called for every error; libxlu refuses such a text.
    """
    return _Parser(text, report).file()


class _Parser:
    def __init__(self, text: str, report: Report) -> None:
        self._text = text
        self._report = report
        self._bad_line_end = -1
        self._tokens: Iterator[Token] = tokens(text, self._report_once_a_line)
        self._token: Token = next(self._tokens)

    def file(self) -> list[Assignment]:
        assignments: list[Assignment] = []
        while self._token[0] != "$end":
            kind = self._token[0]
            try:
                if kind == "IDENT":
                    assignments.append(self._assignment())
                    kind = self._token[0]
                    if kind not in ("NEWLINE", ";", "$end"):
                        self._refuse("the end of the line or ';'", self._unit_hint(assignments[-1]))
                elif kind not in ("NEWLINE", ";"):
                    self._refuse("a name", self._stray_hint())
                if self._token[0] != "$end":
                    self._advance()
            except _SyntaxError:
                self._skip_line()
        return assignments

    def _assignment(self) -> Assignment:
        _, offset, name = self._token
        kind = self._advance()
        if kind not in ("=", "+="):
            self._refuse("'=' or '+='", _python_hint(name))
        self._advance()
        return Assignment(name, offset, kind == "+=", self._value())

    def _value(self) -> Atom | Sequence:
        kind, offset, text = self._token
        if kind == "[":
            return self._list()
        if kind not in ("STRING", "NUMBER"):
            self._refuse(_VALUE_EXPECTED, _word_hint(kind, text))
        self._advance()
        return _atom(kind, offset, text)

    def _list(self) -> Sequence:
        outermost = current = Sequence(self._token[1])
        enclosing: list[Sequence] = []
        value_may_follow = True
        self._advance()
        while True:
            kind, offset, text = self._token
            if kind == "NEWLINE":
                self._advance()
            elif kind == "]":
                self._advance()
                if not enclosing:
                    return outermost
                current = enclosing.pop()
                value_may_follow = False
            elif value_may_follow and kind == "[":
                inner = Sequence(offset)
                current.items.append(inner)
                enclosing.append(current)
                current = inner
                self._advance()
            elif value_may_follow and kind in ("STRING", "NUMBER"):
                current.items.append(_atom(kind, offset, text))
                value_may_follow = False
                self._advance()
            elif not value_may_follow and kind == ",":
                value_may_follow = True
                self._advance()
            else:
                self._refuse_in_list(value_may_follow, current)

    def _refuse_in_list(self, value_may_follow: bool, current: Sequence) -> NoReturn:
        kind, _, text = self._token
        if value_may_follow:
            self._refuse(f"{_VALUE_EXPECTED} or ']'", _word_hint(kind, text))
        hint = "list items are separated by commas" if kind in ("STRING", "NUMBER", "[") else None
        if kind in ("IDENT", "$end"):
            line = self._text.count("\n", 0, current.offset) + 1
            hint = f"the list that begins in line {line} is not closed"
        self._refuse("',' or ']'", hint)

    def _advance(self) -> str:
        self._token = next(self._tokens)
        return self._token[0]

    def _refuse(self, expected: str, hint: str | None = None) -> NoReturn:
        """Report the present token as out of place, and raise."""
        kind, offset, text = self._token
        if kind == "NEWLINE":
            found, length = "end of line", 1
        elif kind == "$end":
            found, length = "end of file", 1
        else:
            found, length = f"'{text:.60}'", max(1, len(text))
        self._report_once_a_line(offset, length, f"unexpected {found}, expected {expected}", hint)
        raise _SyntaxError

    def _unit_hint(self, before: Assignment) -> str | None:
        """For ``memory = 1g``, which is a number and then a name."""
        value, (kind, offset, text) = before.value, self._token
        if kind != "IDENT" or text not in _UNITS or not isinstance(value, Atom) or value.quoted:
            return None
        touches = value.offset + len(value.text) == offset
        return "sizes take no unit here; memory is in MiB" if touches else None

    def _stray_hint(self) -> str | None:
        if self._token[0] == "[":
            return "a list can't begin in the line after its '='"
        return None

    def _skip_line(self) -> None:
        while self._token[0] not in ("NEWLINE", "$end"):
            self._advance()

    def _report_once_a_line(self, offset: int, length: int, message: str, hint: str | None) -> None:
        """One error spoils its line; what else is wrong there mostly follows from it."""
        if offset > self._bad_line_end:
            line_end = self._text.find("\n", offset)
            self._bad_line_end = line_end if line_end >= 0 else len(self._text)
            self._report(offset, length, message, hint)


def _atom(kind: str, offset: int, text: str) -> Atom:
    if kind == "STRING":
        return Atom(text, offset + 1, True)
    return Atom(text, offset, False)


def _python_hint(name: str) -> str | None:
    if name in (
        "import",
        "from",
        "def",
        "if",
        "for",
        "while",
        "print",
        "class",
        "try",
        "else",
        "elif",
        "return",
    ):
        return "this looks like Python, which config files can no longer hold"
    return None


def _word_hint(kind: str, text: str) -> str | None:
    if kind != "IDENT":
        return None
    if text in ("true", "yes", "on"):
        return "write 1"
    if text in ("false", "no", "off"):
        return "write 0"
    return f'write "{text:.60}"'
