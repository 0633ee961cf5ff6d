"""How OpenSSH's files are read: words with quotes, and lists of patterns (ssh_config(5), PATTERNS)."""

from __future__ import annotations

import re
from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Unbalanced(ValueError):
    """A quote that is opened and never closed."""


def split_words(text: str) -> list[str]:
    """The words of a line; quotes hold words together, a ``#`` at the beginning of a word ends the line.

    Raises Unbalanced.
    """
    words: list[str] = []
    position = 0
    while True:
        while position < len(text) and text[position] in " \t":
            position += 1
        if position == len(text) or text[position] == "#":
            return words
        word, position = _word(text, position)
        words.append(word)


def _word(text: str, position: int) -> tuple[str, int]:
    letters: list[str] = []
    quote = ""
    while position < len(text):
        letter = text[position]
        if letter == "\\" and text[position + 1 : position + 2] in (
            "'",
            '"',
            "\\",
            " " if not quote else "\\",
        ):
            position += 1
            letters.append(text[position])
        elif quote:
            if letter == quote:
                quote = ""
            else:
                letters.append(letter)
        elif letter in "'\"":
            quote = letter
        elif letter in " \t":
            break
        else:
            letters.append(letter)
        position += 1
    if quote:
        raise Unbalanced(f"a quote {quote} is not closed")
    return "".join(letters), position


def matches_any(patterns: Iterable[str], name: str, fold: bool = True) -> bool:
    """Whether one of the patterns fits and none of those that begin with ``!`` does. Case matters unless ``fold``."""
    if fold:
        name = name.lower()
    found = False
    for pattern in patterns:
        negated = pattern.startswith("!")
        if _compiled(pattern[1:] if negated else pattern, fold).fullmatch(name):
            if negated:
                return False
            found = True
    return found


@lru_cache(maxsize=1024)
def _compiled(pattern: str, fold: bool) -> re.Pattern[str]:
    translated = "".join(
        ".*" if letter == "*" else "." if letter == "?" else re.escape(letter) for letter in pattern
    )
    return re.compile(translated.lower() if fold else translated, re.DOTALL)
