"""A command line as bash hands it over: one text up to the cursor, quotes and all."""

from __future__ import annotations

_ESCAPED = frozenset("\\\"'`$&|;<>()[]{}*?! \t\n#~")
_ESCAPED_IN_DOUBLE = frozenset('\\"`$')


class Line:
    """The words of a line. ``quote`` is the quote that is open at its end, and ``settled`` how much of the last word
    bash keeps: it replaces only what stands behind the last word break."""

    def __init__(self, words: list[str], quote: str, settled: str) -> None:
        self.words = words
        self.quote = quote
        self.settled = settled

    def inserted(self, value: str, partial: bool) -> str | None:
        """What bash shall put in to make the last word ``value``; None if that is not possible."""
        if not value.startswith(self.settled):
            return None
        rest = value[len(self.settled) :]
        if self.quote == "'":
            return None if "'" in rest else rest
        if self.quote:
            return _escaped(rest, _ESCAPED_IN_DOUBLE)
        return _escaped(rest, _ESCAPED) + ("" if partial else " ")


def split_line(text: str, breaks: str) -> Line:
    """Take a line apart as bash does, without its expansions. ``breaks`` are the characters of COMP_WORDBREAKS."""
    words: list[str] = []
    word: str | None = None
    quote, settled = "", ""
    characters = iter(text)
    for character in characters:
        if quote == "'":
            if character == quote:
                quote = ""
            else:
                word = (word or "") + character
        elif character == "\\":
            following = next(characters, "")
            kept = "\\" if quote and following not in _ESCAPED_IN_DOUBLE else ""
            word = (word or "") + kept + following
        elif character == quote:
            quote = ""
        elif not quote and character in "\"'":
            quote, word = character, word or ""
        elif not quote and character in " \t\n":
            if word is not None:
                words.append(word)
            word, settled = None, ""
        else:
            word = (word or "") + character
            if not quote and character in breaks:
                settled = word
    words.append(word or "")
    return Line(words, quote, settled)


def _escaped(text: str, special: frozenset[str]) -> str:
    return "".join(["\\" + character if character in special else character for character in text])
