"""A config text and the places in it.

Everything that was read from a text keeps only an offset; line and column are worked out when somebody asks.
"""

from __future__ import annotations

_CARET_WIDTH = 100


class Source:
    """The text of a config file followed by overrides, as xl joins them (each on lines of its own)."""

    def __init__(self, name: str, text: str, overrides: tuple[str, ...] = ()) -> None:
        self.name = name
        self.text = text
        self._parts = [(0, name)]
        if overrides:
            pieces = [text]
            start = len(text) + 1
            for override in overrides:
                self._parts.append((start, "command line"))
                pieces.append(override)
                start += len(override) + 1
            self.text = "\n".join([*pieces, ""])
        self._line_starts: list[int] | None = None

    def where(self, offset: int) -> str:
        """``file:line:column`` of an offset; an override counts its lines from 1."""
        start, name = self._part(offset)
        line = self._line_number(offset) - self._line_number(start) + 1
        return f"{name}:{line}:{offset - max(start, self._line_start(offset)) + 1}"

    def excerpt(self, offset: int, length: int = 1) -> str:
        """The line with a caret under the place; of a very long line only the neighbourhood."""
        begin = self.text.rfind("\n", max(0, offset - _CARET_WIDTH), offset) + 1
        begin = begin or max(0, offset - _CARET_WIDTH)
        end = self.text.find("\n", offset, offset + _CARET_WIDTH)
        if end < 0:
            end = min(len(self.text), offset + _CARET_WIDTH)
        shown = _printable(self.text[begin:end])
        indent = "".join("\t" if character == "\t" else " " for character in shown[: offset - begin])
        return f"{shown}\n{indent}{'^' * max(1, min(length, end - offset))}"

    def _part(self, offset: int) -> tuple[int, str]:
        for start, name in reversed(self._parts):
            if offset >= start:
                return start, name
        return self._parts[0]

    def _line_number(self, offset: int) -> int:
        from bisect import bisect_right

        return bisect_right(self._starts(), offset)

    def _line_start(self, offset: int) -> int:
        return self._starts()[self._line_number(offset) - 1]

    def _starts(self) -> list[int]:
        if self._line_starts is None:
            self._line_starts = starts = [0]
            position = self.text.find("\n")
            while position >= 0:
                starts.append(position + 1)
                position = self.text.find("\n", position + 1)
        return self._line_starts


def _printable(text: str) -> str:
    """The text with every character that a terminal wouldn't show in one cell replaced."""
    return "".join(c if c == "\t" or c.isprintable() else "?" for c in text)
