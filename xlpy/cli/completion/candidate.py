"""Candidate: one way to go on with the word at the cursor."""

from __future__ import annotations


class Candidate:
    """A whole word, or with ``partial`` the beginning of one, behind which no blank belongs."""

    __slots__ = ("partial", "text", "value")

    def __init__(self, value: str, text: str = "", *, partial: bool = False) -> None:
        self.value = value
        self.text = text
        self.partial = partial

    def behind(self, front: str) -> Candidate:
        """The same one behind the part of the word that is settled."""
        return Candidate(front + self.value, self.text, partial=self.partial)
