"""The language of ``--filter``: which rows are shown.

    memory_kib > 1048576 and not state == "paused"
    name =~ "^web" or domid in (3, 5)
    "web" in groups            the value of a column that is a list holds this
    online                     a column alone: whether its value is true, more than 0, or any text

Columns are those of ``--columns``. ``==`` ``!=`` ``<`` ``<=`` ``>`` ``>=`` compare numbers with numbers and texts with texts; ``=~``
and ``!~`` match a regular expression anywhere in the text, ``=*`` and ``!*`` a shell pattern against all of it. ``and``, ``or``, ``not``
may be written ``&``, ``|``, ``!``. A value is a number, a text in quotes, or one word. The rules are Ganeti's (query filters in
gnt-cluster(8)); what a row doesn't know equals nothing and is smaller and larger than nothing.
"""

from __future__ import annotations

import re

from xlpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xlpy.render.kind import Kind, Row

    Test = Callable[[Row], bool]
    Value = Callable[[Row], object]
    Literal = str | float

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<operator>==|!=|<=|>=|=~|!~|=\*|!\*|[=<>()!&|,])
    | (?P<word>[^\s"'=<>()!&|,]+)
    | (?P<end>$)
    )""",
    re.VERBOSE,
)
_WORDS = {"&": "and", "|": "or", "!": "not", "=": "=="}
_LONGEST = 10_000
_DEEPEST = 50


def parse_filter(text: str, kind: Kind) -> Test:
    """A function that says whether a row of this kind is wanted. Raises UsageError that shows where ``text`` is wrong."""
    if len(text) > _LONGEST:
        raise UsageError(f"a filter of {len(text)} characters is too long", f"{_LONGEST} will do")
    return _Parser(text, kind).run()


class _Token:
    __slots__ = ("at", "kind", "text")

    def __init__(self, kind: str, text: str, at: int) -> None:
        self.kind = kind
        self.text = text
        self.at = at


class _Parser:
    """One pass over the text, by recursive descent."""

    def __init__(self, text: str, kind: Kind) -> None:
        self.text = text
        self.kind = kind
        self.tokens = self.split()
        self.depth = 0

    def split(self) -> list[_Token]:
        found: list[_Token] = []
        position = 0
        while not found or found[-1].kind != "end":
            match = _TOKEN.match(self.text, position)
            if match is None or match.lastgroup is None:
                at = len(self.text) - len(self.text[position:].lstrip())
                raise self.error("this quote is never closed", at)
            name, position = match.lastgroup, match.end()
            word = match[name]
            if name == "operator":
                word = _WORDS.get(word, word)
            elif name == "word" and word.lower() in ("and", "or", "not", "in"):
                name, word = "operator", word.lower()
            found.append(_Token(name, word, match.start(match.lastgroup)))
        return found

    def run(self) -> Test:
        test = self.any_of()
        rest = self.tokens[0]
        if rest.kind != "end":
            raise self.error(f"{rest.text!r} is not expected here", rest.at, "join conditions by and, or")
        return test

    def any_of(self) -> Test:
        tests = [self.all_of()]
        while self.take("or"):
            tests.append(self.all_of())
        return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)

    def all_of(self) -> Test:
        tests = [self.one()]
        while self.take("and"):
            tests.append(self.one())
        return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)

    def one(self) -> Test:
        token = self.tokens[0]
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.error("this is nested too deeply", token.at)
        try:
            if self.take("not"):
                denied = self.one()
                return lambda row: not denied(row)
            if self.take("("):
                inner = self.any_of()
                self.require(")")
                return inner
            return self.condition()
        finally:
            self.depth -= 1

    def condition(self) -> Test:
        token = self.next()
        if token.kind == "end":
            raise self.error("a condition is missing here", token.at, 'such as: name =~ "^web"')
        holder = [token.text for token in self.tokens[:2]]
        if token.kind == "text" or _is_number(token.text) or (holder[0] == "in" and holder[1] != "("):
            self.require("in")
            return self.holds(_literal(token), self.column(self.next()))
        value = self.column(token)
        denied = self.tokens[0].text == "not" and self.tokens[1].text == "in" and bool(self.take("not"))
        if self.take("in"):
            members = self.members()
            if denied:
                return lambda row: not any(_equal(value(row), member) for member in members)
            return lambda row: any(_equal(value(row), member) for member in members)
        operator = self.tokens[0]
        if operator.kind != "operator" or operator.text in ("and", "or", ")"):
            return lambda row: bool(value(row))
        self.next()
        return self.comparison(value, operator, self.next())

    def comparison(self, value: Value, operator: _Token, token: _Token) -> Test:
        if token.kind not in ("text", "word"):
            raise self.error("a value is missing here", token.at, "a number, a word or a text in quotes")
        literal = _literal(token)
        if operator.text in ("==", "!="):
            wanted = operator.text == "=="
            return lambda row: _equal(value(row), literal) == wanted
        if operator.text in ("=~", "!~", "=*", "!*"):
            pattern = self.pattern(operator.text, token)
            wanted = operator.text[0] == "="
            return lambda row: (pattern.search(_text(value(row))) is not None) == wanted
        if operator.text in ("<", "<=", ">", ">="):
            return self.order(value, operator.text, literal, token)
        raise self.error(
            f"{operator.text!r} is no comparison", operator.at, "one of == != < <= > >= =~ !~ =* !* in"
        )

    def order(self, value: Value, operator: str, literal: Literal, token: _Token) -> Test:
        def test(row: Row) -> bool:
            found = value(row)
            if found is None:
                return False
            if isinstance(found, (int, float)) != isinstance(literal, float):
                kinds = ("a number", "text") if isinstance(found, (int, float)) else ("text", "a number")
                raise self.error(f"the column is {kinds[0]}, and this is {kinds[1]}", token.at)
            left: object = float(found) if isinstance(found, (int, float)) else _text(found)
            less, equal = left < literal, left == literal  # type: ignore[operator]
            return {"<": less, "<=": less or equal, ">": not (less or equal), ">=": not less}[operator]

        return test

    def pattern(self, operator: str, token: _Token) -> re.Pattern[str]:
        text = _unquoted(token)
        if operator.endswith("*"):
            from fnmatch import translate

            return re.compile(rf"\A(?:{translate(text)})")
        try:
            return re.compile(text)
        except re.error as error:
            raise self.error(f"{text!r} is no regular expression: {error}", token.at) from error

    def members(self) -> list[Literal]:
        self.require("(")
        found: list[Literal] = []
        while True:
            token = self.next()
            if token.kind not in ("text", "word"):
                raise self.error("a value is missing here", token.at, 'such as: name in ("web1", "web2")')
            found.append(_literal(token))
            if not self.take(","):
                self.require(")")
                return found

    def holds(self, literal: Literal, value: Value) -> Test:
        def test(row: Row) -> bool:
            found = value(row)
            if isinstance(found, (list, tuple, dict)):
                return any(_equal(item, literal) for item in found)
            return _text(literal) in _text(found)

        return test

    def column(self, token: _Token) -> Value:
        from xlpy.render.output import column_of

        if token.kind != "word":
            raise self.error(
                f"{token.text!r} is no column" if token.text else "a column is missing here", token.at
            )
        try:
            return column_of(self.kind, token.text).value
        except UsageError as error:
            raise self.error(error.message, token.at, error.hint) from None

    def next(self) -> _Token:
        return self.tokens.pop(0) if len(self.tokens) > 1 else self.tokens[0]

    def take(self, operator: str) -> bool:
        token = self.tokens[0]
        if token.kind != "operator" or token.text != operator:
            return False
        self.tokens.pop(0)
        return True

    def require(self, operator: str) -> None:
        if not self.take(operator):
            raise self.error(f"{operator!r} is missing here", self.tokens[0].at)

    def error(self, problem: str, at: int, hint: str | None = None) -> UsageError:
        return UsageError(f"filter: {problem}", hint, detail=f"{self.text}\n{' ' * at}^")


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(?:\.\d+)?", text) is not None


def _literal(token: _Token) -> Literal:
    if token.kind == "word" and _is_number(token.text):
        return float(token.text)
    return _unquoted(token)


def _unquoted(token: _Token) -> str:
    """The text of a token; in quotes a backslash guards the quote and itself, and stays before all else (``\\d``)."""
    return re.sub(r"\\([\"'\\])", r"\1", token.text[1:-1]) if token.kind == "text" else token.text


def _equal(value: object, literal: Literal) -> bool:
    if value is None:
        return False
    if isinstance(value, bool):
        return literal == float(value) or str(literal).lower() in (
            ("true", "yes") if value else ("false", "no")
        )
    if isinstance(value, (int, float)):
        return float(value) == literal
    return _text(value) == _text(literal)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return ",".join(map(_text, value)) if isinstance(value, (list, tuple)) else str(value)
