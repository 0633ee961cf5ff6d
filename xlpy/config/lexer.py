"""Config text to tokens, by the rules of libxlu's scanner (libxlu_cfg_l.l).

A token is a tuple (kind, offset, text). Kinds are the names bison gives them in its messages:
IDENT NUMBER STRING NEWLINE ``,`` ``[`` ``]`` ``=`` ``+=`` ``;`` and $end. The text of a STRING is what its
escapes stand for. What can't be read is reported and left out, and scanning goes on behind it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Token = tuple[str, int, str]
    Report = Callable[[int, int, str, str | None], None]

_BLANKS = " \t"
_LOWER = "abcdefghijklmnopqrstuvwxyz"
_DIGITS = "0123456789"
_IN_IDENT = _LOWER + _DIGITS + "._"
_IN_NUMBER = _DIGITS + "abcdefx"
_PUNCTUATION = "][,=;"
_PIECE = 64  # characters looked at at once: most runs are shorter
_PYTHON_WORDS = {"True": "1", "False": "0", "None": '""'}
_SHOWN = 60  # characters of what can't be read
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
    position, end = 0, len(text)
    lines = _Lines(text)
    while True:
        start = _run_end(text, position, _BLANKS)
        first = text[start : start + 1]
        if first and first in _LOWER:
            position = _run_end(text, start, _IN_IDENT)
            yield "IDENT", start, text[start:position]
        elif first and first in _DIGITS:
            position = _run_end(text, start, _IN_NUMBER)
            yield "NUMBER", start, text[start:position]
        elif first == '"' or first == "'":
            position = _quoted_end(text, start, lines.end(start))
            if position < 0:
                position = _skip_unreadable(text, start, lines, report)
            else:
                yield "STRING", start, _unquote(text[start:position], start, report)
        elif first == "\n" or (first == "#" and lines.end(start) < end):
            position = lines.end(start) + 1
            yield "NEWLINE", start, "\n"
        elif first and first in _PUNCTUATION:
            position = start + 1
            yield first, start, first
        elif first == "+" and text.startswith("+=", start):
            position = start + 2
            yield "+=", start, "+="
        elif start < end:
            position = _skip_unreadable(text, start, lines, report)
        else:
            yield "$end", end, ""
            return


def string_end(text: str, start: int) -> int:
    """The offset behind the string whose opening quote is at ``start``."""
    end = _quoted_end(text, start, _Lines(text).end(start))
    assert end > start
    return end


class _Lines:
    """Where lines end. Asked with growing offsets it looks at each character once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._end = -1

    def end(self, offset: int) -> int:
        """The offset of the newline at or behind ``offset``, or of the text's end."""
        if self._end < offset:
            newline = self._text.find("\n", offset)
            self._end = newline if newline >= 0 else len(self._text)
        return self._end


def _run_end(text: str, position: int, characters: str) -> int:
    """The offset behind the run of these characters that begins at ``position``."""
    while True:
        piece = text[position : position + _PIECE]
        run = len(piece) - len(piece.lstrip(characters))
        position += run
        if run < _PIECE:
            return position


def _quoted_end(text: str, start: int, line_end: int) -> int:
    """The offset behind the string that begins at ``start``; -1 when it isn't closed in its line."""
    quote, position, closing = text[start], start + 1, -1
    while True:
        if closing < position:
            closing = text.find(quote, position, line_end)
        if closing < 0:
            return -1
        backslash = text.find("\\", position, closing)
        if backslash < 0:
            return closing + 1
        position = backslash + 2
        if position > line_end:
            return -1


def _skip_unreadable(text: str, start: int, lines: _Lines, report: Report) -> int:
    """Report what stands at a place where no token begins; the offset behind it."""
    stop = _word_end(text, start, lines.end(start))
    first = text[start]
    if start + 1 == len(text) and (first < "\x80" or "\udc80" <= first <= "\udcff"):
        return stop  # xl drops a single stray byte at the very end without a word
    if first in "\"'":
        length = lines.end(start) - start
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


def _word_end(text: str, start: int, line_end: int) -> int:
    """The offset behind the characters up to the next blank or the end of the line; at least one."""
    for position in range(start, line_end, _PIECE):
        piece = text[position : min(position + _PIECE, line_end)]
        ends = [end for end in (piece.find(blank) for blank in _BLANKS) if end >= 0]
        if ends:
            return position + min(ends)
    return line_end


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
        backslash = quoted.find("\\", position, last)
        if backslash < 0:
            pieces.append(quoted[position:last])
            return "".join(pieces)
        pieces.append(quoted[position:backslash])
        character, position = quoted[backslash + 1], backslash + 2
        if character in _SIMPLE_ESCAPES:
            pieces.append(_SIMPLE_ESCAPES[character])
            continue
        swallowed = _decimal_length(quoted[position : position + 3]) if character in "01234567" else 0
        if swallowed < 2:
            _report_bad_escape(character, start + backslash, report)
            return ""
        position += swallowed  # xl swallows an octal escape without adding a character


def _decimal_length(text: str) -> int:
    """How much of the text strtoul would read as a decimal number."""
    digits = text.lstrip(" \t\n\v\f\r")
    if digits[:1] in ("+", "-"):
        digits = digits[1:]
    rest = digits.lstrip(_DIGITS)
    return len(text) - len(rest) if len(rest) < len(digits) else 0


def _report_bad_escape(character: str, offset: int, report: Report) -> None:
    if character in "x01234567":
        report(offset, 2, "numeric escapes in strings don't work in xl", "write the character itself")
    else:
        report(offset, 2, f"unknown escape '\\{character}'", "a backslash itself is written \\\\")
