"""``xlpy __complete SHELL ...``: what the shells' functions (``scripts``) call at every TAB.

bash gives its line up to the cursor and COMP_WORDBREAKS, the others their words; the answer has a line for each way
to go on. Whatever goes wrong, nothing is said: a message would stand in the middle of what the user types.
"""

from __future__ import annotations

import sys

from xlpy.cli.completion.place import find_place
from xlpy.cli.completion.values import candidates

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xlpy.cli.completion.candidate import Candidate


def complete(arguments: Sequence[str], xl: bool) -> int:
    """Print the answer, and return 0."""
    try:
        shell, *words = arguments
        text = "".join([f"{line}\n" for line in _lines(shell, words, xl)])
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
        sys.stdout.flush()
    except Exception:  # noqa: BLE001 -- the edge of the process
        pass
    return 0


def fitting(words: Sequence[str], xl: bool) -> list[Candidate]:
    """The ways to go on with the last of these words, which stand behind the program's name."""
    place = find_place(words, xl)
    if place is None:
        return []
    found: dict[str, Candidate] = {}
    for candidate in candidates(place):
        if candidate.value.startswith(place.word):
            found.setdefault(candidate.value, candidate)
    return [candidate.behind(place.front) for candidate in found.values()]


def _lines(shell: str, words: Sequence[str], xl: bool) -> Iterator[str]:
    if shell == "bash":
        yield from _for_bash(*words, xl=xl)
        return
    for candidate in fitting(words[1:], xl):
        mark = "" if shell == "fish" else "-" if candidate.partial else "+"
        yield f"{mark}{candidate.value}\t{candidate.text}"


def _for_bash(text: str, breaks: str, *, xl: bool) -> Iterator[str]:
    from xlpy.cli.completion.line import split_line

    line = split_line(text, breaks)
    for candidate in fitting(line.words[1:], xl):
        inserted = line.inserted(candidate.value, candidate.partial)
        if inserted is not None:
            yield inserted
