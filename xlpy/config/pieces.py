"""How xl takes specs other than disks apart: strtok(3) on commas."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def comma_pieces(text: str) -> Iterator[tuple[int, str]]:
    """The (offset, text) of each piece: empty ones vanish, blanks in front of one are dropped."""
    offset = 0
    for piece in text.split(","):
        if piece:
            stripped = piece.lstrip(" ")
            yield offset + len(piece) - len(stripped), stripped
        offset += len(piece) + 1
