"""A config text and the places in it.

Everything that was read from a text keeps only an offset; line and column are worked out when somebody asks.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

COMMAND_LINE = "command line"
_CARET_WIDTH = 100


class Piece:
    """A stretch of a config that comes from one file; ``extended`` says whether variables count in it."""

    __slots__ = ("extended", "first_line", "name", "text")

    def __init__(self, text: str, name: str, first_line: int = 1, extended: bool = False) -> None:
        self.text = text
        self.name = name
        self.first_line = first_line
        self.extended = extended


class Source:
    """The text of a config file followed by overrides, as xl joins them (each on lines of its own).

    An extended file comes in ``pieces`` instead of ``text``, and with the values of its ``variables``.
    """

    def __init__(
        self,
        name: str,
        text: str,
        overrides: tuple[str, ...] = (),
        pieces: tuple[Piece, ...] = (),
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.variables = variables
        self._pieces = list(pieces) or [Piece(text, name)]
        self._piece_starts: list[int] = []
        start = 0
        for piece in self._pieces:
            self._piece_starts.append(start)
            start += len(piece.text)
        self.text = "".join([piece.text for piece in self._pieces])
        if overrides:
            self.text = "\n".join([self.text, *overrides, ""])
            for override in overrides:
                start += 1
                self._pieces.append(Piece(override, COMMAND_LINE))
                self._piece_starts.append(start)
                start += len(override)
        self._line_starts: list[int] | None = None

    def where(self, offset: int) -> str:
        """``file:line:column`` of an offset; an override counts its lines from 1."""
        name, line, column = self.place(offset)
        return f"{name}:{line}:{column}"

    def place(self, offset: int) -> tuple[str, int, int]:
        """File, line and column of an offset."""
        start, piece = self._piece(offset)
        line = self._line_number(offset) - self._line_number(start) + piece.first_line
        return piece.name, line, offset - max(start, self._line_start(offset)) + 1

    def is_extended_at(self, offset: int) -> bool:
        """Whether variables count at this place."""
        return self._piece(offset)[1].extended

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

    def _piece(self, offset: int) -> tuple[int, Piece]:
        from bisect import bisect_right

        index = bisect_right(self._piece_starts, offset) - 1
        return self._piece_starts[index], self._pieces[index]

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
