"""Config text to tokens, by the rules of libxlu's scanner (libxlu_cfg_l.l).

A token is a tuple (kind, offset, text). Kinds are the names bison gives them in its messages:
IDENT NUMBER STRING NEWLINE ``,`` ``[`` ``]`` ``=`` ``+=`` ``;`` and $end. The text of a STRING is what its
escapes stand for. What can't be read is reported and left out, and scanning goes on behind it.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Token = tuple[str, int, str]
    Report = Callable[[int, int, str, str | None], None]

_TOKEN = re.compile(
    r"""[ \t]*(?:
    ([a-z][a-z0-9._]*)                                       # 1 IDENT
  | ([0-9][0-9a-fx]*)                                        # 2 NUMBER
  | ("[^"\\\n]*(?:\\.[^"\\\n]*)*"|'[^'\\\n]*(?:\\.[^'\\\n]*)*')  # 3 STRING
  | (\n|\#[^\n]*\n)                                          # 4 NEWLINE
  | (\+=|[][,=;])                                            # 5 punctuation
    )""",
    re.VERBOSE,
)
_PYTHON_WORDS = {"True": "1", "False": "0", "None": '""'}
_SHOWN = 60  # characters of what can't be read
_NO_TOKEN = re.compile(r"[ \t]*([^ \t\n][^ \t\n]*)")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_DECIMAL = re.compile(r"[ \t\n\v\f\r]*[-+]?[0-9]+")
_SIMPLE_ESCAPES = {
    '"': '"',
    "'": "'",
    "\\": "\\",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}


def tokens(text: str, report: Report) -> Iterator[Token]:
    """The tokens of a text, $end last.

    ``report(offset, length, message, hint)`` is called for what can't be read: such a text is refused,
    tokens that follow only serve to find more errors.
    """
    match_token = _TOKEN.match
    position, end = 0, len(text)
    while True:
        match = match_token(text, position)
        if match is None:
            position = _skip_unreadable(text, position, report)
            if position >= end:
                yield "$end", end, ""
                return
            continue
        position = match.end()
        group = match.lastindex
        start = match.start(group or 0)
        if group == 1:
            yield "IDENT", start, match.group(1)
        elif group == 2:
            yield "NUMBER", start, match.group(2)
        elif group == 3:
            yield "STRING", start, _unquote(match.group(3), start, report)
        elif group == 4:
            yield "NEWLINE", start, "\n"
        else:
            punctuation = match.group(5)
            yield punctuation, start, punctuation


def string_end(text: str, start: int) -> int:
    """The offset behind the string whose opening quote is at ``start``."""
    match = _TOKEN.match(text, start)
    assert match is not None
    return match.end()


def _skip_unreadable(text: str, position: int, report: Report) -> int:
    """Report what stands at a place where no token begins; the offset behind it."""
    match = _NO_TOKEN.match(text, position)
    if match is None:
        return len(text)
    start, stop = match.span(1)
    first = text[start]
    if start + 1 == len(text) and (first < "\x80" or "\udc80" <= first <= "\udcff"):
        return stop  # xl drops a single stray byte at the very end without a word
    if first in "\"'":
        newline = text.find("\n", start)
        length = (newline if newline >= 0 else len(text)) - start
        report(start, length, f"this string has no closing {first}", _string_hint(text, start, length))
    elif first == "#":
        report(
            start, 1, "a comment on the last line needs a newline at its end", "end the file with a newline"
        )
        return len(text)
    else:
        message, hint = _explain(text, start, stop)
        report(start, stop - start, message, hint)
    return stop


def _string_hint(text: str, start: int, length: int) -> str | None:
    if text[start + length - 1] == "\\":
        return "a string can't go on in the next line; use += to add to it"
    return "a string ends in the line where it begins"


def _explain(text: str, start: int, stop: int) -> tuple[str, str | None]:
    first, found = text[start], text[start : min(stop, start + _SHOWN)]
    if first == "\r":
        return "carriage return: the file has Windows line ends", "convert it with dos2unix or sed 's/\\r$//'"
    if first == "\ufeff":
        return "the file begins with a byte order mark", "save it as UTF-8 without a BOM"
    if first == "\0":
        return "NUL character", None
    if first == "-":
        before = text[start - 1 : start]
        if before.isalnum():
            return f"'-' can't be part of a name: '{found}'", "names consist of a-z, 0-9, '.' and '_'"
        return "negative numbers must be quoted", f'write "{found}"'
    if found.rstrip(":,") in _PYTHON_WORDS:
        return f"unexpected '{found}'", f"write {_PYTHON_WORDS[found.rstrip(':,')]}"
    if first.isalpha() and first.isupper():
        return f"names have no capital letters: '{found}'", f"did you mean '{found.lower().split('=')[0]}'?"
    if first == "_" or first.isalpha():
        return f"names begin with a letter a-z: '{found}'", None
    if first in "+.():":
        return (
            f"unexpected '{found}': this looks like Python",
            "xl configs hold only strings, numbers and lists",
        )
    if first == "{":
        return (
            f"unexpected '{found}': dictionaries are not known here",
            "use a list of strings: ['key=value,...']",
        )
    return f"unexpected '{found}'" if found.isprintable() else f"unexpected character {first!a}", None


def _unquote(quoted: str, start: int, report: Report) -> str:
    """What a quoted string stands for, with libxlu's idea of escapes (xlu__cfgl_dequote)."""
    if "\0" in quoted:
        report(start + quoted.index("\0"), 1, "NUL character in a string", None)
        return ""
    if "\\" not in quoted:
        return quoted[1:-1]
    pieces: list[str] = []
    position, last = 1, len(quoted) - 1
    while True:
        match = _ESCAPE.search(quoted, position, last)
        if match is None:
            pieces.append(quoted[position:last])
            return "".join(pieces)
        pieces.append(quoted[position : match.start()])
        character, position = match.group(1), match.end()
        if character in _SIMPLE_ESCAPES:
            pieces.append(_SIMPLE_ESCAPES[character])
            continue
        number = _DECIMAL.match(quoted, position, position + 3) if character in "01234567" else None
        if number is None or number.end() < position + 2:
            _report_bad_escape(character, start + match.start(), report)
            return ""
        position = number.end()  # xl swallows an octal escape without adding a character


def _report_bad_escape(character: str, offset: int, report: Report) -> None:
    if character in "x01234567":
        report(offset, 2, "numeric escapes in strings don't work in xl", "write the character itself")
    else:
        report(offset, 2, f"unknown escape '\\{character}'", "a backslash itself is written \\\\")
